"""One segment with its columns: seen by whom may export it, masked, and written down first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions import wiring
from shared.errors import StorageUnavailableError
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection

PEOPLE = (
    "CustomerId,EMail,Phone,Born,Points,Note,Sex\n"
    "9001,ada@example.com,+46 70 123 45 67,1984-02-29,3.5,everybody knows whom this is about,F\n"
    "9002,bo@example.com,+46701234568,1990-01-31,4,,M\n"
)


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save_connection(a_connection(users=("nora", "otto", "newsletter-only"), segments=("Customers",)))
    app.extracts.upsert("Customers/2026-11-01/Customers.csv", b"Old\n")
    app.extracts.upsert("Customers/2026-11-02/Customers.csv", PEOPLE.encode())
    app.extracts.upsert("Staff.csv", b"EMail\nboss@example.com\n")
    wiring.reading_extracts.cache_clear()
    return serve(app)


def shown(segment: str = "Customers", *, caller: str = "nora", **source: object) -> Any:  # noqa: ANN401 - an answer
    params = {"source": json.dumps(source)} if source else {}
    return ask("get_segment", caller=caller, params=params, segment=segment)


def columns(answer: Any) -> dict[str, tuple[str | None, list[str]]]:  # noqa: ANN401 - an answer
    return {each["name"]: (each["type"], each["samples"]) for each in told(answer)["columns"]}


def test_every_column_is_told_with_its_type_and_masked_values(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=11)
    answer = shown()
    assert columns(answer) == {
        "CustomerId": ("number", ["9***"]),
        "EMail": ("email", ["a***********", "b***********"]),
        "Phone": ("phone", ["+***********"]),
        "Born": ("date", ["1*********"]),
        "Points": ("number", ["*", "3**"]),
        "Note": ("text", ["e***********"]),
        "Sex": ("text", ["*"]),
    }
    segment = told(answer)
    assert (segment["segment"], segment["rows"], segment["problem"], segment["columns_problem"]) == (
        "Customers",
        2,
        None,
        None,
    )
    assert (segment["extract"]["version"], segment["extract"]["files"]) == ("2026-11-02", 1)
    assert [each["why"] for each in segment["extract"]["passed_over"]] == ["is older than what is read"]
    assert 7190 < segment["age_s"] <= 7200


@pytest.mark.usefixtures("app")
def test_what_one_may_not_export_looks_like_what_is_not_there() -> None:
    hidden, missing = shown("Staff"), shown("Nobody")
    assert (hidden.status_code, told(hidden)["detail"]) == (404, "There is no segment Staff.")
    assert (missing.status_code, told(missing)["detail"]) == (404, "There is no segment Nobody.")
    assert columns(shown("Staff", caller="admin")) == {"EMail": ("email", ["b***********"])}
    assert told(shown("Nobody", caller="admin")) | {"request_id": ""} == told(missing) | {"request_id": ""}
    assert shown(caller="otto").status_code == 403
    assert shown(caller="newsletter-only").status_code == 404
    assert shown("../Staff").status_code == 400


def test_a_connection_without_segments_opens_all(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)), "all")
    assert shown("Staff").status_code == 200


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("layout", ["Staff.{part}", "Staff{part}", "{part}", "{segment}{part}", "{part}{segment}"])
def test_a_layout_leads_to_no_other_segment(layout: str) -> None:
    refused = shown(layout=layout)
    assert (refused.status_code, [each["field"] for each in told(refused)["errors"]]) == (400, ["source.layout"])
    wish = {
        "name": "Sly",
        "connection": "main",
        "list_id": "11111111-2222-4333-8444-555555555555",
        "segments": ["Customers"],
        "mapping": {"email": "EMail"},
        "source": {"layout": layout},
    }
    for function in ("preview_draft", "put_export"):
        refused = ask(function, wish, caller="nora", id="sly")
        assert (refused.status_code, told(refused)["errors"][0]["pointer"]) == (400, "/source/layout"), function


@pytest.mark.usefixtures("app")
def test_it_is_found_and_read_as_an_export_would() -> None:
    found = told(shown(layout="{segment}/{date:%Y-%m-%d}/{segment}.csv", delimiter="semicolon", header="present"))
    assert [each["name"] for each in found["columns"]] == [PEOPLE.splitlines()[0]]
    nothing = told(shown(layout="elsewhere/{segment}.csv"))
    assert (nothing["extract"], nothing["columns"], nothing["problem"]["code"]) == (None, None, "extract_missing")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("source", "field"),
    [("{", "source"), ("[]", "source"), ('{"delimiter": "dot"}', "source.delimiter"), ('{"x": 1}', "source.x")],
)
def test_a_source_that_cannot_be_is_refused_by_the_name_of_its_member(source: str, field: str) -> None:
    refused = ask("get_segment", params={"source": source}, segment="Customers")
    assert (refused.status_code, [each["field"] for each in told(refused)["errors"]]) == (400, [field])


def test_reading_it_is_written_down_first(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown().status_code == 200
    (entry,) = told(ask("get_audit", params={"operation": "Segments.Get"}))["entries"]
    assert (entry["properties"]["segment"], entry["properties"]["callerObjectId"]) == ("Customers", "nora")
    assert "ada" not in json.dumps(entry)

    def away(*_: object, **__: object) -> None:
        raise StorageUnavailableError("away")

    monkeypatch.setattr(app.services.audit, "note_reading", away)
    assert shown().status_code == 503


@pytest.mark.parametrize("call", ["list_level", "get_range"])
def test_a_storage_that_is_away_is_said_so(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def away(*_: object, **__: object) -> None:
        raise StorageUnavailableError("away")

    monkeypatch.setattr(app.extracts, call, away)
    answer = shown()
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_a_file_replaced_meanwhile_is_asked_for_again(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    read = app.extracts.get_range

    def replaced(name: str, **told: Any) -> bytes:  # noqa: ANN401 - passed on
        app.extracts.upsert(name, b"Other\n")
        return read(name, **told)

    monkeypatch.setattr(app.extracts, "get_range", replaced)
    assert shown().status_code == 503


def test_what_is_wrong_with_its_files_is_told_in_its_place(app: InMemoryApp) -> None:
    app.extracts.upsert("Twice/north.csv", b"EMail\n")
    app.extracts.upsert("Twice/south.csv", b"EMail\n")
    app.extracts.upsert("Odd.parquet", b"EMail\n")
    app.extracts.upsert("Bare.csv", b"Ann,Smith\nBo,Jones\n")
    app.extracts.upsert("Empty.csv", b"")
    twice = told(shown("Twice", caller="admin"))
    assert (twice["extract"], twice["problem"]["code"]) == (None, "extract_ambiguous")
    for name, why in (("Odd", "is not Parquet"), ("Bare", "not shown"), ("Empty", "empty")):
        answer = shown(name, caller="admin")
        assert why in told(answer)["columns_problem"]
        assert "Ann" not in answer.get_body().decode()


def test_only_the_beginning_is_read(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.extracts.upsert("Long.csv", b"EMail\n" + 3_000_000 * b"x@example.com\n")
    asked: list[int] = []
    read = app.extracts.get_range

    def counted(name: str, *, offset: int, length: int, etag: str) -> bytes:
        asked.append(length)
        return read(name, offset=offset, length=length, etag=etag)

    monkeypatch.setattr(app.extracts, "get_range", counted)
    assert told(shown("Long", caller="admin"))["rows"] == 100
    assert sum(asked) < 13_000_000  # three blocks, of which two are read ahead


@pytest.mark.usefixtures("app")
def test_beyond_a_bound_the_extract_is_told_without_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.definitions.segment_details.SEGMENT_BYTES", 10)
    found = told(shown())
    assert (found["extract"]["version"], found["columns"]) == ("2026-11-02", None)
    assert "more to read" in found["columns_problem"]


@pytest.mark.usefixtures("app")
def test_a_few_are_served_at_a_time() -> None:
    gate = wiring.reading_extracts()
    with gate.entered("nora"), gate.entered("nora"):
        assert shown().status_code == 429
