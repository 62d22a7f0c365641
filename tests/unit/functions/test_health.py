"""A healthy answer means that everything runs that has to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions import health
from shared.errors import StorageUnavailableError
from shared.limits import FIRST_TICK_WITHIN
from shared.runs.pulse import TICKS_KEPT, Pulse, missed, note_tick
from shared.settings import host_problems
from shared.storage.documents import Store
from shared.storage.layout import pulse_blob
from tests.support.factories import Clock, a_request, some_services, use_services
from tests.support.in_memory_app import user_function
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from shared.services import Services

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
LONG_UP = NOW - timedelta(hours=5)
RIGHT = {
    "KEY_VAULT_URL": "https://vault.example",
    "DataStorage": "UseDevelopmentStorage=true",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "SCHEDULE_TICK": "*/30 * * * * *",
    "AUTHENTICATION": "keys",
    "KEY_ROLES": '{"admin": "Administrator"}',
}


def ticking(*, every: float = 30, last: timedelta = timedelta()) -> Store:
    store = Store(MemoryBlobs(Clock()))
    for number in reversed(range(TICKS_KEPT + 3)):
        note_tick(store, "sweep", NOW - last - timedelta(seconds=every * number))
    return store


def test_a_timer_that_ticks_is_well() -> None:
    assert missed(ticking(), "sweep", now=NOW, up_since=LONG_UP) is None


def test_only_the_last_ticks_are_kept() -> None:
    assert len(ticking().get(pulse_blob("sweep"), Pulse).document.ticks) == TICKS_KEPT


@pytest.mark.parametrize(
    ("every", "silent", "well"), [(30, 200, True), (30, 400, False), (600, 1700, True), (600, 1900, False)]
)
def test_three_missed_ticks_are_told_with_the_age_of_the_last(every: float, silent: float, *, well: bool) -> None:
    told = missed(ticking(every=every, last=timedelta(seconds=silent)), "sweep", now=NOW, up_since=LONG_UP)
    assert (told is None) is well
    assert well or "sweep ticked last" in str(told)


def test_a_timer_that_never_ticked_is_told_once_it_had_the_time() -> None:
    store = Store(MemoryBlobs(Clock()))
    young = NOW - timedelta(seconds=FIRST_TICK_WITHIN - 1)
    assert missed(store, "sweep", now=NOW, up_since=young) is None
    assert "has never ticked" in str(missed(store, "sweep", now=NOW, up_since=LONG_UP))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"SCHEDULE_TICK": ""}, "SCHEDULE_TICK is missing"),
        ({"SCHEDULE_TICK": "every minute"}, "SCHEDULE_TICK must be"),
        ({"SCHEDULE_TICK": "* * *"}, "SCHEDULE_TICK must be"),
        ({"AzureWebJobsStorage": ""}, "AzureWebJobsStorage"),
        ({"AzureWebJobsStorage": "", "AzureWebJobsStorage__blobServiceUri": "https://x"}, "AzureWebJobsStorage"),
    ],
)
def test_settings_that_only_the_host_reads_are_looked_at(changes: dict[str, str], says: str) -> None:
    (problem,) = host_problems(RIGHT | changes)
    assert says in problem


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"SCHEDULE_TICK": "0 */5 * * * *"},
        {"SCHEDULE_TICK": "*/5 * * * *"},
        {"SCHEDULE_TICK": "00:05:00"},
        {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "st"},
        {
            "AzureWebJobsStorage": "",
            "AzureWebJobsStorage__blobServiceUri": "https://b",
            "AzureWebJobsStorage__queueServiceUri": "https://q",
        },
    ],
)
def test_settings_that_are_right_are_no_problem(changes: dict[str, str]) -> None:
    assert list(host_problems(RIGHT | changes)) == []


# --- the answer ---------------------------------------------------------------------------------------------


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)
    services = some_services()
    use_services(services)
    for timer in ("refresh_exports", "sweep"):
        note_tick(services.store, timer, datetime.now(UTC))
    return services


def ask() -> tuple[int, dict[str, Any], dict[str, str]]:
    handler: Any = user_function(health.get_health)
    answer = handler(a_request())
    return answer.status_code, json.loads(answer.get_body()), dict(answer.headers)


@pytest.mark.usefixtures("services")
def test_a_well_app_says_so_and_how_long_its_answer_is() -> None:
    status, document, headers = ask()
    assert (status, document["status"]) == (200, "ok")
    assert int(headers["Content-Length"]) == len(json.dumps(document, separators=(",", ":")))


@pytest.mark.usefixtures("services")
def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEDULE_TICK")
    monkeypatch.delenv("KEY_VAULT_URL")
    status, document, headers = ask()
    assert (status, document["status"], headers["Retry-After"]) == (503, "degraded", "30")
    assert ["SCHEDULE_TICK" in document["problems"][0], "KEY_VAULT_URL" in document["problems"][1]] == [True, True]


def test_dead_timers_are_told(services: Services) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    services.store.upsert(pulse_blob("sweep"), Pulse(ticks=(long_ago,)))
    status, document, _ = ask()
    assert (status, document["problems"]) == (
        503,
        ["The timer sweep ticked last 2 h ago."],
    )


def test_storage_that_does_not_answer_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_name: str) -> None:
        raise StorageUnavailableError("Azure Storage did not answer at pulse")

    monkeypatch.setattr(services.store.blobs, "get", away)
    status, document, _ = ask()
    assert (status, document["problems"]) == (503, ["Azure Storage did not answer at pulse"])


def test_both_timers_leave_their_pulse(services: Services) -> None:
    from functions import timers

    for timer in ("refresh_exports", "sweep"):
        services.store.blobs.delete(pulse_blob(timer))
        user_function(getattr(timers, timer))(None)
        assert services.store.find(pulse_blob(timer), Pulse) is not None
