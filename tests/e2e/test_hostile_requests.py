"""Hostile requests to the app on the local host: no failure, nothing told, and health answers all the while."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.azure.environment import AUDIT_CONTAINER
from shared.model.messages import every_queue
from shared.model.roles import Role
from tests.support.entra import bearing
from tests.support.hostile import PEOPLE, hostile_requests, judge, leaks
from tests.support.http_routes import api_routes
from tests.support.running_app import RunningApp, SavedExport, StartedRun, csv_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import LocalCloud
    from tests.support.hostile import HostileRequest

ROUTES: Final = {name: route for name, route in api_routes().items() if not name.startswith("get_docs_")}
"""All but the files of a page, which are as they are."""
NORA: Final = "0e0e0e0e-0000-4000-8000-000000000005"
ERIK: Final = "0e0e0e0e-0000-4000-8000-000000000006"
ANSWER_SECONDS: Final = 20.0
HEALTH_SECONDS: Final = 5.0
"""Well under what one of those previews takes; a busy machine is slow by itself."""
AT_ONCE: Final = 20
MEMBERS: Final = 400_000
"""Of a file of gzip, each empty: 8 MB for one row, which a reader must look at one by one."""
REFUSED_BY_THE_HOST: Final = {400, 404, 405, 414, 431}
"""Statuses with which the host answers for itself what is no request to a function."""


class World:
    """A host that takes tokens, with an export that everybody asks about."""

    def __init__(self, running: RunningApp) -> None:
        self.running = running
        entra = running.cloud.entra
        roles = (Role.ADMINISTRATOR, Role.CONTRIBUTOR, *Role)
        self.tokens = [entra.person(NORA, role) for role in roles]
        self.connection = running.connection(users=[NORA, ERIK])
        self.export = self.export_of_people(self.connection)
        self.segment: str = self.export.get()["segments"][0]
        self.run: StartedRun = self.export.start()
        assert self.run.wait()["status"] == "completed_with_warnings"

    def export_of_people(self, connection: str) -> SavedExport:
        """An export with the people whom nobody may be told of."""
        first, last, address = PEOPLE
        rows = [[address, first], ["ada@people.example", "Ada"], [f"no address of {last}", first]]
        segment = self.running.deliver(csv_text(["EMail", "FirstName"], rows))
        mapping = {"email": "EMail", "first_name": "FirstName"}
        return self.running.export(segment, connection=connection, mapping=mapping)

    @property
    def secrets(self) -> list[str]:
        """What nobody may be told: the keys of accounts, and the signatures of tokens."""
        return [*self.running.keys, *(token.rpartition(".")[2] for token in self.tokens)]

    def send(self, request: HostileRequest) -> httpx.Response | None:
        """Ask over HTTP; None where the client cannot put it into a request."""
        path = request.route.path
        for name, value in request.parameters.items():
            path = path.replace(f"{{{name}}}", encoded(value))
        query = "&".join(f"{name}={encoded(value)}" for name, value in request.query.items())
        with self.running.host.client_with({}) as client:
            try:
                return client.request(
                    request.route.method,
                    f"/api/{path}?{query}",
                    headers=[(name.encode(), in_a_header(value)) for name, value in request.headers.items()],
                    content=request.body,
                    timeout=ANSWER_SECONDS,
                )
            except (httpx.LocalProtocolError, httpx.InvalidURL):
                return None

    def written(self) -> str:
        """All of the log, the audit log and the queues."""
        texts = [self.running.log()]
        with self.running.cloud.blob_service(self.running.account) as blobs:
            container = blobs.get_container_client(AUDIT_CONTAINER)
            texts += [container.download_blob(name).readall().decode() for name in container.list_blob_names()]
        for queue in every_queue():
            texts += [message.content for message in self.running.queue(queue).peek_messages(32)]
        return "".join(texts)


def encoded(value: str) -> str:
    """The text as it stands in an address, whatever is in it."""
    return quote(value, safe="", errors="surrogatepass")


def in_a_header(value: str) -> bytes:
    """The text as it may stand in a header; what no client sends there is sent by hand, see RAW."""
    return re.sub(rb"[\x00-\x1f\x7f]", b"?", value.encode(errors="surrogatepass")).strip()


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> Iterator[World]:
    with RunningApp(cloud) as running:
        running.start_host(AUTHENTICATION="entra")
        administrator = bearing(cloud.entra.person(NORA, Role.ADMINISTRATOR))
        with running.host.client_with(administrator) as running.api:
            yield World(running)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], database=None
)
@given(data=st.data())
def test_a_hostile_request_is_answered_properly(world: World, data: st.DataObject) -> None:
    route = ROUTES[data.draw(st.sampled_from(sorted(ROUTES.keys() - {"get_health"})))]
    # what is changed or deleted is something else, or soon nothing would be left to ask about
    ids = ["spare", "no-such"] if route.method in {"PUT", "DELETE"} else [world.export.id, world.connection]
    known = {"id": ids, "run": [world.run.id, "20260101T000000Z-x"], "segment": [world.segment, "Nobody"]}
    answer = world.send(data.draw(hostile_requests(route, tokens=world.tokens, known=known)))
    if answer is None or is_the_hosts_own(answer):
        return
    judge(answer.status_code, answer.headers, answer.content, secrets=world.secrets)


def is_the_hosts_own(answer: httpx.Response) -> bool:
    """Whether no function was asked: the address is that of none, or the request is malformed."""
    return answer.status_code in REFUSED_BY_THE_HOST and "cache-control" not in answer.headers


def test_nothing_of_it_is_in_logs_audit_or_messages(world: World) -> None:
    told = world.written()
    assert leaks(told, secrets=world.secrets) == []
    assert "Traceback" not in told
    assert re.findall(r"Executed 'Functions\.\w+' \(Failed", told) == []


def test_hostile_previews_starve_nobody(world: World) -> None:
    """The extract is a small file that takes long to read."""
    running = world.running
    segment = running.name("Segment")
    members = gzip.compress(b"") * MEMBERS + gzip.compress(b"EMail\nada@people.example\n")
    running.extracts.upload_blob(f"{segment}/2026-01-01/{segment}_1.csv.gz", members)
    connection = running.connection(users=[NORA, ERIK])
    hostile, usual = running.export(segment, connection=connection), world.export_of_people(connection)
    path = f"/api/exports/{hostile.id}/preview"
    health: list[float] = []
    over = threading.Event()

    def look() -> None:
        with running.host.client_with({}) as client:
            while not over.is_set():
                begun = time.monotonic()
                assert client.get("/api/health").status_code == 200
                health.append(time.monotonic() - begun)
                time.sleep(0.02)

    def preview(who: str) -> httpx.Response:
        with running.host.client_with(bearing(running.cloud.entra.person(who, "Contributor"))) as client:
            return client.post(path, json={"rows": 10})

    with ThreadPoolExecutor(AT_ONCE + 1) as threads:
        looking = threads.submit(look)
        answers = list(threads.map(preview, [NORA, ERIK] * (AT_ONCE // 2)))
        over.set()
        looking.result()
    assert {answer.status_code for answer in answers} <= {200, 409, 429}
    busy = [answer for answer in answers if answer.status_code == 429]
    assert len(busy) >= AT_ONCE - 4
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in busy)
    assert len(health) > 2
    assert max(health) < HEALTH_SECONDS
    answer = running.api.post(f"/api/exports/{usual.id}/preview", json={"rows": 10})
    assert (answer.status_code, answer.json()["counts"]["rows_read"]) == (200, 3)
    assert not [word for word in PEOPLE if word in answer.text]


def test_what_no_client_would_send_ends_no_host(world: World) -> None:
    """Requests beside HTTP's grammar, on the socket."""
    address = httpx.URL(world.running.host.url)
    for request in RAW:
        assert b" 500 " not in exchange(str(address.host), int(address.port or 0), request)
    assert world.running.get("/api/health")["status"] == "ok"


RAW: Final = (
    b"GET /api/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00\r\n\r\n",
    b"GET /api/exports/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/exports/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /api/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"a." * 30_000 + b"\r\n\r\n",
    b"PUT /api/exports/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"PUT /api/exports/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PUT /api/exports/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"GET /api/audit?"
    + b"&".join(b"limit=%d" % number for number in range(2_000))
    + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE /api/exports HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


def exchange(host: str, port: int, request: bytes) -> bytes:
    """What is answered to these bytes, or nothing."""
    with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        try:
            return connection.recv(4_096)
        except ConnectionResetError:
            return b""
