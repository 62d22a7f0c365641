"""What will hinder an export is told as it is saved, and never keeps it from being saved."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from functions import wiring
from shared.errors import TransientError
from shared.runs import save_check
from tests.support.fake_sendgrid import LIST_ID, answer
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    import azure.functions as func

WISH: dict[str, Any] = {
    "name": "Offers",
    "connection": "main",
    "list_id": str(LIST_ID),
    "segments": ["Customers"],
    "mapping": {"email": "EMail", "first_name": "FirstName"},
    "schedule": {"kind": "off"},
}


@pytest.fixture
def app() -> Iterator[InMemoryApp]:
    app = InMemoryApp()
    app.save_connection(a_connection(users=("nora",)))
    app.deliver_extract(people(3))
    wiring.reading_extracts.cache_clear()
    yield serve(app)
    wiring.reading_extracts.cache_clear()


def save(params: dict[str, str] | None = None, **changes: Any) -> func.HttpResponse:  # noqa: ANN401 - a definition's fields
    return ask("put_export", WISH | changes, id="offers", params=params or {})


def codes(response: func.HttpResponse) -> list[str]:
    """Of the warnings that saving told."""
    assert response.status_code in {200, 201}, response.get_body()
    return [warning["code"] for warning in told(response)["warnings"]]


def test_an_export_that_will_run_has_no_warning(app: InMemoryApp) -> None:
    assert codes(save()) == []
    assert app.sendgrid.requests > 0


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("changes", "code", "names"),
    [
        ({"segments": ["Nobody"]}, "extract_missing", "Nobody"),
        ({"mapping": {"email": "Address"}}, "column_missing", "Address"),
        ({"mapping": {"email": "EMail", "city": "Town"}}, "column_missing", "Town"),
        ({"list_id": "00000000-2222-4333-8444-555555555555"}, "list_missing", "list"),
        ({"mapping": {"email": "EMail", "custom_fields": {"shoe": "FirstName"}}}, "custom_field_missing", "shoe"),
        ({"schedule": {"kind": "refresh"}}, "refresh_off", "refresh"),
        ({"enabled": False}, "export_disabled", "disabled"),
    ],
)
def test_what_will_hinder_it_is_told(changes: dict[str, Any], code: str, names: str) -> None:
    saved = save(**changes)
    assert codes(saved) == [code]
    assert names in told(saved)["warnings"][0]["message"]


def test_columns_of_custom_fields_are_looked_at_too(app: InMemoryApp) -> None:
    app.sendgrid.custom_fields = [{"id": "e1_T", "name": "shoe", "field_type": "Text"}]
    assert codes(save(mapping={"email": "EMail", "custom_fields": {"shoe": "Size"}})) == ["column_missing"]


def test_each_segment_is_looked_at(app: InMemoryApp) -> None:
    app.extracts.upsert("Guests.csv", b"EMail,Town\ng@example.com,Lund\n")
    app.extracts.upsert("Staff.csv", b"EMail,Street\ns@example.com,A\n")
    saved = save(segments=["Customers", "Guests", "Nobody", "Staff"])
    assert codes(saved) == ["column_missing", "extract_missing", "column_missing"]
    for warning, name in zip(told(saved)["warnings"], ["Guests.csv", "Nobody", "Staff.csv"], strict=True):
        assert name in warning["message"]
    assert codes(save(segments=["Customers", "Guests"], mapping={"email": "EMail"})) == []


def test_what_was_found_before_a_look_fails_is_told(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise TransientError("storage is away")

    monkeypatch.setattr(save_check, "_look_at", away)
    assert codes(save(segments=["Nobody", "Customers"])) == ["extract_missing", "not_checked"]
    assert app.sendgrid.requests > 0


@pytest.mark.usefixtures("app")
def test_all_that_is_found_is_told_and_by_a_change_as_well() -> None:
    assert codes(save(segments=["Nobody"], list_id="00000000-2222-4333-8444-555555555555")) == [
        "extract_missing",
        "list_missing",
    ]
    assert codes(ask("patch_export", {"segments": ["Customers"]}, id="offers")) == ["list_missing"]


def test_nothing_is_looked_at_where_the_caller_says_so(app: InMemoryApp) -> None:
    assert codes(save({"check": "false"}, segments=["Nobody"])) == []
    assert app.sendgrid.requests == 0
    assert save({"check": "no"}).status_code == 400


def test_nothing_is_read_without_consent(app: InMemoryApp) -> None:
    app.save_connection(a_connection(consent=None))
    assert codes(save(segments=["Nobody"])) == ["consent_missing"]
    assert app.sendgrid.requests == 0


def test_a_sendgrid_that_is_away_keeps_nothing_from_being_saved(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda _request, _number: answer(503, {})
    assert codes(save()) == ["not_checked"]
    assert ask("get_export", id="offers").status_code == 200


def test_who_does_not_answer_in_time_is_not_waited_for(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(save_check, "SAVE_CHECK_SECONDS", 0.2)
    answered = threading.Event()
    monkeypatch.setattr(save_check, "_check_sendgrid", lambda _services, _job: answered.wait(30))
    monkeypatch.setattr(save_check, "_check_extracts", lambda _services, _job: ())
    try:
        assert codes(save()) == ["not_checked"]
    finally:
        answered.set()
    assert app.services.settings.refresh is None


def test_a_fault_of_our_own_keeps_nothing_from_being_saved_and_tells_nobody(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_services: object, _job: object) -> None:
        raise ZeroDivisionError("ada@example.com")

    monkeypatch.setattr(save_check, "_check_extracts", broken)
    saved = save()
    assert codes(saved) == ["not_checked"]
    assert "error=ZeroDivisionError" in caplog.text
    assert "ada@" not in caplog.text + saved.get_body().decode()
    assert app.queues.waiting == []


def test_where_many_read_extracts_nothing_is_looked_at(app: InMemoryApp) -> None:
    gate = wiring.reading_extracts()
    with gate.entered("admin"), gate.entered("admin"):
        assert codes(save()) == ["not_checked", "not_checked"]
    assert app.sendgrid.requests == 0


def test_what_is_found_is_stored_nowhere(app: InMemoryApp) -> None:
    save(segments=["Nobody"])
    assert b"extract_missing" not in b"".join(app.blobs.get(name).data for name in app.names())
    assert told(ask("get_export", id="offers"))["warnings"] == []


def test_looks_that_never_end_do_not_become_more_and_more(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    del app
    over = threading.Event()
    monkeypatch.setattr(save_check, "SAVE_CHECK_SECONDS", 0.05)
    monkeypatch.setattr(save_check, "_check_sendgrid", lambda *_args: over.wait(10))
    try:
        for _ in range(2 * save_check.THREADS):
            assert "not_checked" in codes(save())
        at_it = [each for each in threading.enumerate() if each.name.startswith("save-check")]
        assert len(at_it) <= save_check.THREADS
    finally:
        over.set()
