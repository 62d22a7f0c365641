from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.model.definitions import Export, Identifier, OwnSchedule, RunId, SegmentName, TimeZone
from shared.model.reasons import RunStatus
from shared.model.runs import Counts
from tests.support.factories import (
    NOW,
    a_chunk,
    a_connection,
    a_delivery,
    a_plan,
    a_reason,
    a_result,
    a_run,
    an_accepted_range,
    an_export,
)

if TYPE_CHECKING:
    from shared.model.documents import Document

DOCUMENTS = [
    a_connection(),
    an_export(source={"format": "csv"}, schedule={"kind": "cron", "cron": "0 4 * * *"}),
    a_run(reason=a_reason()),
    a_plan(),
    a_delivery(accepted=(an_accepted_range(),), refused=(1, 2)),
    a_result(reason=a_reason()),
]
identifiers = TypeAdapter[str](Identifier)
TIME_ZONES = set(resources.files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
run_ids = TypeAdapter[str](RunId)
segments = TypeAdapter[str](SegmentName)


def accepts(adapter: TypeAdapter[str], value: str) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


# --- documents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_a_document_survives_the_store(document: Document) -> None:
    assert type(document).model_validate_json(document.model_dump_json(exclude_none=True)) == document


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_a_document_is_frozen(document: Document) -> None:
    name = next(iter(type(document).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(document, name, None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_a_document_of_a_newer_version_is_read(document: Document) -> None:
    newer = json.loads(document.model_dump_json()) | {"surprise": {"of": "a newer version"}}
    assert type(document).model_validate_json(json.dumps(newer)) == document


def test_no_validation_error_repeats_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        a_connection(secret_name="SG.no-name-but-a-key!")
    assert "no-name-but-a-key" not in str(caught.value)


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["a", "9", "loyal-customers", "a" * 63, "a--b"])
def test_an_identifier_is_lower_case_letters_digits_and_inner_hyphens(value: str) -> None:
    assert accepts(identifiers, value)


@pytest.mark.parametrize("value", ["", "-a", "a-", "A", "a_b", "a/b", "..", "a" * 64, "ä", "a\nb", "a.json"])
def test_anything_else_is_no_identifier(value: str) -> None:
    assert not accepts(identifiers, value)


@given(value=st.text())
def test_no_identifier_leaves_its_folder(value: str) -> None:
    assert not (accepts(identifiers, value) and set(value.strip()) & set("/\\.%?#"))


@pytest.mark.parametrize("value", ["20260302T063000Z-scheduled", "20260302T063000Z-0a1b2c3d"])
def test_a_run_id_is_a_time_and_a_word(value: str) -> None:
    assert accepts(run_ids, value)


@pytest.mark.parametrize(
    "value",
    ["", "20260302T063000Z", "20260302T063000Z-", "20260302-x", "20260302T063000Z-../x", "٢0260302T063000Z-x"],
)
def test_anything_else_is_no_run_id(value: str) -> None:
    assert not accepts(run_ids, value)


@pytest.mark.parametrize("value", ["Loyal", "Loyal customers 2026", "Ägare", "a.b-c_d", "x" * 127])
def test_a_segment_may_have_spaces_dots_and_letters_of_any_language(value: str) -> None:
    assert accepts(segments, value)


@pytest.mark.parametrize("value", ["", "..", "../x", "a/b", "a\\b", "x" * 128, "a\x00"])
def test_a_segment_is_no_path(value: str) -> None:
    assert not accepts(segments, value)


# --- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "known"),
    [
        *((name, True) for name in ("Europe/Stockholm", "UTC", "US/Eastern", "Etc/GMT+12")),
        *(
            (name, False)
            for name in ("CEST", "", "localtime", "Factory", "posixrules", "posix/UTC", "../etc/passwd")
        ),
    ],
)
def test_a_time_zone_is_one_of_iana(value: str, *, known: bool) -> None:
    assert accepts(TypeAdapter[str](TimeZone), value) is known


def test_every_time_zone_that_is_known_can_be_used_on_every_instance() -> None:
    for name in TIME_ZONES:
        assert accepts(TypeAdapter[str](TimeZone), name)
        ZoneInfo(name)


# --- lengths ------------------------------------------------------------------------------------------------

MANY = tuple(f"c{number}" for number in range(60_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"segments": MANY[:201]},
        {"schedule": {"kind": "cron", "cron": "0 4" + " " * 200 + "* * *"}},
        {"schedule": {"kind": "cron", "cron": ",".join(["0"] * 100_000) + " 4 * * *"}},
        {"schedule": {"kind": "cron", "cron": "0 4 * * *", "time_zone": "x" * 101}},
        {"source": {"nulls": MANY[:51]}},
        {"source": {"columns": MANY}},
        {"source": {"encoding": "x" * 101}},
        {"mapping": {"email": "EMail", "custom_fields": dict.fromkeys(MANY[:501], "x")}},
        {"mapping": {"email": "EMail", "over_long": dict.fromkeys(MANY[:551], "cut")}},
        {"mapping": {"email": "EMail", "over_long": {"x" * 101: "cut"}}},
        {"mapping": {"email": "EMail", "unusable": dict.fromkeys(MANY[:551], "drop")}},
        {"mapping": {"email": "EMail", "unusable": {"x" * 101: "drop"}}},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_lists_and_names_of_an_export_have_lengths(changes: dict[str, object]) -> None:
    document = an_export().model_dump(mode="json")
    with pytest.raises(ValidationError, match="at most"):
        Export.model_validate_json(json.dumps(document | changes))


def test_a_connection_is_shared_with_so_many_at_most() -> None:
    assert len(a_connection(users=MANY[:500]).users) == 500
    with pytest.raises(ValidationError, match="at most 500"):
        a_connection(users=MANY[:501])


def test_all_minutes_one_by_one_are_no_long_cron() -> None:
    minutes = ",".join(str(minute) for minute in range(60))
    schedule = an_export(schedule={"kind": "cron", "cron": f"{minutes} 4 * * *"}).schedule
    assert isinstance(schedule, OwnSchedule)


# --- exports and connections --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"segments": ()},
        {"segments": ("Loyal", "Loyal")},
        {"list_id": "not-a-uuid"},
        {"max_contacts": 0},
        {"max_contacts": "10"},
        {"enabled": "yes"},
        {"mapping": {}},
        {"mapping": {"email": "Email", "alternate_emails": ["a", "b", "c", "d", "e", "f"]}},
        {"mapping": {"email": "Email", "custom_fields": {"9lives": "Lives"}}},
        {"mapping": {"email": "Email", "over_long": {"city": "wrap"}}},
        {"schedule": {"kind": "cron"}},
        {"schedule": {"kind": "hourly"}},
        {"overlap": "queue"},
    ],
    ids=str,
)
def test_an_export_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        an_export(**changes)


def test_an_export_follows_the_refresh_unless_told_otherwise() -> None:
    assert an_export().schedule.kind == "refresh"


def test_mapped_fields_come_with_the_address_first() -> None:
    mapping = {"city": "Town", "email": "Mail", "alternate_emails": ["Work"], "custom_fields": {"vip": "Vip"}}
    assert list(an_export(mapping=mapping).mapping.reserved().items()) == [("email", "Mail"), ("city", "Town")]


@pytest.mark.parametrize("changes", [{"secret_name": "a b"}, {"region": "us"}, {"users": ("a", "a")}], ids=str)
def test_a_connection_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_connection(**changes)


def test_consent_is_given_at_a_moment_with_a_zone() -> None:
    consent = {"given_by": "DPO", "given_at": NOW.replace(tzinfo=None), "text": "Agreed."}
    with pytest.raises(ValidationError, match="timezone"):
        a_connection(consent=consent)


# --- runs ---------------------------------------------------------------------------------------------------


def test_five_statuses_are_terminal() -> None:
    assert [status for status in RunStatus if status.is_terminal] == [
        RunStatus.SUCCEEDED,
        RunStatus.COMPLETED_WITH_WARNINGS,
        RunStatus.FAILED,
        RunStatus.SKIPPED,
        RunStatus.CANCELLED,
    ]


outcomes = st.fixed_dictionaries(dict.fromkeys(("sent", "duplicate", "not_sent"), st.integers(0, 50)))
reasons = st.dictionaries(st.sampled_from(["no_email", "bad_email"]), st.integers(0, 50))


@given(outcome=outcomes, by_reason=reasons, wrong=st.integers(-2, 2))
def test_counts_add_up_when_every_row_has_one_outcome(
    outcome: dict[str, int], by_reason: dict[str, int], wrong: int
) -> None:
    rejected = sum(by_reason.values())
    rows = sum(outcome.values()) + rejected + wrong
    counts = Counts(rows_read=rows, rejected=rejected, rejected_by_reason=by_reason, **outcome)
    assert counts.adds_up == (wrong == 0)


def test_counts_do_not_add_up_when_a_rejection_has_no_reason() -> None:
    assert not Counts(rows_read=1, rejected=1).adds_up


def test_chunks_are_numbered_from_one() -> None:
    plan = a_plan(chunks=(a_chunk(1), a_chunk(2)))
    assert [plan.chunk(number).number for number in (1, 2)] == [1, 2]


def test_object_ids_of_users_are_kept_as_callers_are_known_by_them() -> None:
    object_id = "AAAAAAAA-0000-4000-8000-00000000000A"
    assert a_connection(users=(object_id, "Crm")).users == (object_id.lower(), "Crm")
    with pytest.raises(ValidationError):
        a_connection(users=(object_id, object_id.lower()))
