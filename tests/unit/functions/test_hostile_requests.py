"""Whatever is sent to whatever route: no failure, a proper answer in time, and nobody's data or key in it.

`make fuzz MINUTES=…` tries more of them.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import wiring
from shared.model.roles import Role
from tests.support.entra import the_entra, token_holders
from tests.support.factories import a_request, use_services
from tests.support.fake_sendgrid import KEY
from tests.support.hostile import MARK, PEOPLE, HostileRequest, hostile_requests, judge, leaks
from tests.support.http_routes import api_routes
from tests.support.in_memory_app import InMemoryApp, a_connection, people

ROUTES: Final = {name: route for name, route in api_routes().items() if not name.startswith("get_docs_")}
"""All but the files of a page, which are as they are."""
NORA: Final = "0e0e0e0e-0000-4000-8000-000000000005"
ANSWER_SECONDS: Final = 10.0
"""Most of them take milliseconds; a machine may be busy."""


class World:
    """An app with a connection, an export and a run that is over, which every request finds as at first."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.app.services = replace(self.app.services, authenticator=token_holders())
        self.app.save()
        self.app.save_connection(a_connection(users=(NORA,)))
        first, last, address = PEOPLE
        self.app.deliver_extract([(address, f"{first} {last}"), *people(3), (f"no address of {last}", first)])
        self.run = self.app.run_to_its_end().id
        roles = (Role.ADMINISTRATOR, Role.CONTRIBUTOR, *Role)  # who may do much gets far
        self.tokens = [the_entra().person(NORA, role) for role in roles]
        self._at_first = [dict(self.app.blobs._stored), dict(self.app.audit_blobs._stored)]

    @property
    def secrets(self) -> list[str]:
        """What nobody may be told."""
        return [KEY, *(token.rpartition(".")[2] for token in self.tokens)]

    def send(self, request: HostileRequest) -> tuple[int, dict[str, str], bytes]:
        """Ask as the host would."""
        blobs, audit = self._at_first
        self.app.blobs._stored, self.app.audit_blobs._stored = dict(blobs), dict(audit)
        self.app.queues.waiting.clear()
        use_services(self.app.services)
        wiring.reading_extracts.cache_clear()
        answer = request.route.function(
            a_request(
                request.body,
                method=request.route.method,
                headers=request.headers,
                route_params=request.parameters,
                params={name: value for name, value in request.query.items() if value},
            )
        )
        return answer.status_code, dict(answer.headers) | {"content-type": content_type(answer)}, answer.get_body()

    def written(self) -> str:
        """All of the audit log and of the queues."""
        entries = b"".join(blob.data for blob in self.app.audit_blobs._stored.values()).decode()
        return entries + json.dumps([message.body for message in self.app.queues.waiting])


def content_type(answer: object) -> str:
    return f"{getattr(answer, 'mimetype', '')}; charset={getattr(answer, 'charset', '')}"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("name", sorted(ROUTES.keys() - {"get_health"}))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_hostile_request_is_answered_properly_and_tells_nobody_anything(
    world: World, name: str, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    known = {
        "id": ["newsletter", "main", "no-such"],
        "run": [world.run, "20260101T000000Z-x"],
        "segment": ["Customers", "Nobody"],
    }
    request = data.draw(hostile_requests(ROUTES[name], tokens=world.tokens, known=known))
    caplog.clear()
    caplog.set_level(logging.INFO)
    begun = time.monotonic()
    status, headers, body = world.send(request)
    assert time.monotonic() - begun < ANSWER_SECONDS
    judge(status, headers, body, secrets=world.secrets)
    assert leaks(caplog.text, secrets=world.secrets) == []
    assert leaks(world.written(), secrets=world.secrets) == []


def test_the_test_would_see_a_leak(world: World) -> None:
    with pytest.raises(AssertionError):
        judge(200, {"cache-control": "no-store", "x-content-type-options": "nosniff"}, KEY.encode(), secrets=[KEY])
    assert leaks(f"event=x name={MARK}", secrets=world.secrets) == [MARK]
