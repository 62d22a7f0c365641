"""PATCH: members of a definition are changed by RFC 7396; exports are duplicated."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from functions.merge_patch import merge
from functions.openapi import describe_api
from shared.definitions import manage
from shared.model.definitions import Off
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.save_connection(a_connection(users=("nora", "newsletter-only")))
    return serve(app)


def definition(export: str = "newsletter") -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("get_export", id=export))


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_rfc(target: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]) -> None:
    """https://www.rfc-editor.org/rfc/rfc7396#appendix-A, those whose target is an object."""
    assert merge(target, patch) == merged


@pytest.mark.usefixtures("app")
def test_an_export_is_disabled_and_nothing_else_changes() -> None:
    before = definition()
    changed = ask("patch_export", {"enabled": False})
    assert changed.status_code == 200
    assert {name for name, value in definition().items() if value != before[name]} == {
        *("enabled", "updated_at", "warnings")
    }
    assert changed.headers["ETag"] == ask("get_export").headers["ETag"]


@pytest.mark.usefixtures("app")
def test_null_takes_a_member_back_to_its_default() -> None:
    ask("patch_export", {"max_contacts": 7, "mapping": {"city": "City"}})
    assert (definition()["max_contacts"], definition()["mapping"]["city"]) == (7, "City")
    ask("patch_export", {"max_contacts": None, "mapping": {"city": None}})
    assert (definition()["max_contacts"] > 7, definition()["mapping"]["city"]) == (True, None)
    assert definition()["mapping"]["email"] == "EMail"


@pytest.mark.usefixtures("app")
def test_a_schedule_of_another_kind_takes_the_place_of_the_old_one() -> None:
    for schedule in ({"kind": "cron", "cron": "0 6 * * *"}, {"time_zone": "Europe/Stockholm"}, {"kind": "off"}):
        assert ask("patch_export", {"schedule": schedule}).status_code == 200
    assert definition()["schedule"] == {"kind": "off"}


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("version", ['"0x0"', None, "*"])
def test_another_version_than_was_read_is_not_changed(version: str | None) -> None:
    changed = ask("patch_export", {"enabled": False}, headers={"If-Match": version} if version else {})
    assert changed.status_code == (412 if version == '"0x0"' else 200)
    assert definition()["enabled"] is (changed.status_code == 412)


def test_what_somebody_saved_meanwhile_is_not_lost(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    read = manage.get_export

    def slow(*asked: Any) -> Any:  # noqa: ANN401
        found = read(*asked)
        app.save(name="Saved meanwhile")
        return found

    monkeypatch.setattr(manage, "get_export", slow)
    assert ask("patch_export", {"enabled": False}).status_code == 412


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/merge-patch+json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json-patch+json", 415),
        ("text/plain", 415),
    ],
)
def test_a_patch_is_a_merge_patch_or_just_json(media: str, status: int) -> None:
    answered = ask("patch_export", {"name": "New"}, headers={"Content-Type": media})
    assert answered.status_code == status
    if status == 415:
        assert told(answered)["code"] == "unsupported_media"


@pytest.mark.usefixtures("app")
def test_a_change_that_is_wrong_names_the_field() -> None:
    refused = ask("patch_export", {"mapping": {"email": None}, "maxcontacts": 1})
    assert refused.status_code == 400
    assert {error["pointer"] for error in told(refused)["errors"]} == {"/mapping/email", "/maxcontacts"}


@pytest.mark.usefixtures("app")
def test_a_connection_keeps_its_consent_and_who_gave_it() -> None:
    before = told(ask("get_connection", id="main"))
    changed = told(ask("patch_connection", {"display_name": "New"}, id="main"))
    assert (changed["display_name"], changed["consent"]) == ("New", before["consent"])
    assert told(ask("patch_connection", {"consent": None}, id="main"))["consent"] is None


# --- duplicates -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
def test_a_duplicate_is_the_same_but_for_its_name_and_schedule() -> None:
    made = ask("duplicate_export", {"id": "offers"}, caller="nora")
    assert made.status_code == 201
    own = ("id", "uid", "name", "schedule", "warnings", "last_run")
    first, second = (
        {k: v for k, v in definition(each).items() if k not in own} for each in ("newsletter", "offers")
    )
    times = ("created_at", "created_by", "updated_at", "updated_by")
    assert {k: v for k, v in first.items() if k not in times} == {
        k: v for k, v in second.items() if k not in times
    }
    assert (definition("offers")["name"], definition("offers")["schedule"]) == (
        "Copy of Newsletter",
        {"kind": "off"},
    )
    assert definition("offers")["uid"] != definition()["uid"]


def test_a_duplicate_has_the_name_it_is_given_or_one_that_fits(app: InMemoryApp) -> None:
    told(ask("duplicate_export", {"id": "offers", "name": "Offers"}))
    assert definition("offers")["name"] == "Offers"
    app.save(name="N" * 100)
    assert ask("duplicate_export", {"id": "more"}).status_code == 201
    assert len(definition("more")["name"]) == 100
    saved = manage.get_export(app.services, "more").document.definition
    assert saved.schedule == Off(kind="off")


@pytest.mark.usefixtures("app")
def test_a_duplicate_takes_no_others_place() -> None:
    refused = ask("duplicate_export", {"id": "newsletter"})
    assert (refused.status_code, told(refused)["code"]) == (409, "conflict")


@pytest.mark.usefixtures("app")
def test_a_duplicate_needs_an_id() -> None:
    refused = ask("duplicate_export")
    assert [error["field"] for error in told(refused)["errors"]] == ["id"]


@pytest.mark.usefixtures("app")
def test_a_key_of_one_export_makes_no_other() -> None:
    assert ask("duplicate_export", {"id": "offers"}, caller="newsletter-only").status_code == 403
    assert ask("get_export", id="offers").status_code == 404


def test_the_audit_log_finds_a_duplicate_by_either_export(app: InMemoryApp) -> None:
    assert ask("duplicate_export", {"id": "offers"}).status_code == 201
    for export in ("newsletter", "offers"):
        entries = told(ask("get_audit", params={"export": export, "operation": "Exports.Duplicate"}))["entries"]
        (ended,) = [each["properties"] for each in entries if each["resultType"] == "Success"]
        assert (ended["export"], ended["made"]) == ("newsletter", "offers")
    assert ask("duplicate_export", {"id": "offers"}).status_code == 409
    refused = told(ask("get_audit", params={"result": "ClientError"}))["entries"]
    assert ["made" in each["properties"] for each in refused] == [False]
    del app


# --- its schema -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "patch", "is_good"),
    [
        ("ExportDraft", {}, True),
        ("ExportDraft", {"enabled": False}, True),
        ("ExportDraft", {"connection": None}, True),
        ("ExportDraft", {"name": None}, False),
        ("ExportDraft", {"max_contacts": None, "schedule": None}, True),
        ("ExportDraft", {"mapping": {"city": None, "custom_fields": {"vip": None}}}, True),
        ("ExportDraft", {"mapping": {"email": None}}, False),
        ("ExportDraft", {"mapping": {"town": "City"}}, False),
        ("ExportDraft", {"schedule": {"cron": "0 6 * * *"}}, True),
        ("ExportDraft", {"schedule": {"kind": "off", "cron": "0 6 * * *"}}, False),
        ("ExportDraft", {"segments": []}, False),
        ("ConnectionDraft", {"consent": {"text": "Yes"}}, True),
        ("ConnectionDraft", {"consent": None, "users": None}, True),
        ("ConnectionDraft", {"secret_name": None}, False),
    ],
)
def test_a_patch_is_described_as_it_is_taken(name: str, patch: dict[str, Any], *, is_good: bool) -> None:
    schema = {"$ref": f"#/components/schemas/{name}Patch", "components": describe_api()["components"]}
    assert OAS31Validator(schema).is_valid(patch) == is_good


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("member", ["mapping", "schedule"])
def test_what_is_nested_too_deeply_is_refused(member: str) -> None:
    depth = 4_000
    body = f'{{"{member}": ' + '{"kind": ' * depth + "1" + "}" * (depth + 1)
    assert ask("patch_export", id="newsletter", body=body.encode()).status_code == 400
