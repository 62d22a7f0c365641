"""Connections and exports are brought to what files say, against the app in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tools.exports.definitions import Kind
from tools.exports.files import read_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.tools.exports.conftest import Tool


@pytest.fixture
def applied(tool: Tool) -> Tool:
    """A tool whose files the app is as."""
    tool.write_both()
    assert tool.run("apply") == 0
    return tool


# --- plan ---------------------------------------------------------------------------------------------------


def test_a_plan_creates_what_is_missing_and_changes_nothing(tool: Tool) -> None:
    tool.write_both()
    assert tool.run("plan") == 2
    assert tool.actions() == {"connection/marketing": "create", "export/newsletter": "create"}
    assert tool.ask("GET", "/api/exports").json()["exports"] == []


def test_after_apply_nothing_is_left_to_do(applied: Tool) -> None:
    assert applied.run("plan") == 0
    assert applied.actions() == {"connection/marketing": "none", "export/newsletter": "none"}


def test_a_notification_target_is_a_file_like_the_others(
    applied: Tool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = "name: Operations\nurl: https://hooks.example/told\nevents: [run.warned]\nsecret_name: signing\n"
    path = applied.write("notifications/ops.yaml", target)
    assert applied.actions()["notification/ops"] == "create"
    assert applied.told("apply")["applied"] == ["notification/ops"]
    assert applied.ask("GET", "/api/notifications/ops").json()["events"] == ["run.warned"]
    path.write_text(target.replace("run.warned", "run.ended"))
    assert applied.actions()["notification/ops"] == "change"
    assert applied.run("apply") == 0
    applied.folder = tmp_path_factory.mktemp("exported")
    assert applied.run("export") == 0
    assert "run.ended" in (applied.folder / "notifications/ops.yaml").read_text()
    assert set(applied.actions().values()) == {"none"}


def test_a_plan_shows_each_member_that_differs_and_no_other(applied: Tool) -> None:
    text = (applied.folder / "exports/newsletter.yaml").read_text()
    changed = text.replace("shoe: Shoe", "shoe: ShoeSize").replace("kind: off", "kind: refresh")
    applied.write("exports/newsletter.yaml", changed + "max_contacts: 5\n")
    (step,) = [each for each in applied.told("plan")["steps"] if each["action"] == "change"]
    assert step["differences"] == [
        {"pointer": "/mapping/custom_fields/shoe", "before": "Shoe", "after": "ShoeSize"},
        {"pointer": "/max_contacts", "before": 100_000, "after": 5},
        {"pointer": "/schedule/kind", "before": "off", "after": "refresh"},
    ]
    assert applied.run("plan") == 2
    assert "    /max_contacts: 100000 → 5" in applied.out.splitlines()


def test_what_is_in_no_file_is_told_and_left_alone(applied: Tool) -> None:
    (applied.folder / "exports/newsletter.yaml").unlink()
    assert applied.run("plan") == 0
    assert "? export newsletter: in no file, and left alone" in applied.out.splitlines()
    assert applied.run("apply") == 0
    assert applied.ask("GET", "/api/exports/newsletter").status_code == 200


def test_what_is_in_no_file_is_deleted_when_that_is_asked_for_exports_first(applied: Tool) -> None:
    for name in ("exports/newsletter.yaml", "connections/marketing.yaml"):
        (applied.folder / name).unlink()
    assert applied.run("plan", "--delete") == 2
    assert applied.told("apply", "--delete")["applied"] == ["export/newsletter", "connection/marketing"]
    assert applied.ask("GET", "/api/connections").json() == {"connections": []}


# --- apply --------------------------------------------------------------------------------------------------


def test_new_ones_are_only_created_and_changes_are_of_the_version_that_was_read(applied: Tool) -> None:
    created = [request for request in applied.transport.requests if request.method == "PUT"]  # type: ignore[attr-defined] # of InMemoryTransport
    assert [request.url.path for request in created] == [
        "/api/connections/marketing",
        "/api/exports/newsletter",
    ]
    assert [request.headers["If-None-Match"] for request in created] == ["*", "*"]
    etag = applied.ask("GET", "/api/exports/newsletter").headers["ETag"]
    applied.write(
        "exports/newsletter.yaml", (applied.folder / "exports/newsletter.yaml").read_text() + "leavers: remove\n"
    )
    assert applied.run("apply") == 0
    (changed,) = [request for request in applied.transport.requests if request.method == "PUT"][2:]  # type: ignore[attr-defined] # of InMemoryTransport
    assert changed.headers["If-Match"] == etag
    assert applied.ask("GET", "/api/exports/newsletter").json()["leavers"] == "remove"


def test_what_was_changed_meanwhile_is_not_overwritten(applied: Tool) -> None:
    path = applied.write("connections/marketing.yaml", "display_name: Mine\nsecret_name: sendgrid-key\n")
    theirs = {"display_name": "Theirs", "secret_name": "sendgrid-key"}
    applied.transport = _Before("PUT", lambda: applied.ask("PUT", "/api/connections/marketing", theirs))
    assert applied.run("apply") == 1
    assert f"{path}: connection marketing was changed since it was read; plan anew and look" in applied.err
    assert applied.ask("GET", "/api/connections/marketing").json()["display_name"] == "Theirs"


def test_the_first_refusal_ends_it_and_is_told_by_file_line_and_member(tool: Tool) -> None:
    tool.write_both()
    (tool.folder / "connections/marketing.yaml").unlink()
    path = tool.folder / "exports/newsletter.yaml"
    tool.write("exports/zulu.yaml", path.read_text())
    told = tool.told("apply")
    assert told["applied"] == []
    assert told["error"]["faults"] == [
        {"file": str(path), "line": 2, "field": "connection", "message": "names no connection; create it first"}
    ]
    assert tool.run("apply") == 1
    assert f"{path}:2: connection: names no connection; create it first" in tool.err
    assert "zulu" not in tool.err


# --- export -------------------------------------------------------------------------------------------------


def test_what_is_exported_needs_no_change(applied: Tool) -> None:
    before = applied.ask("GET", "/api/connections/marketing").json()
    for path in applied.folder.glob("*/*.yaml"):
        path.unlink()
    assert applied.run("export") == 0
    assert applied.actions() == {"connection/marketing": "none", "export/newsletter": "none"}
    text = (applied.folder / "connections/marketing.yaml").read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=../schemas/connection.schema.json"
    assert (applied.folder / "schemas/connection.schema.json").is_file()
    assert before["consent"]["given_by"]["id"] not in text
    assert "given_at" not in text


def test_an_export_is_detached_by_a_file_and_exported_so(applied: Tool) -> None:
    path = applied.folder / "exports/newsletter.yaml"
    path.write_text(path.read_text().replace("connection: marketing", "connection: null"))
    assert applied.run("apply") == 0
    assert applied.ask("GET", "/api/exports/newsletter").json()["connection"] is None
    path.unlink()
    assert applied.run("export") == 0
    assert "connection: null" in path.read_text()
    assert applied.actions() == {"connection/marketing": "none", "export/newsletter": "none"}
    path.write_text(path.read_text().replace("connection: null\n", ""))
    assert applied.run("plan") == 1
    assert "connection: is missing" in applied.err


def test_a_file_that_says_the_same_keeps_its_form(applied: Tool) -> None:
    path = applied.write(
        "exports/newsletter.yaml", "# Why\n" + (applied.folder / "exports/newsletter.yaml").read_text()
    )
    assert applied.told("export")["written"] == []
    assert path.read_text().startswith("# Why\n")
    applied.ask("PUT", "/api/connections/marketing", {"display_name": "New", "secret_name": "sendgrid-key"})
    assert applied.told("export")["written"] == [str(applied.folder / "connections/marketing.yaml")]


def test_consents_stay_with_who_gave_them(applied: Tool) -> None:
    before = applied.ask("GET", "/api/connections/marketing").json()["consent"]
    path = applied.folder / "connections/marketing.yaml"
    path.write_text(path.read_text().replace("Marketing", "Sales"))
    assert applied.run("apply") == 0
    assert applied.ask("GET", "/api/connections/marketing").json()["consent"] == before


# --- who calls, and where -----------------------------------------------------------------------------------


def test_without_a_key_it_says_which_variables_to_set(tool: Tool) -> None:
    tool.write_both()
    for environment in ({}, {"SENDGRID_EXPORTS_KEY": "a", "SENDGRID_EXPORTS_TOKEN": "b"}):
        tool.environment = environment
        assert tool.run("plan") == 1
        assert "SENDGRID_EXPORTS_KEY" in tool.err
        assert "SENDGRID_EXPORTS_TOKEN" in tool.err


def test_a_token_is_sent_as_a_bearer_token(tool: Tool) -> None:
    seen: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401, json={"code": "unauthenticated", "detail": "Send a token."})

    tool.write_both()
    tool.environment = {"SENDGRID_EXPORTS_TOKEN": "e30.e30.x"}
    tool.transport = httpx.MockTransport(refuse)
    assert tool.run("plan") == 1
    assert seen[0].headers["Authorization"] == "Bearer e30.e30.x"
    assert "401 unauthenticated: Send a token." in tool.err


@pytest.mark.parametrize("url", ["http://app.example", "ftp://app.example", "app.example", "https://a:x", ""])
def test_a_key_goes_to_https_only(tool: Tool, url: str) -> None:
    tool.write_both()
    tool.transport = httpx.MockTransport(lambda _request: pytest.fail("it was asked"))
    assert tool.run("plan", url=url) == 1
    assert "--url" in tool.err


def test_the_address_may_stand_in_the_environment(tool: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    from tools.exports.command import main

    tool.write_both()
    environment = tool.environment | {"SENDGRID_EXPORTS_URL": "https://app.example"}
    assert main(["plan", str(tool.folder)], environment, tool.transport) == 2
    assert capsys.readouterr().err == ""


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_unreachable, "the app does not answer (ConnectError)"),
        (lambda _request: httpx.Response(503, text="down"), "503"),
        (lambda _request: httpx.Response(200, text="<html>"), "what answers there is not this app"),
        (lambda _request: httpx.Response(200, json=[]), "what answers there is not this app"),
        (
            lambda _request: httpx.Response(200, json={"display_name": "a", "secret_name": "a", "colour": "red"}),
            "the app has what this tool does not know (colour)",
        ),
    ],
)
def test_what_answers_otherwise_is_told_without_the_key(
    tool: Tool, answer: Callable[[httpx.Request], httpx.Response], said: str
) -> None:
    tool.write_both()
    tool.transport = httpx.MockTransport(answer)
    assert tool.run("plan") == 1
    assert said in tool.err
    assert "admin." not in tool.err
    assert said in tool.told("plan")["error"]["message"]


def test_who_sees_but_the_names_of_connections_is_told_so(applied: Tool) -> None:
    connection = {
        "display_name": "Marketing",
        "secret_name": "sendgrid-key",
        "consent": {"text": "I agree."},
        "users": ["nora"],
    }
    assert applied.ask("PUT", "/api/connections/marketing", connection).status_code == 200
    applied.environment = {"SENDGRID_EXPORTS_KEY": "nora." + "0" * 64}
    assert applied.run("plan") == 1
    assert "only administrators see what a connection is" in applied.err
    (applied.folder / "connections/marketing.yaml").unlink()
    assert applied.actions() == {"export/newsletter": "none", "connection/marketing": "drift"}


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("exports/a.yaml", "name: A\nmapping:\n  e_mail: EMail\n", ":3: mapping.e_mail: is not known"),
        ("exports/a.yaml", "name: A\nmapping:\n  first_name: F\n", ":3: mapping.email: is missing"),
        ("exports/a.yaml", "name: A\nsegments: [x,\n  '/']\n", ":3: segments.1: must be the name of a segment"),
        ("exports/a.yaml", "name: A\nname: B\n", ":2: name is there twice"),
        ("exports/a.yaml", "name: {\n", ":2: "),
        ("exports/a.yaml", "", ": is empty"),
        ("exports/a.yaml", "- a\n", ": must hold a mapping"),
        ("exports/A_b.yaml", "name: A\n", ": the name of the file is the id"),
        ("connections/a.yaml", "display_name: A\nsecret_name: s\nid: a\n", ":3: id: is not known"),
        ("connections/a.yaml", "display_name: 2026-01-01\nsecret_name: 5\n", ":2: secret_name: must be text"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_by_line_and_member(tool: Tool, name: str, text: str, said: str) -> None:
    path = tool.write(name, text)
    assert tool.run("plan") == 1
    assert f"{path}{said}" in tool.err


def test_two_files_of_one_id_are_refused(tool: Tool) -> None:
    tool.write_both()
    tool.write("exports/newsletter.yml", (tool.folder / "exports/newsletter.yaml").read_text())
    assert tool.run("plan") == 1
    assert "there is another file of export newsletter" in tool.err


def test_a_folder_without_definitions_is_told(tool: Tool) -> None:
    assert tool.run("plan") == 1
    assert "has no folder connections, exports or notifications" in tool.err


def test_words_that_older_yaml_takes_for_something_else_are_texts(tool: Tool) -> None:
    tool.write_both()
    text = (tool.folder / "exports/newsletter.yaml").read_text()
    tool.write(
        "exports/newsletter.yaml", text.replace("EMail", "yes").replace("name: Newsletter", "name: 2026-01-01")
    )
    (file,) = [file for file in read_folder(tool.folder) if file.kind is Kind.EXPORT]
    assert file.complete["schedule"] == {"kind": "off"}
    assert file.complete["mapping"]["email"] == "yes"
    assert file.complete["name"] == "2026-01-01"


class _Before(httpx.BaseTransport):
    """Does something right before the first request of a method arrives."""

    def __init__(self, method: str, act: Callable[[], object]) -> None:
        from tests.support.http_in_memory import InMemoryTransport

        self._inner, self._method, self._act = InMemoryTransport(), method, act

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == self._method:
            self._act()
        return self._inner.handle_request(request)
