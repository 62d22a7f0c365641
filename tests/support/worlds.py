"""Apps with an export to run, and what is done with them again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.model.definitions import MaxRemovals
from shared.model.members import Membership
from shared.planning.members import read_members
from shared.storage.documents import Store
from shared.storage.layout import membership_blob
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.runs import Run

PEOPLE = people(12)
"""Of whom an extract is delivered."""
BY_HAND = {"by.hand@example.com", "o'hand@example.com"}
"""Whom somebody has put on the list."""
EVERYBODY = MaxRemovals(share=1.0)


def a_world(delivered: Iterable[tuple[str, str]] = PEOPLE) -> InMemoryApp:
    """An export whose extract is delivered."""
    app = InMemoryApp()
    app.save()
    app.deliver_extract(delivered)
    return app


def a_world_with_leavers(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    """An export that takes off the list who has left, and a list with people on it whom it has not brought."""
    app = InMemoryApp()
    wishes: dict[str, Any] = {"leavers": "remove", "max_removals": EVERYBODY} | changes
    app.save(**wishes)
    for address in BY_HAND:
        app.sendgrid.contacts[address] = {"email": address}
        app.on_list().add(address)
    return app


def start_with(app: InMemoryApp, delivered: Iterable[tuple[str, str]], **options: Any) -> Run:  # noqa: ANN401
    """An hour later, deliver and start a run."""
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(delivered)
    return app.start(**options)


def run_with(app: InMemoryApp, delivered: Iterable[tuple[str, str]], **options: Any) -> Run:  # noqa: ANN401
    """The same; the run when it is over, whose figures add up."""
    run = start_with(app, delivered, **options)
    app.work()
    done = app.run(run)
    assert done.counts.adds_up
    if done.members is not None:
        change = done.members
        assert change.before + change.joined - change.left == change.after
    return done


def members(app: InMemoryApp) -> set[str]:
    """Whom the export knows to have brought onto its list."""
    found = Store(app.blobs).get(membership_blob("newsletter"), Membership).document
    return {address for address, _ in read_members(found, blobs=app.blobs)}
