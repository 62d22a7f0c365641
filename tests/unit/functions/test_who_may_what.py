"""Every HTTP function, tried by every role in every relation to the connection it is about, with real tokens."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from shared.access.callers import Relation
from shared.access.policy import POLICY
from shared.audit.denials import Denials
from shared.model.definitions import Connection, Export, Saved
from shared.model.roles import Role
from shared.notifications.targets import put_target
from shared.storage.layout import connection_blob, export_blob
from tests.support.entra import bearing, the_entra, token_holders
from tests.support.factories import a_caller, a_draft, a_request, an_actor, use_services
from tests.support.fake_receiver import a_target
from tests.support.http_routes import http_routes
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    import azure.functions as func

    from shared.model.documents import Document

SECURITY: Final = Path(__file__).parents[3] / "docs" / "security.md"
NORA: Final = "0e0e0e0e-0000-4000-8000-000000000005"
OPEN: Final = {
    *("get_console", "get_docs", "get_docs_script", "get_docs_style"),
    *("get_health", "get_openapi", "get_reasons", "get_sign_in"),
}
"""Those who ask for nobody."""
LISTS: Final = {"list_connections", "list_exports", "list_segments", "list_all_runs"}
"""Those who answer everybody with a role, by what they may see."""
USUAL: Final = {"connections": "main", "notifications": "operations"}
"""What is asked for where it is not an export."""
FIXED: Final = {"duplicate_export": {"id": "newsletter-2"}, "put_connection_key": {"key": "SG.key"}}
"""Bodies that are always the same."""
ROLES: Final = (*Role, None)


FUNCTIONS: Final = http_routes()
ASKED: Final = sorted(FUNCTIONS.keys() - OPEN)


class World:
    """An app with a connection, an export, and a run that is over and has rejected rows."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.app.services = replace(self.app.services, authenticator=token_holders())
        self.app.save()
        self.app.deliver_extract([*people(3), ("no address", "Nobody")])
        self.run = self.app.run_to_its_end().id
        admin = a_caller(Role.ADMINISTRATOR)
        put_target(self.app.services, "operations", a_target(), caller=admin, etag=None)
        self._at_first = dict(self.app.blobs._stored)

    def relate(self, relation: Relation) -> None:
        """Go back to how it was at first, and let Nora stand so to the connection."""
        self.app.blobs._stored = dict(self._at_first)
        maker = an_actor(NORA if relation is Relation.OWN else "admin")
        users = (NORA,) if relation is Relation.SHARED else ()
        self._change(connection_blob("main"), Saved[Connection], created_by=maker)
        saved = self.app.services.store.get(connection_blob("main"), Saved[Connection]).document
        definition = saved.definition.model_copy(update={"users": users})
        self._change(connection_blob("main"), Saved[Connection], definition=definition)
        use_services(self.app.services)

    def _change[D: Document](self, name: str, kind: type[D], **changes: object) -> None:
        self.app.services.store.update(name, kind, lambda document: document.model_copy(update=changes))

    def ask(self, function: str, token: str | None, **route: str) -> func.HttpResponse:
        asked = FUNCTIONS[function]
        usual = {"id": USUAL.get(asked.path.split("/")[1], "newsletter"), "run": self.run, "segment": "Customers"}
        return asked.function(
            a_request(
                self._body(function),
                method=asked.method,
                headers=bearing(token) if token else {},
                route_params={name: (usual | route)[name] for name in asked.parameters},
                params={"cron": "0 6 * * *"} if function == "list_next_times" else {},
            )
        )

    def _body(self, function: str) -> Any:  # noqa: ANN401 - any body
        if function in FIXED:
            return FIXED[function]
        if function.startswith("patch_"):
            return {}
        if function == "put_connection":
            return a_draft().model_dump(mode="json")
        if function == "put_notification":
            return a_target().model_dump(mode="json")
        if function in {"put_export", "preview_draft"}:
            saved = self.app.services.store.get(export_blob("newsletter"), Saved[Export]).document
            return saved.definition.model_dump(mode="json")
        return b""


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def token_of(role: Role | None, **claims: object) -> str:
    return the_entra().person(NORA, *([role] if role else []), **claims)


def test_every_function_has_a_rule_and_every_rule_a_function() -> None:
    assert set(ASKED) == set(POLICY)


@pytest.mark.parametrize("function", ASKED)
def test_without_a_token_nothing_is_answered(world: World, function: str) -> None:
    world.relate(Relation.OWN)
    answer = world.ask(function, None)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("function", ASKED)
def test_who_may_what_is_what_the_table_says(
    world: World, function: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The table of docs/security.md, which people read, is what is tried here."""
    caplog.set_level(logging.WARNING, logger="sendgrid_export")
    said = documented()[function]
    for role, relation in itertools.product(ROLES, Relation):
        world.relate(relation)
        caplog.clear()
        answer = world.ask(function, token_of(role))
        is_denied = "event=access_denied" in caplog.text
        world.app.services.audit._denials = Denials()  # the next one is not folded into this one
        allowed = said[role] if role else set()
        if function in LISTS and allowed:
            listed, *_ = members_of(answer)
            assert bool(listed) == (relation in allowed), (role, relation)
            continue
        assert is_denied == (relation not in allowed), (role, relation, answer.status_code)
        if is_denied:
            assert answer.status_code == (404 if allowed else 403), (role, relation)
            assert f"operation={POLICY[function].operation} status={answer.status_code} " in caplog.text
            assert f"caller={NORA} " in caplog.text
        else:
            assert answer.status_code in {200, 201, 202, 204, 404, 409}, answer.get_body()


@pytest.mark.parametrize("function", [name for name in ASKED if "id" in FUNCTIONS[name].parameters])
def test_what_one_may_not_see_looks_like_what_is_not_there(world: World, function: str) -> None:
    if (
        function in {"put_connection", "patch_connection", "delete_connection", "put_connection_key"}
        or "notification" in function
    ):
        pytest.skip("administrators see all of them, and others are refused whatever is there")
    token = token_of(Role.CONTRIBUTOR)
    world.relate(Relation.FOREIGN)
    hidden = world.ask(function, token)
    if function != "put_export":  # which makes what is not there, through a connection of one's own
        missing = world.ask(function, token, id="no-such")
        names = r"newsletter|main|no-such|[0-9a-f]{16}"
        texts = [re.sub(names, "it", answer.get_body().decode()) for answer in (hidden, missing)]
        assert texts[0] == texts[1]
        assert missing.status_code == 404
    assert hidden.status_code == 404


def test_others_than_administrators_see_of_a_connection_its_name_and_type(world: World) -> None:
    world.relate(Relation.SHARED)
    shown = world.ask("get_connection", token_of(Role.CONTRIBUTOR))
    assert members_of(shown) == ["main", "Main account", "SendGrid"]


def members_of(answer: func.HttpResponse) -> list[Any]:
    return list(json.loads(answer.get_body()).values())


# --- the table in the documents --------------------------------------------------------------------------------


def documented() -> dict[str, dict[Role, set[Relation]]]:
    """The table of docs/security.md: of each function, to which connections each role may do it."""
    text = SECURITY.read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    found: dict[str, dict[Role, set[Relation]]] = defaultdict(dict)
    for row in rows:
        if len(row) != len(Role) + 2:
            continue
        function = row[0].strip(" `")
        for role, cell in zip(Role, row[2:], strict=True):
            found[function][role] = {Relation(word) for word in re.findall(r"own|shared|foreign", cell)}
    return found


def test_the_documents_show_the_table() -> None:
    assert documented() == {
        function: {role: set(rule.relations.get(role, ())) for role in Role} for function, rule in POLICY.items()
    }
