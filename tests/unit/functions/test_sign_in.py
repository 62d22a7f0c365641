"""Who calls, and how one signs in."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from shared.access.policy import POLICY
from shared.model.roles import Role
from tests.support.entra import SETTINGS, bearing, the_entra, token_holders
from tests.support.factories import a_request, use_services
from tests.support.http_api import ask, serve, told
from tests.support.http_routes import http_routes
from tests.support.in_memory_app import InMemoryApp

NORA: Final = "0e0e0e0e-0000-4000-8000-000000000005"
RUN: Final = "20260302T093000Z-scheduled"
SEGMENT: Final = "HighValueCustomers"


@pytest.fixture
def app() -> InMemoryApp:
    return serve(InMemoryApp())


@pytest.mark.usefixtures("app")
def test_an_administrator_may_ask_for_all_there_is() -> None:
    me = told(ask("get_me"))
    assert me == {
        "id": "admin",
        "name": "admin",
        "kind": "key",
        "roles": ["Administrator"],
        "only_export": None,
        "operations": sorted(POLICY),
    }


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("caller", ["nora", "otto", "newsletter-only"])
def test_what_is_not_among_a_callers_operations_is_refused_or_not_there(caller: str) -> None:
    allowed = set(told(ask("get_me", caller=caller))["operations"])
    assert allowed
    for function in sorted(POLICY.keys() - allowed):
        body = {"connection": "main"} if function == "preview_draft" else b""
        answer = ask(function, body, caller=caller, run=RUN, segment=SEGMENT)
        assert answer.status_code in {403, 404}, function
    for function in sorted(allowed):
        assert ask(function, caller=caller, run=RUN, segment=SEGMENT).status_code != 403, function


@pytest.mark.usefixtures("app")
def test_a_key_knows_the_export_that_it_is_bound_to() -> None:
    me = told(ask("get_me", caller="newsletter-only"))
    assert me["only_export"] == "newsletter"
    assert {"get_export", "start_run"} <= set(me["operations"])
    assert not {"get_connection", "list_fields", "get_audit"} & set(me["operations"])


def test_a_person_is_told_their_roles_in_order(app: InMemoryApp) -> None:
    use_services(replace(app.services, authenticator=token_holders()))
    token = the_entra().person(NORA, Role.VIEWER, Role.OPERATOR)
    me = told(http_routes()["get_me"].function(a_request(headers=bearing(token))))
    assert (me["id"], me["kind"], me["roles"]) == (NORA, "person", ["Operator", "Viewer"])
    assert "start_run" in me["operations"]
    assert "put_export" not in me["operations"]


@pytest.mark.usefixtures("app")
def test_how_one_signs_in_is_told_to_everybody() -> None:
    answer = http_routes()["get_sign_in"].function(a_request())
    nothing = dict.fromkeys(("authority", "tenant_id", "client_id", "scope"))
    assert told(answer) == {"authentication": "keys", **nothing}


def test_a_token_is_asked_for_with_what_the_app_takes(app: InMemoryApp) -> None:
    settings = app.services.settings.model_copy(update={"authentication": SETTINGS})
    use_services(replace(app.services, settings=settings))
    assert told(http_routes()["get_sign_in"].function(a_request())) == {
        "authentication": "entra",
        "authority": SETTINGS.authority,
        "tenant_id": SETTINGS.tenant_id,
        "client_id": SETTINGS.client_id,
        "scope": f"{SETTINGS.client_id}/.default",
    }
