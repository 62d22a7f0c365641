from email.utils import parsedate_to_datetime

import httpx
import pytest
from pydantic import ValidationError

from local.sendgrid_simulator.faults import BodyShape, Fault, FaultKind, Naming, WaitForm
from tests.support.simulated import CONTACTS, START, InMemorySendGrid

ANN, BOB, EVE = ({"email": f"{name}@example.com"} for name in ("ann", "bob", "eve"))


def answer(**details: object) -> Fault:
    return Fault.model_validate({"kind": FaultKind.ANSWER} | details)


def refusal(**details: object) -> Fault:
    return Fault.model_validate({"kind": FaultKind.REFUSE_CONTACTS, "times": None} | details)


def put(sendgrid: InMemorySendGrid, fault: Fault) -> httpx.Response:
    sendgrid.control.inject(fault)
    return sendgrid.put(ANN)


@pytest.mark.parametrize("status", [403, 429, 451, 500, 503, 504, 599])
def test_any_error_status_can_be_answered(sendgrid: InMemorySendGrid, status: int) -> None:
    assert put(sendgrid, answer(status=status)).status_code == status


def test_an_answer_in_sendgrids_place_has_no_effect(sendgrid: InMemorySendGrid) -> None:
    put(sendgrid, answer())
    sendgrid.clock.pass_(5)
    assert sendgrid.emails() == []


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (BodyShape.ERRORS, {"errors": [{"field": None, "message": "sorry"}]}),
        (BodyShape.OBJECT, {"message": "sorry", "error_id": "simulated"}),
        (BodyShape.ARRAY, [{"message": "sorry"}]),
        (BodyShape.GATEWAY, {"message": "sorry"}),
    ],
)
def test_an_answer_has_the_json_shape_that_is_asked_for(
    sendgrid: InMemorySendGrid, shape: BodyShape, body: object
) -> None:
    assert put(sendgrid, answer(body=shape, message="sorry")).json() == body


def test_an_answer_can_be_a_page_of_html(sendgrid: InMemorySendGrid) -> None:
    assert "<h1>502 Bad Gateway</h1>" in put(sendgrid, answer(status=502, body="html")).text


def test_an_answer_can_be_empty(sendgrid: InMemorySendGrid) -> None:
    response = put(sendgrid, answer(body="empty"))
    assert (response.content, "Content-Type" in response.headers) == (b"", False)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "Too many bad requests. Temporary block"),
        (429, "too many requests"),
        (451, "Unavailable due to data residency restrictions"),
        (503, "service unavailable"),
    ],
)
def test_an_answer_has_the_usual_words_for_its_status(
    sendgrid: InMemorySendGrid, status: int, message: str
) -> None:
    assert put(sendgrid, answer(status=status)).json()["errors"][0]["message"] == message


def test_an_answer_has_the_headers_that_are_asked_for(sendgrid: InMemorySendGrid) -> None:
    response = put(sendgrid, answer(headers={"X-Envoy-Ratelimited": "true"}))
    assert (response.headers["X-Envoy-Ratelimited"], "X-RateLimit-Limit" in response.headers) == ("true", False)


def test_retry_after_can_be_seconds(sendgrid: InMemorySendGrid) -> None:
    assert put(sendgrid, answer(retry_after_seconds=7)).headers["Retry-After"] == "7"


def test_retry_after_can_be_a_date(sendgrid: InMemorySendGrid) -> None:
    header = put(sendgrid, answer(retry_after_seconds=7, retry_after_form=WaitForm.DATE)).headers["Retry-After"]
    assert parsedate_to_datetime(header).timestamp() == START + 7


@pytest.mark.parametrize(("form", "expected"), [("epoch", str(int(START) + 7)), ("seconds", "7")])
def test_the_reset_has_the_form_that_is_asked_for(sendgrid: InMemorySendGrid, form: str, expected: str) -> None:
    headers = put(sendgrid, answer(status=429, reset_in_seconds=7, reset_form=form)).headers
    assert (headers["X-RateLimit-Remaining"], headers["X-RateLimit-Reset"]) == ("0", expected)


def test_a_fault_skips_and_strikes_as_often_as_asked(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(answer(status=500, skip=1, times=2))
    assert [sendgrid.put(ANN).status_code for _ in range(4)] == [202, 500, 500, 202]


def test_a_fault_can_strike_for_ever(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(answer(status=500, times=None))
    assert {sendgrid.put(ANN).status_code for _ in range(5)} == {500}


def test_faults_strike_in_the_order_they_were_injected(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(answer(status=500), answer(status=503))
    assert [sendgrid.put(ANN).status_code for _ in range(3)] == [500, 503, 202]


def test_a_fault_strikes_its_own_endpoint_only(sendgrid: InMemorySendGrid) -> None:
    job_id = sendgrid.start_job(ANN)
    sendgrid.control.inject(answer(method="GET", path=f"{CONTACTS}/imports/{{id}}"))
    statuses = [sendgrid.put(ANN).status_code, sendgrid.api.get(f"{CONTACTS}/imports/{job_id}").status_code]
    assert statuses == [202, 500]


def test_faults_that_have_not_struck_can_be_dropped(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(answer())
    sendgrid.control.clear_faults()
    assert sendgrid.put(ANN).status_code == 202


def test_the_faults_that_struck_are_recorded(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(answer(status=503), answer(status=451, skip=9))
    sendgrid.put(ANN)
    sendgrid.put(ANN)
    assert [(each.fault.status, each.at) for each in sendgrid.control.injected()] == [(503, START)]


def test_a_slow_answer_comes_late_and_the_request_takes_effect(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.SLOW, delay_seconds=0.2))
    with pytest.raises(httpx.ReadTimeout):
        sendgrid.api.put(CONTACTS, json={"contacts": [ANN]}, timeout=0.05)
    sendgrid.clock.pass_(1)
    assert sendgrid.control.contact("ann@example.com")


def test_an_accepted_request_can_be_answered_with_an_error(sendgrid: InMemorySendGrid) -> None:
    response = put(sendgrid, Fault(kind=FaultKind.ERROR_AFTER_ACCEPTANCE, status=504, body=BodyShape.HTML))
    sendgrid.clock.pass_(1)
    assert (response.status_code, sendgrid.emails()) == (504, ["ann@example.com"])


def test_a_refused_request_is_not_struck_after_acceptance(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.ERROR_AFTER_ACCEPTANCE))
    sendgrid.errors({"email": "not an address"})
    assert sendgrid.control.injected() == []


def test_a_refusal_can_name_contacts_by_index(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(refusal(naming=Naming.INDEX, emails=["BOB@example.com"], indices=[2]))
    assert sendgrid.errors(ANN, BOB, EVE) == [
        {"field": f"contacts[{index}].identifier", "message": "identifier is not valid"} for index in (1, 2)
    ]


def test_a_refusal_can_name_contacts_by_address(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(refusal(naming=Naming.ADDRESS, emails=["bob@example.com"]))
    assert sendgrid.errors(ANN, BOB) == [{"message": "email 'bob@example.com' is not valid"}]


def test_a_poisonous_contact_refuses_every_request_it_is_in_and_is_not_named(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(refusal(emails=["bob@example.com"]))
    assert [sendgrid.errors(ANN, BOB), sendgrid.errors(BOB)] == [
        [{"message": "one or more contacts are not valid"}]
    ] * 2


def test_a_poisonous_contact_does_no_harm_elsewhere(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(refusal(emails=["bob@example.com"]))
    assert sendgrid.put(ANN, EVE).status_code == 202


@pytest.mark.parametrize(
    "details",
    [
        {"kind": "answer", "emails": ["ann@example.com"]},
        {"kind": "refuse_contacts"},
        {"kind": "answer", "status": 200},
        {"kind": "answer", "often": 3},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(details: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(details)
