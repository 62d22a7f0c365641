from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from shared.audit.audit import Audit
from shared.audit.log import AuditLog
from shared.audit.query import AuditQuery
from shared.audit.read import read_audit
from shared.errors import StorageUnavailableError
from tests.support.audited import ADA, a_caller, a_request
from tests.support.factories import NOW, Clock, a_connection, a_run
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from shared.model.audit import AuditEntry

RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/exports"


class Storage(MemoryBlobs):
    """Storage that is away while a test says so."""

    is_away = False

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        if self.is_away:
            raise StorageUnavailableError("Azure Storage did not answer")
        super().append(name, data, offset=offset)


class Room:
    """An audit log with its clock and storage."""

    def __init__(self) -> None:
        self.clock = Clock(NOW)
        self.blobs = Storage(self.clock)
        self.audit = Audit(AuditLog(self.blobs, self.clock, "p1"), self.clock, resource_id=RESOURCE)

    def entries(self) -> list[AuditEntry]:
        """All that is written down, oldest first."""
        return list(reversed(read_audit(self.blobs, AuditQuery()).entries))

    def told(self) -> list[tuple[str, str, str | None]]:
        return [(each.operation_name, each.result_type, each.result_signature) for each in self.entries()]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="sendgrid_export")
    return caplog


# --- changes ------------------------------------------------------------------------------------------------


def test_a_change_is_written_down_before_and_after(room: Room) -> None:
    begun = room.audit.begin(a_request())
    assert room.told() == [("Exports.Save", "Running", None)]
    room.clock.pass_(0.25)
    room.audit.conclude(begun, status=201, after=a_connection(consent=None))
    assert room.told()[1:] == [("Exports.Save", "Success", "201")]
    assert [entry.duration_ms for entry in room.entries()] == [None, 250]
    assert {entry.resource_id for entry in room.entries()} == {RESOURCE}


def test_a_change_that_cannot_be_written_down_is_not_to_be_done(room: Room) -> None:
    room.blobs.is_away = True
    with pytest.raises(StorageUnavailableError):
        room.audit.begin(a_request())


def test_a_change_that_was_done_is_not_undone_by_the_log(room: Room, lines: pytest.LogCaptureFixture) -> None:
    begun = room.audit.begin(a_request())
    room.blobs.is_away = True
    room.audit.conclude(begun, status=200)
    assert room.told() == [("Exports.Save", "Running", None)]
    assert "event=audit_not_written operation=Exports.Save result=Success" in lines.text


def test_people_s_data_is_not_to_be_shown_when_that_cannot_be_written_down(room: Room) -> None:
    reading = a_request(operation="Rejected.Read", method="GET", path="/api/exports/{id}/runs/{run}/rejected")
    room.audit.note_reading(reading)
    assert room.told() == [("Rejected.Read", "Success", "200")]
    room.blobs.is_away = True
    with pytest.raises(StorageUnavailableError):
        room.audit.note_reading(reading)


# --- denials ------------------------------------------------------------------------------------------------


def test_ten_thousand_denials_are_two_entries_that_say_so(room: Room, lines: pytest.LogCaptureFixture) -> None:
    for _ in range(10_000):
        room.audit.note_denial(a_request(), status=403)
        room.clock.pass_(0.001)
    room.clock.pass_(60)
    room.audit.tell_folded_denials()
    denied = [entry.properties.count for entry in room.entries() if entry.properties.event_type == "ApiEvent"]
    assert denied == [None, 9_999]
    counted = [line for line in lines.messages if line.startswith("event=access_denied")]
    assert ["count=1 " in counted[0], "count=9999 " in counted[1], len(counted)] == [True, True, 2]


def test_a_denial_needs_no_storage(room: Room, lines: pytest.LogCaptureFixture) -> None:
    room.blobs.is_away = True
    room.audit.note_denial(a_request(), status=403)
    assert [line.split()[0] for line in lines.messages] == ["event=access_denied", "event=audit_not_written"]


# --- runs ---------------------------------------------------------------------------------------------------


def test_a_run_is_written_down_when_it_begins_and_when_it_is_over(room: Room) -> None:
    room.audit.note_start(a_run(), connection="marketing", submitted_by=None)
    room.audit.note_end(a_run(status="succeeded"), connection="marketing", submitted_by=None)
    assert room.told() == [
        ("Export.WorkflowStarted", "Running", None),
        ("Export.WorkflowCompleted", "Successful", None),
    ]


def test_a_run_that_cannot_be_written_down_comes_back(room: Room) -> None:
    room.blobs.is_away = True
    with pytest.raises(StorageUnavailableError):
        room.audit.note_end(a_run(status="failed"), connection=None, submitted_by=None)


# --- lines --------------------------------------------------------------------------------------------------


def test_the_line_says_who_what_and_how_by_ids(room: Room, lines: pytest.LogCaptureFixture) -> None:
    room.audit.conclude(room.audit.begin(a_request(connection="marketing")), status=409)
    assert lines.messages == [
        f"event=audit operation=Exports.Save result={result} caller={ADA} caller_type=person connection=marketing "
        "export=loyal correlation=c-1"
        for result in ("Running", "ClientError status=409")
    ]


def test_roles_and_names_are_in_no_line(room: Room, lines: pytest.LogCaptureFixture) -> None:
    request = a_request(caller=a_caller(roles=("Administrator",), name="ada@example.com"))
    room.audit.conclude(room.audit.begin(request), status=200, after=a_connection(users=("bob@example.com",)))
    room.audit.note_denial(request, status=403)
    room.audit.note_end(
        a_run(status="succeeded", requested_by="ada@example.com"), connection=None, submitted_by=ADA
    )
    assert len(lines.messages) == 4
    assert "@" not in lines.text
    assert b"@" not in b"".join(room.blobs.get(item.name).data for item in room.blobs.list_blobs())
