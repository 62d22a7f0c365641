"""A list that another tool has filled, and an export that is to take it over."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from shared.definitions.resolve import resolve_export
from shared.model.definitions import MaxRemovals
from shared.model.members import Membership
from shared.planning.members import read_members
from shared.runs.adopt import start_adoption
from shared.runs.start import new_run_id
from shared.runs.views import get_others
from shared.storage.documents import Store
from shared.storage.layout import membership_blob
from tests.support.factories import ADA
from tests.support.in_memory_app import InMemoryApp, emails, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.runs import Run

PEOPLE = people(20)
ON_LIST = emails(PEOPLE[5:]) | {"by.hand@example.com", "o'hand@example.com"}
"""Five of the segment are not on the list, and two of the list are not in the segment."""
BY_HAND = {"by.hand@example.com", "o'hand@example.com"}
EVERYBODY = MaxRemovals(share=1.0)


def a_world(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    app = InMemoryApp()
    wishes: dict[str, Any] = {"leavers": "remove", "max_removals": EVERYBODY} | changes
    app.save(**wishes)
    app.deliver_extract(PEOPLE)
    fill(app, ON_LIST)
    return app


def fill(app: InMemoryApp, addresses: Iterable[str]) -> None:
    """Put people on the list as another tool would."""
    for address in addresses:
        app.sendgrid.contacts[address] = {"email": address}
        app.on_list().add(address)


def begin(app: InMemoryApp, export: str = "newsletter") -> Run:
    job = resolve_export(app.services.store, export)
    return start_adoption(app.services, job, by=ADA, run_id=new_run_id(app.services))


def adopted(app: InMemoryApp, export: str = "newsletter") -> Run:
    """Adopt; the run when it is over."""
    run = begin(app, export)
    app.work()
    return app.run(run)


def membership(app: InMemoryApp, export: str = "newsletter") -> Membership:
    return Store(app.blobs).get(membership_blob(export), Membership).document


def members(app: InMemoryApp, export: str = "newsletter") -> dict[str, int]:
    return dict(read_members(membership(app, export), blobs=app.blobs))


def others(app: InMemoryApp, run: Run) -> list[dict[str, str]]:
    text, more, part = b"", True, 0
    while more:
        part += 1
        data, more = get_others(app.services, run.export, run.id, part)
        text += data
    return list(csv.DictReader(text.decode().splitlines()))


def reason_of(run: Run) -> str:
    assert run.reason is not None
    return str(run.reason.code)
