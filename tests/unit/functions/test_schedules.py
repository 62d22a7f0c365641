"""When a schedule is due next, told before an export is saved with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.model.definitions import OwnSchedule
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp


@pytest.fixture
def app() -> InMemoryApp:
    return serve(InMemoryApp())


def due(caller: str = "nora", **params: str) -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("list_next_times", caller=caller, params=params))


def test_the_next_times_are_told_in_utc_and_by_the_clocks_also_when_these_change(app: InMemoryApp) -> None:
    app.clock.now = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
    answer = due(cron="30 2 * * *", time_zone="Europe/Stockholm", count="3")
    assert answer["schedule"] == {"kind": "cron", "cron": "30 2 * * *", "time_zone": "Europe/Stockholm"}
    assert [(each["utc"], each["local"]) for each in answer["times"]] == [
        ("2026-10-24T00:30:00Z", "2026-10-24T02:30:00+02:00"),
        ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"),
        ("2026-10-26T01:30:00Z", "2026-10-26T02:30:00+01:00"),
    ]


@pytest.mark.usefixtures("app")
def test_utc_and_five_times_are_usual() -> None:
    answer = due(cron="0 6 * * MON#1")
    assert answer["schedule"]["time_zone"] == "UTC"
    assert len(answer["times"]) == 5


def test_what_follows_the_refresh_is_due_with_it(app: InMemoryApp) -> None:
    assert due(kind="refresh") == {"schedule": None, "times": []}
    assert due(kind="off") == {"schedule": None, "times": []}
    assert due(kind="arrival") == {"schedule": None, "times": []}
    daily = OwnSchedule(kind="cron", cron="0 6 * * *", time_zone="Asia/Hong_Kong")
    settings = app.services.settings.model_copy(update={"refresh": daily})
    app.services = replace(app.services, settings=settings)
    serve(app)
    answer = due(kind="refresh", count="1")
    assert answer["schedule"]["cron"] == "0 6 * * *"
    assert [each["local"][11:] for each in answer["times"]] == ["06:00:00+08:00"]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, ["cron"]),
        ({"cron": "0 6 1-7 * MON"}, ["cron"]),
        ({"cron": "0 6 30 2 *"}, ["cron"]),
        ({"cron": "x", "time_zone": "Mars/Base"}, ["cron", "time_zone"]),
        ({"kind": "hourly"}, ["kind"]),
        ({"kind": "off", "cron": "0 6 * * *"}, ["cron"]),
        ({"cron": "0 6 * * *", "count": "51"}, ["count"]),
        ({"cron": "0 6 * * *", "zone": "UTC"}, ["zone"]),
    ],
)
def test_what_is_wrong_is_told_by_parameter(params: dict[str, str], fields: list[str]) -> None:
    refused = ask("list_next_times", params=params)
    assert refused.status_code == 400
    assert [(each["field"], "pointer" in each) for each in told(refused)["errors"]] == [
        (name, False) for name in fields
    ]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("caller", ["otto", "newsletter-only"])
def test_everybody_with_a_role_may_ask(caller: str) -> None:
    assert due(caller, cron="0 6 * * *", count="1")["times"]
