"""The API key of a connection: looked at, stored in the one secret, and nowhere else."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.bodies import validate
from shared.access.callers import Caller, CallerKind
from shared.definitions.key import NewKey
from shared.errors import InvalidInputError, KeyNotWritableError, SecretDeletedError
from shared.key_vault import Secrets
from shared.limits import KEY_LIFETIME, KEY_MAX
from shared.model.roles import Role
from shared.notifications.targets import put_target
from shared.sendgrid.api import Response
from tests.support.fake_receiver import a_target
from tests.support.fake_sendgrid import KEY
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    import azure.functions as func
    from pydantic import SecretStr

NEW = "SG.second-key"
SECRET = "sendgrid-key"


def allow(app: InMemoryApp, *secrets: str) -> InMemoryApp:
    settings = app.services.settings.model_copy(update={"secret_writers": secrets})
    app.services = replace(app.services, settings=settings)
    return serve(app)


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(2))
    app.sendgrid.keys.add(NEW)
    return allow(app, SECRET)


def put(key: object = NEW, *, caller: str = "admin", **headers: str) -> func.HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask("put_connection_key", {"key": key}, id="main", caller=caller, headers=named)


def refused(response: func.HttpResponse) -> tuple[int, str]:
    return response.status_code, told(response)["code"]


def everything(app: InMemoryApp) -> str:
    """All that is kept: state, queues and audit log."""
    blobs = [*app.blobs._stored.values(), *app.audit_blobs._stored.values()]
    return repr(blobs) + repr(app.queues.waiting)


# --- it is stored ---------------------------------------------------------------------------------------------


def test_a_key_that_sendgrid_takes_is_stored(app: InMemoryApp) -> None:
    stored = put(f"  {NEW}\n")
    assert (stored.status_code, told(stored)) == (
        200,
        {"key_accepted": True, "consent_given": True, "secret_name": SECRET, "version": "version-2"},
    )
    assert app.vault.secrets == {SECRET: NEW}


def test_the_next_use_takes_the_new_key(app: InMemoryApp) -> None:
    assert ask("check_connection", id="main").status_code == 200
    assert put().status_code == 200
    app.sendgrid.keys = {NEW}
    assert app.run_to_its_end().status == "succeeded"
    assert app.vault.reads == 1  # the old one was neither used nor refused: that would have had it read again


def test_another_instance_takes_it_when_its_memory_of_the_old_one_ends(app: InMemoryApp) -> None:
    other = Secrets(app.vault, app.clock)
    assert other.get(SECRET).get_secret_value() == KEY
    put()
    assert other.get(SECRET).get_secret_value() == KEY
    app.clock.now += timedelta(seconds=KEY_LIFETIME)
    assert other.get(SECRET).get_secret_value() == NEW


def test_it_may_be_sent_twice(app: InMemoryApp) -> None:
    assert [put().status_code, put().status_code] == [200, 200]
    assert app.vault.secrets == {SECRET: NEW}


# --- it is not ------------------------------------------------------------------------------------------------


def test_a_key_that_sendgrid_does_not_know_is_not_stored(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sendgrid_export")
    assert refused(put("SG.wrong")) == (409, "key_not_accepted")
    assert app.vault.secrets == {SECRET: KEY}
    assert "sendgrid_refused" not in caplog.text  # which would raise an alert for a slip of the hand


def test_a_key_that_may_not_use_marketing_campaigns_is_not_stored(app: InMemoryApp) -> None:
    app.sendgrid.scopes = ["mail.send"]
    assert refused(put()) == (409, "scope_missing")
    assert app.vault.secrets == {SECRET: KEY}


@pytest.mark.parametrize("status", [429, 503])
def test_while_sendgrid_is_away_nothing_is_stored(app: InMemoryApp, status: int) -> None:
    app.sendgrid.fault = lambda _request, _number: Response(status=status, headers={"retry-after": "40"}, body=b"")
    response = put()
    assert refused(response) == (503, "try_again_later")
    assert int(response.headers["Retry-After"]) >= 40
    assert app.vault.secrets == {SECRET: KEY}


def test_while_the_vault_is_away_one_is_told_to_come_back(app: InMemoryApp) -> None:
    app.vault.away_until = app.clock.now.replace(hour=23)
    assert refused(put()) == (503, "try_again_later")


@pytest.mark.parametrize("named", [(), ("another-secret",)])
def test_a_secret_that_is_not_named_is_never_written(app: InMemoryApp, named: tuple[str, ...]) -> None:
    allow(app, *named)
    response = put()
    assert refused(response) == (409, "key_not_writable")
    assert "SECRET_WRITERS" in told(response)["detail"]
    assert "az keyvault secret set --vault-name vault --name sendgrid-key" in told(response)["detail"]
    assert (app.vault.secrets, app.sendgrid.requests) == ({SECRET: KEY}, 0)


def test_a_secret_that_signs_notifications_is_never_written(app: InMemoryApp) -> None:
    admin = Caller(id="admin", name="admin", kind=CallerKind.KEY, roles=frozenset({Role.ADMINISTRATOR}))
    put_target(app.services, "operations", a_target(secret_name=SECRET.upper()), caller=admin, etag=None)
    response = put()
    assert refused(response) == (409, "conflict")
    assert "operations" in told(response)["detail"]
    assert (app.vault.secrets, app.sendgrid.requests) == ({SECRET: KEY}, 0)


@pytest.mark.parametrize("error", [KeyNotWritableError("no right"), SecretDeletedError("is deleted")])
def test_what_the_vault_refuses_is_said(app: InMemoryApp, error: Exception) -> None:
    def write(_name: str, _value: SecretStr) -> str:
        raise error

    app.vault.write = write  # type: ignore[assignment, method-assign] # the vault refuses
    assert put().status_code == 409
    assert told(put())["detail"] == str(error)
    assert app.services.sendgrid._secrets.get(SECRET).get_secret_value() == KEY


def test_others_than_administrators_set_no_key(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)))
    assert put(caller="nora").status_code == 403
    assert app.vault.secrets == {SECRET: KEY}


@pytest.mark.usefixtures("app")
def test_there_must_be_a_connection() -> None:
    assert ask("put_connection_key", {"key": NEW}, id="none").status_code == 404


# --- it is nowhere else ---------------------------------------------------------------------------------------

BAD = [
    "SG.secret with-blank",
    "SG.secret\nline",
    "SG.secr\u00e9t",
    "SG.secret" + "x" * KEY_MAX,
    "",
    ["SG.secret"],
    {"SG.secret": "SG.secret"},
]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("key", BAD)
def test_what_cannot_be_a_key_is_refused_and_not_repeated(key: object, caplog: pytest.LogCaptureFixture) -> None:
    response = put(key)
    assert refused(response) == (400, "invalid_request")
    assert [error["pointer"] for error in told(response)["errors"]] == ["/key"]
    assert "SG." not in response.get_body().decode() + caplog.text


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("body", [b'{"key": "SG.secret"', b'"SG.secret"', b'{"api_key": "SG.secret"}', b""])
def test_a_body_that_is_none_is_not_repeated(body: bytes) -> None:
    response = ask("put_connection_key", body, id="main")
    assert response.status_code == 400
    assert "SG." not in response.get_body().decode()


@pytest.mark.parametrize("key", BAD[:4])
def test_no_error_has_the_key_in_its_chain(key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate(NewKey, {"key": key})
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_key_is_in_no_repr_and_no_json() -> None:
    draft = validate(NewKey, {"key": NEW})
    assert NEW not in f"{draft!r} {draft} {draft.model_dump()} {draft.model_dump_json()}"


def test_it_is_in_nothing_that_is_kept_logged_or_answered(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [put(Idempotency_Key="one") for _ in range(2)]
    wrong = [put("SG.wrong-key")]
    app.run_to_its_end()
    told_of = [response.get_body().decode() + str(dict(response.headers)) for response in answers + wrong]
    for key in (NEW, "SG.wrong-key"):
        assert key not in everything(app) + caplog.text + "".join(told_of)


def test_it_is_written_down_who_set_a_key(app: InMemoryApp) -> None:
    put()
    put("SG.wrong")
    entries = [json.loads(line) for blob in app.audit_blobs._stored.values() for line in blob.data.splitlines()]
    assert [(each["operationName"], each["resultType"]) for each in entries] == [
        ("Connections.SetKey", "Running"),
        ("Connections.SetKey", "Success"),
        ("Connections.SetKey", "Running"),
        ("Connections.SetKey", "ClientError"),
    ]
    assert {each["properties"]["callerObjectId"] for each in entries} == {"admin"}
    assert not [each for each in entries if each["properties"].get("fieldsBefore")]


# --- who is told how ------------------------------------------------------------------------------------------


def test_a_connection_tells_the_command_where_the_app_may_not(app: InMemoryApp) -> None:
    assert told(ask("get_connection", id="main"))["key_command"] is None
    allow(app)
    shown = told(ask("get_connection", id="main"))
    assert shown["key_command"].startswith('read -rs KEY && printf %s "$KEY" | az keyvault secret set ')
    assert ask("put_connection", shown, id="main").status_code == 200  # as it was answered
