import http.client
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.functions_host.support import APPS, Azurite, RunningHost, running_host

KEYS = ("--function-key=host-key", "--master-key=master-key", "--key-of", "pages", "pages-key")


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    log_file = tmp_path_factory.mktemp("http") / "log"
    with running_host(APPS / "http", log_file, *KEYS, QUEUE="by-hand", **azurite.settings) as running:
        yield running


@pytest.fixture
def anyone(host: RunningHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url) as client:
        yield client


@pytest.fixture
def caller(anyone: httpx.Client) -> httpx.Client:
    anyone.headers["x-functions-key"] = "host-key"
    return anyone


def seen(response: httpx.Response) -> dict[str, Any]:
    """Return what the function saw of the request."""
    assert response.status_code == 200
    return dict(response.json())


def test_the_ready_line_names_every_function(host: RunningHost) -> None:
    assert {"get_item", "public", "yearly", "work"} < set(host.functions)


def test_route_parameters_reach_the_function_as_text(caller: httpx.Client) -> None:
    assert seen(caller.get("/api/items/7"))["route"] == {"id": "7"}


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/api/items/7", "get_item"),
        ("PUT", "/api/items/7", "put_item"),
        ("GET", "/api/items/seven", "named_item"),
        ("GET", "/api/items/latest", "get_latest"),
        ("GET", "/API/Items/LATEST", "get_latest"),
        ("GET", "/api/files", "files"),
        ("DELETE", "/api/files/a/b/c", "files"),
        ("GET", "/api/pages", "pages"),
        ("GET", "/api/pages/3/", "pages"),
        ("PATCH", "/api/public", "public"),
    ],
)
def test_a_request_reaches_the_first_function_by_name_whose_route_fits(
    caller: httpx.Client, method: str, path: str, function: str
) -> None:
    assert caller.request(method, path).headers["x-sample"] == function


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/nothing"),
        ("GET", "/items/7"),
        ("GET", "/api/pages/3/4"),
        ("DELETE", "/api/items/7"),
        ("HEAD", "/api/items/7"),
        ("PUT", "/api/items/seven"),
        ("GET", "/api/yearly"),
    ],
)
def test_an_unknown_path_and_a_wrong_method_are_not_found(caller: httpx.Client, method: str, path: str) -> None:
    assert caller.request(method, path).status_code == 404


def test_a_head_request_is_answered_without_a_body(caller: httpx.Client) -> None:
    response = caller.head("/api/public")
    assert (response.headers["x-sample"], response.content) == ("public", b"")


def test_a_body_arrives_byte_for_byte(caller: httpx.Client) -> None:
    body = bytes(range(256))
    assert seen(caller.put("/api/items/7", content=body))["body"] == body.hex()


def test_header_names_arrive_in_lower_case(caller: httpx.Client) -> None:
    assert seen(caller.get("/api/public", headers={"X-Trace-ID": "Abc"}))["headers"]["x-trace-id"] == "Abc"


def test_empty_query_values_are_dropped_and_repeated_ones_joined(caller: httpx.Client) -> None:
    assert seen(caller.get("/api/public?a=1&a=2&b=&c=%26"))["query"] == {"a": "1,2", "c": "&"}


def test_the_function_sees_the_whole_address(caller: httpx.Client, host: RunningHost) -> None:
    assert seen(caller.get("/api/public?a=1"))["url"] == f"{host.url}/api/public?a=1"


def test_a_text_is_answered_as_plain_text(anyone: httpx.Client) -> None:
    response = anyone.get("/api/text?name=you")
    assert (response.text, response.headers["content-type"]) == ("hello you", "text/plain; charset=utf-8")


def test_status_and_cookies_come_from_the_function(anyone: httpx.Client) -> None:
    response = anyone.get("/api/cookies")
    parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")}
    assert response.status_code == 201
    assert {"taste=sweet", "path=/jar", "httponly", "max-age=60", "samesite=strict"} == parts


def test_a_function_that_raises_is_answered_with_500_and_nothing_else(anyone: httpx.Client) -> None:
    response = anyone.get("/api/boom")
    assert (response.status_code, response.content) == (500, b"")


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/public", None, 200),
        ("/api/public", "wrong", 200),
        ("/api/items/7", None, 401),
        ("/api/items/7", "wrong", 401),
        ("/api/items/7", "", 401),
        ("/api/items/7", "pages-key", 401),
        ("/api/items/7", "host-key", 200),
        ("/api/items/7", "master-key", 200),
        ("/api/pages", "pages-key", 200),
        ("/api/guarded", None, 401),
        ("/api/guarded", "host-key", 401),
        ("/api/guarded", "master-key", 200),
    ],
)
@pytest.mark.parametrize("place", ["header", "query"])
def test_a_function_asks_for_a_key_of_its_level(
    anyone: httpx.Client, path: str, key: str | None, status: int, place: str
) -> None:
    given = {"x-functions-key" if place == "header" else "code": key} if key is not None else {}
    response = anyone.get(path, headers=given) if place == "header" else anyone.get(path, params=given)
    assert response.status_code == status


def test_a_key_in_the_header_wins_over_one_in_the_query(anyone: httpx.Client) -> None:
    response = anyone.get("/api/items/7?code=host-key", headers={"x-functions-key": "wrong"})
    assert response.status_code == 401


def test_a_function_started_by_hand_needs_the_master_key(anyone: httpx.Client) -> None:
    path = "/admin/functions/yearly"
    statuses = [
        anyone.post(path, json={}, headers={"x-functions-key": key}).status_code
        for key in ("", "wrong", "host-key", "master-key")
    ]
    assert statuses == [401, 401, 403, 202]


@pytest.fixture
def admin(anyone: httpx.Client) -> httpx.Client:
    anyone.headers["x-functions-key"] = "master-key"
    return anyone


def test_a_timer_function_can_be_started_by_hand(admin: httpx.Client, host: RunningHost) -> None:
    assert admin.post("/admin/functions/yearly", json={"input": ""}).status_code == 202
    host.wait_for('timer {"past_due": false}')


def test_a_queue_function_can_be_started_by_hand(admin: httpx.Client, host: RunningHost) -> None:
    assert admin.post("/admin/functions/WORK", json={"input": "do it"}).status_code == 202
    host.wait_for('message {"body": "do it", "id": null}')


@pytest.mark.parametrize("name", ["nothing", "public"])
def test_what_cannot_be_started_by_hand_is_not_found(admin: httpx.Client, name: str) -> None:
    assert admin.post(f"/admin/functions/{name}", json={"input": ""}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"no json", b'"text"'])
def test_a_start_by_hand_needs_a_json_object(admin: httpx.Client, body: bytes) -> None:
    assert admin.post("/admin/functions/yearly", content=body).status_code == 400


def test_requests_leave_no_trace_of_query_body_or_headers_in_the_log(
    caller: httpx.Client, host: RunningHost
) -> None:
    caller.put("/api/items/7?word=querybee", content=b"bodybee", headers={"x-word": "headerbee"})
    caller.get("/api/nothing?word=querybee")
    host.wait_for("Executed 'Functions.put_item' (Succeeded")
    assert not {word for word in ("querybee", "bodybee", "headerbee", "host-key") if word in host.log()}


def test_a_body_without_a_length_does_not_arrive(host: RunningHost) -> None:
    connection = http.client.HTTPConnection(host.url.removeprefix("http://"))
    connection.request("POST", "/api/public", iter([b"chunk"]), encode_chunked=True)
    response = connection.getresponse()
    assert b'"body": ""' in response.read()
    connection.close()
