import httpx
import pytest

from local.sendgrid_simulator.keys import ALL_SCOPES, READ
from tests.support.simulated import CONTACTS, LISTS, InMemorySendGrid

COUNT = f"{CONTACTS}/count"


def test_a_key_has_the_form_and_length_of_sendgrids(sendgrid: InMemorySendGrid) -> None:
    key = sendgrid.control.create_key()
    assert (len(key), [len(part) for part in key.split(".")]) == (69, [2, 22, 43])


def test_a_request_without_a_key_is_not_authorized(sendgrid: InMemorySendGrid) -> None:
    response = httpx.get(f"{sendgrid.url}{COUNT}", trust_env=False)
    assert (response.status_code, response.json()) == (
        401,
        {"errors": [{"field": None, "message": "authorization required"}]},
    )


def test_an_unknown_key_is_not_authorized(sendgrid: InMemorySendGrid) -> None:
    sendgrid.use_key("SG.unknown")
    assert sendgrid.api.get(COUNT).status_code == 401


def test_a_key_must_be_a_bearer_token(sendgrid: InMemorySendGrid) -> None:
    header = f"Basic {sendgrid.control.create_key()}"
    assert sendgrid.api.get(COUNT, headers={"Authorization": header}).status_code == 401


def test_a_revoked_key_is_not_authorized(sendgrid: InMemorySendGrid) -> None:
    key = sendgrid.control.create_key()
    sendgrid.use_key(key)
    sendgrid.control.revoke_key(key)
    message = "The provided authorization grant is invalid, expired, or revoked"
    assert sendgrid.api.get(COUNT).json()["errors"] == [{"field": None, "message": message}]


def test_a_key_for_reading_may_not_write(sendgrid: InMemorySendGrid) -> None:
    sendgrid.use_key(sendgrid.control.create_key([READ]))
    response = sendgrid.put({"email": "ann@example.com"})
    assert (response.status_code, response.json()) == (
        403,
        {"errors": [{"field": None, "message": "access forbidden"}]},
    )


@pytest.mark.parametrize("path", [COUNT, LISTS, "/v3/marketing/field_definitions"])
def test_a_key_for_reading_may_read(sendgrid: InMemorySendGrid, path: str) -> None:
    sendgrid.use_key(sendgrid.control.create_key([READ]))
    assert sendgrid.api.get(path).status_code == 200


@pytest.mark.parametrize("path", [COUNT, LISTS, "/v3/user/account", "/v3/user/username"])
def test_a_key_for_sending_mail_may_read_nothing_of_marketing_or_user(
    sendgrid: InMemorySendGrid, path: str
) -> None:
    sendgrid.use_key(sendgrid.control.create_key(["mail.send"]))
    assert sendgrid.api.get(path).status_code == 403


def test_any_key_may_ask_for_its_scopes(sendgrid: InMemorySendGrid) -> None:
    sendgrid.use_key(sendgrid.control.create_key(["mail.send"]))
    assert sendgrid.api.get("/v3/scopes").json() == {"scopes": ["mail.send"]}


def test_a_key_has_all_scopes_unless_told_otherwise(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.get("/v3/scopes").json() == {"scopes": list(ALL_SCOPES)}


def test_the_account_has_a_type_and_a_reputation(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.get("/v3/user/account").json() == {"type": "paid", "reputation": 100}


def test_the_account_has_a_user_name(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.get("/v3/user/username").json() == {"username": "simulator", "user_id": 1}


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, text/html", "application/xml, text/*", ""])
def test_a_client_that_does_not_accept_json_is_refused(sendgrid: InMemorySendGrid, accept: str) -> None:
    assert sendgrid.api.get(COUNT, headers={"Accept": accept}).status_code == 406


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "text/html, Application/JSON; q=0.5", "application/*"]
)
def test_a_client_that_accepts_json_is_served(sendgrid: InMemorySendGrid, accept: str) -> None:
    assert sendgrid.api.get(COUNT, headers={"Accept": accept}).status_code == 200


def test_an_unknown_path_is_not_found(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.get("/v3/marketing/nothing").status_code == 404


def test_a_known_path_with_another_method_is_not_allowed(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.patch(CONTACTS).status_code == 405


def test_six_million_bytes_are_allowed(sendgrid: InMemorySendGrid) -> None:
    body = b'{"contacts": [{"email": "ann@example.com"}]}'
    assert sendgrid.api.put(CONTACTS, content=body.ljust(6_000_000)).status_code == 202


def test_one_byte_more_gets_the_web_servers_html(sendgrid: InMemorySendGrid) -> None:
    response = sendgrid.api.put(CONTACTS, content=b" " * 6_000_001)
    assert (response.status_code, response.headers["Content-Type"]) == (413, "text/html")


def test_the_web_servers_html_says_what_is_wrong(sendgrid: InMemorySendGrid) -> None:
    response = sendgrid.api.put(CONTACTS, content=b" " * 6_000_001)
    assert "<h1>413 Request Entity Too Large</h1>" in response.text


def test_the_web_server_knows_no_rate_limit(sendgrid: InMemorySendGrid) -> None:
    assert "X-RateLimit-Limit" not in sendgrid.api.put(CONTACTS, content=b" " * 6_000_001).headers


def test_a_request_line_of_8192_bytes_is_allowed(sendgrid: InMemorySendGrid) -> None:
    frame = len(f"GET {COUNT}?x= HTTP/1.1")
    assert sendgrid.api.get(f"{COUNT}?x={'x' * (8192 - frame)}").status_code == 200


@pytest.mark.parametrize("length", [8193, 20_000])
def test_a_longer_request_line_gets_the_web_servers_html(sendgrid: InMemorySendGrid, length: int) -> None:
    frame = len(f"GET {COUNT}?x= HTTP/1.1")
    response = sendgrid.api.get(f"{COUNT}?x={'x' * (length - frame)}")
    assert (response.status_code, "414 Request-URI Too Large" in response.text) == (414, True)
