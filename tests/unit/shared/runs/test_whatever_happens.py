"""Deliveries, changes by hand and faults in any order: after each run the list is what a small model says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.definitions import FieldMapping, MaxRemovals, SourceOptions
from shared.model.members import Membership
from shared.model.reasons import RunStatus
from shared.planning.members import read_members
from shared.sendgrid.api import NoResponse
from shared.storage.documents import Store
from shared.storage.layout import membership_blob
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp

if TYPE_CHECKING:
    from shared.model.runs import Run
    from shared.sendgrid.api import Request, Response

EXPORTS = ("one", "other")
EVERYBODY = {
    "Plain@Example.com": "plain@example.com",
    "O'Neill@example.com": "o'neill@example.com",
    "ann+news@example.com": "ann+news@example.com",
    "umlaut@exämple.com": "umlaut@xn--exmple-cua.com",
    **{f"Person{number}@example.com": f"person{number}@example.com" for number in range(8)},
}
"""As the extract writes an address → as SendGrid has it."""
HANDS = ("by.hand1@example.com", "by.hand2@example.com")
TOO_LONG = "x" * 60
SHARE = 0.4

FAULTS: dict[str, Response | NoResponse] = {
    "429": answer(429, {"errors": []}, retry_after="7"),
    "500": answer(500, {}),
    "406": answer(406, {}),
    "silence": NoResponse.TIMEOUT,
}


@dataclass
class Model:
    """What must be."""

    on_list: set[str] = field(default_factory=set)
    members: dict[str, dict[str, int]] = field(default_factory=lambda: {export: {} for export in EXPORTS})
    """Export → member → in how many runs in a row it was missing."""

    def run(self, export: str, valid: set[str], rejected: set[str]) -> set[str]:
        """A run has ended; whom it must have taken off."""
        mine = self.members[export]
        elsewhere = {
            address
            for other in EXPORTS
            if other != export
            for address, missing in self.members[other].items()
            if missing == 0
        }
        missing = mine.keys() - valid - rejected
        due = missing - elsewhere
        gone = due if len(due) <= int(SHARE * len(mine)) else set()
        there = valid | (rejected & mine.keys())
        self.members[export] = dict.fromkeys(there, 0) | {address: mine[address] + 1 for address in missing - gone}
        self.on_list = (self.on_list | valid) - gone
        return gone


rows = st.dictionaries(
    st.sampled_from(sorted(EVERYBODY)), st.sampled_from(["A", "B", "B", TOO_LONG]), min_size=1, max_size=10
).filter(lambda found: set(found.values()) != {TOO_LONG})
steps = st.one_of(
    st.tuples(st.just("deliver"), st.sampled_from(EXPORTS), rows, st.booleans()),
    st.tuples(st.just("add"), st.sampled_from(HANDS)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    story=st.lists(steps, min_size=2, max_size=7),
    crashes=st.dictionaries(st.integers(5, 400), st.sampled_from(["before", "after"]), max_size=6),
    faults=st.dictionaries(st.integers(1, 80), st.sampled_from(sorted(FAULTS)), max_size=8),
    failed_jobs=st.sets(st.integers(1, 12), max_size=2),
    twice=st.booleans(),
)
def test_the_list_is_the_segments_and_those_put_there_by_hand(
    story: list[tuple[object, ...]],
    crashes: dict[int, str],
    faults: dict[int, str],
    failed_jobs: set[int],
    *,
    twice: bool,
) -> None:
    app, model = _world(faults, failed_jobs), Model()
    waiting = dict(crashes)
    for what, *details in story:
        if what == "add":
            address = str(details[0])
            app.sendgrid.contacts[address] = {"email": address}
            app.on_list().add(address)
            model.on_list.add(address)
            continue
        export, delivered, force = details
        assert isinstance(delivered, dict)
        app.crashes.at = {}
        app.clock.now += timedelta(hours=1)
        app.deliver_extract(delivered.items(), segment=str(export))
        run = app.start(str(export), force=bool(force))
        app.crashes.at = waiting
        _work(app, twice=twice)
        waiting = app.crashes.at
        done = app.run(run)
        if done.status is RunStatus.SKIPPED:
            continue  # the same extract as before
        valid = {EVERYBODY[written] for written, name in delivered.items() if name != TOO_LONG}
        gone = model.run(str(export), valid, {EVERYBODY[written] for written in delivered} - valid)
        assert app.on_list() == model.on_list
        _check_figures(app, done, model, removed=len(gone))


def _world(faults: dict[int, str], failed_jobs: set[int]) -> InMemoryApp:
    app = InMemoryApp()
    for export in EXPORTS:
        app.save(
            export,
            segments=(export,),
            leavers="remove",
            max_removals=MaxRemovals(share=SHARE),
            mapping=FieldMapping(email="EMail", first_name="FirstName", over_long={"first_name": "reject"}),
            source=SourceOptions(max_rejected_share=1.0),
        )

    def fault(request: Request, number: int) -> Response | NoResponse | None:
        kind = faults.get(number)
        if kind == "silence" and request.method == "PUT":
            app.sendgrid.behave(request)  # it arrives all the same
        return FAULTS[kind] if kind else None

    app.sendgrid.fault = fault
    app.sendgrid.job_answer = lambda job, _: (
        {"id": job, "status": "failed", "results": {}} if int(job.removeprefix("job-")) in failed_jobs else None
    )
    return app


def _work(app: InMemoryApp, *, twice: bool) -> None:
    """Work until nothing waits; with `twice` each message is delivered two times."""
    while app.queues.waiting:
        if twice:
            message = app.queues.waiting[0]
            app.queues.send(message.queue, message.body, delay=(message.due - app.clock.now).total_seconds())
            app.step()
        app.step()
        assert len(app.queues.waiting) < 60
        twice = twice and len(app.queues.waiting) < 20


def _check_figures(app: InMemoryApp, done: Run, model: Model, *, removed: int) -> None:
    counts, change = done.counts, done.members
    assert counts.adds_up
    assert counts.removed == removed
    assert counts.not_sent == 0
    assert change is not None
    assert change.before + change.joined - change.left == change.after == len(model.members[done.export])
    found = Store(app.blobs).get(membership_blob(done.export), Membership).document
    assert dict(read_members(found, blobs=app.blobs)) == model.members[done.export]
