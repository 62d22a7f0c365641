"""What passes by itself, or is put right in time, does no harm to a run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.sendgrid_simulator.faults import BodyShape, Fault, FaultKind
from tests.support.running_app import Json, RunningApp, SavedExport, StartedRun, eventually, wait_for_all

ANN, BOB = "ann@example.com", "bob@example.com"
HOLD_SECONDS = 4

SCOPES = {"method": "GET", "path": "/v3/scopes"}
LISTS = {"method": "GET", "path": "/v3/marketing/lists/{id}"}
IMPORTS = {"method": "GET", "path": "/v3/marketing/contacts/imports/{id}"}
AWAY = {"kind": FaultKind.ANSWER, "retry_after_seconds": 1}
STORM = [
    Fault.model_validate(fault)
    for fault in (
        AWAY | {"status": 429} | SCOPES,
        AWAY | {"status": 503, "body": BodyShape.EMPTY} | SCOPES,
        {"kind": FaultKind.RESET_BEFORE_BODY} | LISTS,
        AWAY | {"status": 429},
        AWAY | {"status": 503, "body": BodyShape.HTML},
        {"kind": FaultKind.RESET_DURING_BODY},
        {"kind": FaultKind.DROP_AFTER_ACCEPTANCE},
        AWAY | {"status": 429, "body": BodyShape.GATEWAY} | IMPORTS,
        AWAY | {"status": 503} | IMPORTS,
    )
]
"""Each strikes once, whichever run comes along."""
RUNS_IN_THE_STORM = 3


class Rotation:
    """An export whose key changes while its upsert is held up at our own limiter."""

    def __init__(self, running: RunningApp) -> None:
        self.running = running
        self.old_key = running.key()
        self.secret = running.secret(self.old_key)
        self.connection = running.connection(secret_name=self.secret)
        self.export = running.export_of(ANN, BOB, connection=self.connection)

    def start_held_up(self) -> StartedRun:
        later = datetime.now(UTC) + timedelta(seconds=HOLD_SECONDS)
        self.running.write(f"limiters/{self.connection}/upsert.json", {"not_before": later.isoformat()})
        run = self.export.start()
        eventually(lambda: run.get()["status"] == "uploading")
        return run

    def revoke(self) -> None:
        self.running.cloud.simulator.revoke_key(self.old_key)

    def rotate(self) -> None:
        self.running.cloud.vault.set_secret(self.secret, self.running.key())
        self.revoke()


@pytest.fixture(scope="module")
def waited_for_vault(running: RunningApp) -> tuple[SavedExport, Json, Json]:
    """An export whose first run found the vault away; the run before and after the vault came back."""
    export = running.export_of(ANN, BOB)
    running.cloud.vault.unavailable(away=True)
    try:
        run = export.start()
        eventually(
            lambda: any(run.id in line and "event=postponed" in line for line in running.log().splitlines())
        )
        before = run.get()
    finally:
        running.cloud.vault.unavailable(away=False)
    return export, before, run.wait()


type Runs = dict[str, tuple[SavedExport, Json]]


@pytest.fixture(scope="module")
def runs(running: RunningApp) -> Iterator[Runs]:
    """The runs of an afternoon on which much went wrong; all are over."""
    uploading, importing, revoked = Rotation(running), Rotation(running), Rotation(running)
    started = {
        "rotated while importing": (importing.export, importing.export.start()),
        "rotated while uploading": (uploading.export, uploading.start_held_up()),
        "revoked": (revoked.export, revoked.start_held_up()),
    }
    uploading.rotate()
    revoked.revoke()
    eventually(lambda: b'"job_id"' in started["rotated while importing"][1].reach("deliveries/"))
    importing.rotate()
    exports = [running.export_of(ANN, BOB) for _ in range(RUNS_IN_THE_STORM)]
    wait_for_all(run for _, run in started.values())
    running.cloud.simulator.inject(*STORM)
    started |= {f"storm {number}": (export, export.start()) for number, export in enumerate(exports)}
    over = wait_for_all(run for _, run in started.values())
    yield {name: (export, run) for (name, (export, _)), run in zip(started.items(), over, strict=True)}
    running.cloud.simulator.clear_faults()


def assert_all_well(export: SavedExport, run: Json) -> None:
    assert (run["status"], run["counts"]["sent"], export.emails()) == ("succeeded", 2, [ANN, BOB])
    assert export.running.count_upserts(export.list_id) == 1


def test_a_run_that_finds_the_vault_away_is_not_over(waited_for_vault: tuple[SavedExport, Json, Json]) -> None:
    _, before, _ = waited_for_vault
    assert (before["status"], before["reason"]) == ("planning", None)


def test_a_run_that_found_the_vault_away_succeeds(waited_for_vault: tuple[SavedExport, Json, Json]) -> None:
    export, _, after = waited_for_vault
    assert_all_well(export, after)


@pytest.mark.parametrize("name", ["rotated while uploading", "rotated while importing"])
def test_a_key_that_is_rotated_in_the_middle_of_a_run_is_read_anew(runs: Runs, name: str) -> None:
    assert_all_well(*runs[name])


def test_a_key_that_is_revoked_for_good_in_the_middle_of_a_run_ends_it(runs: Runs) -> None:
    export, run = runs["revoked"]
    assert (run["status"], run["reason"]["code"]) == ("failed", "key_refused")
    assert (run["counts"]["not_sent"], export.emails()) == (2, [])


@pytest.mark.parametrize("number", range(RUNS_IN_THE_STORM))
def test_trouble_at_sendgrid_only_takes_time(runs: Runs, number: int) -> None:
    assert_all_well(*runs[f"storm {number}"])


def test_all_of_the_storm_has_struck(running: RunningApp, runs: Runs) -> None:
    assert runs
    struck = [each.fault for each in running.cloud.simulator.injected()]
    assert [fault for fault in STORM if fault not in struck] == []
