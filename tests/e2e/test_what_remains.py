"""What the app writes and logs, all in all: no API key anywhere, and nobody's data but where it belongs."""

import base64
import re
from collections.abc import Iterator, Mapping

import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Naming, Outcome
from tests.e2e.conftest import FOREIGN_MESSAGES
from tests.support.running_app import Json, RunningApp, SavedExport, StartedRun, csv_text, eventually, wait_for_all

MARK = "quuxmark"
"""Part of every value of the extract but the customers' ids."""
FOREIGN_MARK = "poisonmark"
PEOPLES_DATA = re.compile(
    r"runs/[^/]+/[^/]+/attempts/[^/]+/(chunks/\d+\.ndjson|missing\.parquet|others/\d+\.csv|found-ids/\w+\.parquet)"
    r"|runs/[^/]+/[^/]+/errors/[^/]+|members/[^/]+/[^/]+\.parquet|poison/(runs|chunks|imports)/[^/]+\.txt"
)
"""Blobs that may hold people's data: chunks, SendGrid's error files, and messages that others have sent us."""
ADDRESS = re.compile(rb"[\w.+-]+@[\w-]+\.\w+")

GOOD, REFUSED, ERRORED = (f"{word}.{MARK}@example.com" for word in ("good", "refused", "errored"))
COLUMNS = ["CustomerId", "EMail", "FirstName", "City", "Size"]
NOBODY = [f"First{MARK}", f"City{MARK}", "42"]
ROWS = [
    ["c-1", GOOD, *NOBODY],
    ["c-2", REFUSED, *NOBODY],
    ["c-3", ERRORED, *NOBODY],
    ["c-4", GOOD.upper(), *NOBODY],
    ["c-5", f"no address {MARK}", *NOBODY],
    ["c-6", f"{MARK}@{MARK}", *NOBODY],
    ["c-7", "x" * 250 + GOOD, *NOBODY],
    ["c-8", "", *NOBODY],
    ["c-9", f"few.{MARK}@example.com"],
    ["c-10", f"many.{MARK}@example.com", *NOBODY, *NOBODY],
    ["c-11", f"long.{MARK}@example.com", f"{MARK} " * 30, *NOBODY[1:]],
    ["c-12", f"ok.{MARK}@example.com", *NOBODY[:2], f"Size{MARK}"],
]
MAPPING = {
    "email": "EMail",
    "first_name": "FirstName",
    "city": "City",
    "custom_fields": {"size": "Size"},
    "unusable": {"size": "reject"},
}


class Trouble:
    """Runs that met all kinds of trouble with people whose every value has the mark; they are over."""

    def __init__(self, running: RunningApp) -> None:
        self.running = running
        self.key = running.key()
        self.secret = running.secret(self.key)
        self.connection = running.connection(secret_name=self.secret)
        self.runs: list[StartedRun] = []

    def go_through(self) -> None:
        simulator = self.running.cloud.simulator
        simulator.create_custom_field("size", "Number")
        texts = csv_text(COLUMNS, ROWS)
        bad = self._export(texts)
        text = self._export(texts, mapping=MAPPING | {"custom_fields": {}})
        headless = self._export("\n".join(texts.splitlines()[1:]))
        torn = self._export(f'CustomerId,EMail\n1,"never.closed.{MARK}@example.com\n' + f"2,{MARK}\n" * 50)
        simulator.inject(
            Fault(kind=FaultKind.REFUSE_CONTACTS, emails=(REFUSED,), naming=Naming.ADDRESS, times=None),
            Fault(kind=FaultKind.ANSWER, status=400, message=f"the address '{REFUSED}' is not {MARK}", skip=1),
            Fault(kind=FaultKind.JOB, emails=(ERRORED,), outcome=Outcome.ERRORED, times=None),
        )
        self.runs = [export.start() for export in (bad, text, headless, torn)]
        eventually(lambda: self.runs[1].get()["uploading_at"])
        self.running.cloud.vault.set_secret(self.secret, self.running.key())
        simulator.revoke_key(self.key)
        wait_for_all(self.runs)
        simulator.clear_faults()
        simulator.inject(Fault(kind=FaultKind.ANSWER, status=422, message=f'{GOOD} is no "First{MARK}"'))
        self.runs.append(self._export(texts).start())
        wait_for_all(self.runs)

    def _export(self, data: str, **changes: object) -> SavedExport:
        segment = self.running.deliver(data)
        return self.running.export(segment, **{"connection": self.connection, "mapping": MAPPING} | changes)


@pytest.fixture(scope="module")
def trouble(running: RunningApp) -> Trouble:
    made = Trouble(running)
    made.go_through()
    return made


@pytest.fixture(scope="module")
def state(trouble: Trouble) -> Mapping[str, bytes]:
    """Every blob that the app has written, in the runs made here and in those of the tests before."""
    eventually(lambda: len(trouble.running.read_all("poison/")) >= len(FOREIGN_MESSAGES))
    return trouble.running.read_all()


@pytest.fixture(scope="module")
def log(trouble: Trouble) -> bytes:
    """All that host and app have printed."""
    return trouble.running.log().encode()


@pytest.fixture(scope="module")
def queues(trouble: Trouble) -> bytes:
    """Every queue message of late, as it lies on Azurite's disk, one after the other in base64."""
    folder = trouble.running.cloud.ca_file.parent / "azurite" / "__queuestorage__"
    return b"\n".join(file.read_bytes() for file in folder.iterdir())


def in_base64(text: str) -> Iterator[bytes]:
    """Give what one finds of a text in the base64 of anything that holds it, wherever it begins there."""
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + text.encode())[(0, 2, 3)[shift] : -4]


def holds(queues: bytes, text: str) -> bool:
    return any(part in queues for part in in_base64(text))


# --- the search would find something ------------------------------------------------------------------------


def test_the_runs_have_met_the_trouble(trouble: Trouble) -> None:
    first: Json = trouble.runs[0].get()
    reasons = {"refused_by_sendgrid", "sendgrid_import_error", "email_invalid", "row_malformed", "number_invalid"}
    assert trouble.runs[-1].get()["reason"]["code"] == "request_refused"
    found = {reason for run in trouble.runs for reason in run.get()["counts"]["rejected_by_reason"]}
    assert (first["status"], reasons - found) == ("completed_with_warnings", set())


def test_the_marks_are_where_people_belong(state: Mapping[str, bytes]) -> None:
    found = {name.split("/")[-2] for name, data in state.items() if MARK.encode() in data}
    assert {"chunks"} <= found


def test_the_runs_are_in_the_log(trouble: Trouble, log: bytes) -> None:
    assert all(f"event=run_finished export={run.export} run={run.id}".encode() in log for run in trouble.runs)


def test_the_runs_are_on_the_queues(trouble: Trouble, queues: bytes) -> None:
    assert all(holds(queues, run.id) for run in trouble.runs)


# --- it finds nothing ---------------------------------------------------------------------------------------


def test_no_blob_holds_a_key(trouble: Trouble, state: Mapping[str, bytes]) -> None:
    keys = [key.encode() for key in trouble.running.keys]
    assert [name for name, data in state.items() if any(key in data for key in keys)] == []


def test_no_queue_message_holds_a_key(trouble: Trouble, queues: bytes) -> None:
    assert [key for key in trouble.running.keys if holds(queues, key)] == []


def test_the_log_holds_no_key(trouble: Trouble, log: bytes) -> None:
    assert [key for key in trouble.running.keys if key.encode() in log] == []


def test_only_blobs_for_people_hold_their_data(state: Mapping[str, bytes]) -> None:
    assert [
        name
        for name, data in state.items()
        if not PEOPLES_DATA.fullmatch(name) and (MARK.encode() in data.lower() or ADDRESS.search(data))
    ] == []


def test_no_queue_message_of_ours_holds_peoples_data(queues: bytes) -> None:
    assert not holds(queues, MARK)


def test_the_log_holds_no_peoples_data(log: bytes) -> None:
    assert (MARK.encode() in log.lower(), ADDRESS.search(log)) == (False, None)


def test_the_log_holds_nothing_of_foreign_messages(log: bytes) -> None:
    assert FOREIGN_MARK.encode() not in log


def test_rejected_rows_are_told_without_their_values(trouble: Trouble) -> None:
    told = [row for run in trouble.runs[:2] for row in run.rejected()]
    assert {row["customer_id"] for row in told} >= {"c-5", "c-6", "c-7", "c-8"}
    assert MARK not in str(told).lower()


def test_runs_as_the_api_shows_them_hold_no_peoples_data(trouble: Trouble) -> None:
    assert MARK not in str([run.get() for run in trouble.runs]).lower()


def test_nothing_is_written_among_the_extracts(running: RunningApp, trouble: Trouble) -> None:
    assert trouble.runs
    names = set(running.extracts.list_blob_names())
    assert {name.split("/")[0].partition("-")[0].partition("_")[0] for name in names} <= {
        "Segment",
        "CustomerInsights",
    }


def test_only_foreign_messages_failed_for_good_and_they_are_kept_as_they_came(state: Mapping[str, bytes]) -> None:
    kept = [(name.split("/")[1], data.decode()) for name, data in state.items() if name.startswith("poison/")]
    assert sorted(kept) == sorted(FOREIGN_MESSAGES.items())
