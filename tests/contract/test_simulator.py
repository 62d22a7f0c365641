"""The simulator answers as SendGrid's OpenAPI files say."""

import re
import uuid
from typing import TYPE_CHECKING

import pytest

from local.sendgrid_simulator.app import ENDPOINTS
from local.sendgrid_simulator.call import Endpoint
from local.sendgrid_simulator.faults import Fault, FaultKind, Outcome
from local.sendgrid_simulator.suppressions import SuppressionKind
from tests.support.openapi import find_operation, validate_exchange
from tests.support.simulated import CONTACTS, LISTS, InMemorySendGrid

if TYPE_CHECKING:
    from tests.contract.conftest import Recording

pytestmark = pytest.mark.usefixtures("_specifications")

ANN = {"email": "ann@example.com", "first_name": "Ann", "alternate_emails": ["lee@example.com"]}
FIELDS = "/v3/marketing/field_definitions"
EXPORTS = f"{CONTACTS}/exports"
LIST = f"{LISTS}/{{list}}"
SEARCH = f"{CONTACTS}/search/emails"

STRIP = {"identifier_type": "EMAIL", "identifier_value": "ann@example.com"}

type Case = tuple[str, str, object, int]
"""Method, path, body and the status to be answered; braces are filled in by `ids`."""

GOOD: list[Case] = [
    ("PUT", CONTACTS, {"contacts": [ANN]}, 202),
    (
        "PUT",
        CONTACTS,
        {"list_ids": ["{list}"], "contacts": [ANN | {"phone_number": "1"}, {"external_id": "4"}]},
        202,
    ),
    ("PUT", CONTACTS, {"contacts": [ANN | {"custom_fields": {"{text}": "x", "{number}": 5}}]}, 202),
    ("PUT", f"{CONTACTS}/imports", {"file_type": "csv", "field_mappings": [None, "_rf2_T", "{text}"]}, 200),
    ("GET", f"{CONTACTS}/imports/{{job}}", None, 200),
    ("POST", SEARCH, {"emails": ["ann@example.com", "nobody@example.com"]}, 200),
    ("POST", f"{CONTACTS}/search", {"query": "email LIKE 'ann%' AND CONTAINS(list_ids, '{list}')"}, 200),
    ("POST", f"{CONTACTS}/search/identifiers/{{kind}}", {"identifiers": ["ann@example.com"]}, 200),
    ("POST", f"{CONTACTS}/batch", {"ids": ["{contact}"]}, 200),
    ("GET", CONTACTS, None, 200),
    ("GET", f"{CONTACTS}/{{contact}}", None, 200),
    ("DELETE", f"{CONTACTS}?ids={{contact}}", None, 202),
    ("DELETE", f"{CONTACTS}?delete_all_contacts=true", None, 202),
    ("DELETE", f"{CONTACTS}/{{contact}}/identifiers", STRIP, 202),
    ("GET", f"{CONTACTS}/count", None, 200),
    ("POST", EXPORTS, {"list_ids": ["{list}"], "notifications": {"email": False}, "max_file_size": 1}, 202),
    ("POST", EXPORTS, {"file_type": "json"}, 202),
    ("GET", EXPORTS, None, 200),
    ("GET", f"{EXPORTS}/{{export}}", None, 200),
    ("GET", LISTS, None, 200),
    ("GET", f"{LISTS}?page_size=1", None, 200),
    ("POST", LISTS, {"name": "Winter"}, 201),
    ("GET", LIST, None, 200),
    ("GET", f"{LIST}?contact_sample=true", None, 200),
    ("PATCH", LIST, {"name": "Spring"}, 200),
    ("DELETE", LIST, None, 204),
    ("DELETE", f"{LIST}?delete_contacts=true", None, 200),
    ("DELETE", f"{LIST}/contacts?contact_ids={{contact}}", None, 202),
    ("GET", f"{LIST}/contacts/count", None, 200),
    ("GET", FIELDS, None, 200),
    ("POST", FIELDS, {"name": "shoe", "field_type": "Number"}, 200),
    ("PATCH", f"{FIELDS}/{{text}}", {"name": "hat"}, 200),
    ("DELETE", f"{FIELDS}/{{text}}", None, 204),
    ("GET", "/v3/scopes", None, 200),
    ("GET", "/v3/user/account", None, 200),
    ("GET", "/v3/user/username", None, 200),
]

SUPPRESSED = {"recipient_emails": ["ann@example.com"]}
GROUP = "/v3/asm/groups/{group}"
GOOD += [
    ("POST", "/v3/asm/suppressions/global", SUPPRESSED, 201),
    ("GET", "/v3/asm/suppressions/global/{suppressed}", None, 200),
    ("GET", "/v3/asm/suppressions/global/nobody@example.com", None, 200),
    ("DELETE", "/v3/asm/suppressions/global/{suppressed}", None, 204),
    ("GET", "/v3/suppression/unsubscribes?limit=500&offset=0&start_time=1&email=a%25", None, 200),
    *(
        request
        for path in (f"/v3/suppression/{kind}" for kind in SuppressionKind if kind != "unsubscribes")
        for request in (
            ("GET", path, None, 200),
            ("GET", f"{path}/{{suppressed}}", None, 200),
            ("DELETE", path, {"emails": ["ann@example.com"]}, 204),
            ("DELETE", path, {"delete_all": True}, 204),
            ("DELETE", f"{path}/{{suppressed}}", None, 204),
        )
    ),
    ("GET", "/v3/asm/groups", None, 200),
    ("GET", "/v3/asm/groups?id={group}", None, 200),
    ("POST", "/v3/asm/groups", {"name": "News", "description": "Weekly"}, 201),
    ("GET", GROUP, None, 200),
    ("PATCH", GROUP, {"name": "Old news"}, 201),
    ("DELETE", GROUP, None, 204),
    ("POST", f"{GROUP}/suppressions", SUPPRESSED, 201),
    ("GET", f"{GROUP}/suppressions", None, 200),
    ("POST", f"{GROUP}/suppressions/search", SUPPRESSED, 200),
    ("DELETE", f"{GROUP}/suppressions/{{suppressed}}", None, 204),
    ("GET", "/v3/asm/suppressions", None, 200),
    ("GET", "/v3/asm/suppressions/{suppressed}", None, 200),
    ("POST", "/v3/recipients/erasejob", {"email_addresses": ["ann@example.com"]}, 202),
]
"""Suppressions and erasure, whose requests all know the same person."""

NO_LIST = f"{LISTS}/{uuid.uuid4()}"
IMPORT_TO_NOWHERE = {"file_type": "csv", "field_mappings": ["_rf2_T"], "list_ids": [str(uuid.uuid4())]}
BAD: list[Case] = [
    ("PUT", CONTACTS, {"contacts": [{"email": "x"}]}, 400),
    ("PUT", CONTACTS, {"contacts": [{"first_name": "Ann"}]}, 400),
    ("PUT", CONTACTS, {"contacts": []}, 400),
    ("PUT", CONTACTS, {"contacts": [ANN | {"custom_fields": {"x": 1}}]}, 400),
    ("PUT", CONTACTS, {"contacts": "x"}, 400),
    ("PUT", CONTACTS, {"contacts": [ANN], "list_ids": [str(uuid.uuid4())]}, 404),
    ("GET", f"{CONTACTS}/imports/x", None, 404),
    ("PUT", f"{CONTACTS}/imports", {"file_type": "csv", "field_mappings": ["x"]}, 400),
    ("PUT", f"{CONTACTS}/imports", IMPORT_TO_NOWHERE, 404),
    ("POST", SEARCH, {"emails": ["x"]}, 400),
    ("POST", SEARCH, {"emails": ["nobody@example.com"]}, 404),
    ("POST", f"{CONTACTS}/search", {"query": "email > 'a'"}, 400),
    ("POST", f"{CONTACTS}/search/identifiers/email", {"identifiers": ["x"]}, 400),
    ("POST", f"{CONTACTS}/search/identifiers/external_id", {"identifiers": ["x"]}, 404),
    ("POST", f"{CONTACTS}/batch", {"ids": ["x"] * 101}, 400),
    ("GET", f"{CONTACTS}/x", None, 404),
    ("DELETE", CONTACTS, None, 400),
    ("DELETE", f"{CONTACTS}/x/identifiers", STRIP, 404),
    ("DELETE", f"{CONTACTS}/{{contact}}/identifiers", STRIP | {"identifier_value": "x"}, 400),
    ("POST", EXPORTS, {"file_type": "xml"}, 400),
    ("POST", EXPORTS, {"list_ids": [str(uuid.uuid4())]}, 404),
    ("POST", EXPORTS, {"segment_ids": ["x"]}, 404),
    ("GET", f"{EXPORTS}/x", None, 404),
    ("GET", f"{LISTS}?page_size=0", None, 400),
    ("POST", LISTS, {"name": ""}, 400),
    ("GET", NO_LIST, None, 404),
    ("PATCH", NO_LIST, {"name": "Spring"}, 404),
    ("PATCH", LIST, {"name": ""}, 400),
    ("DELETE", NO_LIST, None, 404),
    ("DELETE", f"{LIST}/contacts", None, 400),
    ("DELETE", f"{LIST}/contacts?contact_ids=x", None, 404),
    ("GET", f"{NO_LIST}/contacts/count", None, 404),
    ("POST", "/v3/recipients/erasejob", {"email_addresses": ["x"]}, 400),
    ("GET", "/v3/asm/groups/1", None, 404),
    ("POST", "/v3/asm/suppressions/global", {"recipient_emails": ["x"]}, 400),
    ("GET", "/v3/suppression/bounces?limit=501", None, 400),
    ("POST", FIELDS, {"name": "email", "field_type": "Text"}, 400),
    ("PATCH", f"{FIELDS}/{{text}}", {"name": "email"}, 400),
    ("PATCH", f"{FIELDS}/x", {"name": "hat"}, 404),
    ("DELETE", f"{FIELDS}/x", None, 404),
    ("POST", LISTS, {"name": "Customers"}, 400),
]


@pytest.fixture
def ids(sendgrid: InMemorySendGrid) -> dict[str, str]:
    """What stands in braces in the tables above."""
    job = sendgrid.upsert({"email": "ann@example.com"})
    (contact,) = sendgrid.control.contacts(sendgrid.list_id)
    text, number = (sendgrid.control.create_custom_field(kind.lower(), kind) for kind in ("Text", "Number"))
    export = sendgrid.start_export()
    sendgrid.clock.pass_(1)
    return {
        "job": job["id"],
        "list": sendgrid.list_id,
        "contact": contact["id"],
        "export": export,
        "text": text,
        "number": number,
        "kind": "email",
        "suppressed": "ann@example.com",
        "group": str(suppressed_group(sendgrid)),
    }


def suppressed_group(sendgrid: InMemorySendGrid) -> int:
    """Puts one person on every list and into a group, whose id it gives."""
    for kind in SuppressionKind:
        sendgrid.control.suppress(kind, "ann@example.com")
    group = sendgrid.api.post("/v3/asm/groups", json={"name": "Sales", "description": "What is cheap"}).json()
    sendgrid.api.post(f"/v3/asm/groups/{group['id']}/suppressions", json=SUPPRESSED)
    return int(group["id"])


def fill(value: object, ids: dict[str, str]) -> object:
    if isinstance(value, str):
        return value.format(**ids)
    if isinstance(value, dict):
        return {fill(name, ids): fill(each, ids) for name, each in value.items()}
    return [fill(each, ids) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", GOOD)
def test_a_good_request_and_its_answer_agree_with_the_specification(
    recording: "Recording", ids: dict[str, str], case: Case
) -> None:
    method, path, body, status = case
    recording.sendgrid.api.request(method, path.format(**ids), json=fill(body, ids))
    exchange = recording.last()
    assert (exchange["status"], validate_exchange(exchange)) == (status, [])


@pytest.mark.parametrize("case", BAD)
def test_the_answer_to_a_bad_request_agrees_with_the_specification(
    recording: "Recording", ids: dict[str, str], case: Case
) -> None:
    method, path, body, status = case
    recording.sendgrid.api.request(method, path.format(**ids), json=fill(body, ids))
    exchange = recording.last()
    responses = [each for each in validate_exchange(exchange) if each.startswith("response:")]
    assert (exchange["status"], responses) == (status, [])


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.needs_key], ids=lambda each: each.label)
def test_every_endpoint_is_in_the_specification(endpoint: Endpoint) -> None:
    assert find_operation(endpoint.method, re.sub(r"\{\w+\}", "x", endpoint.path))


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.needs_key], ids=lambda each: each.label)
def test_every_endpoint_is_among_the_good_requests(endpoint: Endpoint) -> None:
    paths = {(method, re.sub(r"\{\w+\}", "{id}", path.partition("?")[0])) for method, path, *_ in GOOD}
    assert (endpoint.method, re.sub(r"\{\w+\}", "{id}", endpoint.path)) in paths


@pytest.mark.parametrize("scopes", [None, ["mail.send"]])
@pytest.mark.parametrize("path", [f"{CONTACTS}/count", LISTS, FIELDS, "/v3/user/account"])
def test_refusals_of_keys_agree_with_the_specification(
    recording: "Recording", path: str, scopes: list[str] | None
) -> None:
    recording.sendgrid.use_key("SG.unknown" if scopes is None else recording.sendgrid.control.create_key(scopes))
    recording.sendgrid.api.get(path)
    exchange = recording.last()
    assert (exchange["status"], validate_exchange(exchange)) == (401 if scopes is None else 403, [])


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.VANISHES])
def test_jobs_agree_with_the_specification_whatever_becomes_of_them(
    recording: "Recording", outcome: Outcome
) -> None:
    recording.sendgrid.control.inject(Fault(kind=FaultKind.JOB, outcome=outcome, polls=1))
    job_id = recording.sendgrid.start_job(ANN, {"email": "bob@example.com"})
    recording.sendgrid.job(job_id)
    recording.sendgrid.clock.pass_(1)
    recording.sendgrid.job(job_id)
    recording.sendgrid.job(job_id)
    assert [validate_exchange(each) for each in recording.list_all()] == [[]] * 4


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PENDING_FOREVER])
def test_exports_agree_with_the_specification_whatever_becomes_of_them(
    recording: "Recording", outcome: Outcome
) -> None:
    recording.sendgrid.control.inject(Fault(kind=FaultKind.JOB, method="POST", path=EXPORTS, outcome=outcome))
    export = recording.sendgrid.start_export()
    recording.sendgrid.clock.pass_(1)
    recording.sendgrid.api.get(f"{EXPORTS}/{export}")
    recording.sendgrid.api.get(EXPORTS)
    assert [validate_exchange(each) for each in recording.list_all()] == [[]] * 3


@pytest.mark.parametrize("status", [429, 413, 414, 406])
def test_answers_that_the_specification_does_not_know_are_explained(recording: "Recording", status: int) -> None:
    sendgrid = recording.sendgrid
    match status:
        case 429:
            sendgrid.control.configure(rate_limit=0)
            sendgrid.put(ANN)
        case 413:
            sendgrid.api.put(CONTACTS, content=b" " * 6_000_001)
        case 414:
            sendgrid.api.get(f"{CONTACTS}/count?x={'x' * 9000}")
        case 406:
            sendgrid.api.get(f"{CONTACTS}/count", headers={"Accept": "text/html"})
    exchange = recording.last()
    assert (exchange["status"], validate_exchange(exchange)) == (status, [])
