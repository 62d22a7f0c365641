from email.utils import parsedate_to_datetime

import httpx
import pytest
from pydantic import ValidationError

from local.sendgrid_simulator.faults import BodyShape, Fault, FaultKind, Naming, WaitForm
from tests.support.simulated import CONTACTS, START, World

ANN, BOB, EVE = ({"email": f"{name}@example.com"} for name in ("ann", "bob", "eve"))


def answer(**details: object) -> Fault:
    return Fault.model_validate({"kind": FaultKind.ANSWER} | details)


def refusal(**details: object) -> Fault:
    return Fault.model_validate({"kind": FaultKind.REFUSE_CONTACTS, "times": None} | details)


def put(world: World, fault: Fault) -> httpx.Response:
    world.control.inject(fault)
    return world.put(ANN)


@pytest.mark.parametrize("status", [403, 429, 451, 500, 503, 504, 599])
def test_any_error_status_can_be_answered(world: World, status: int) -> None:
    assert put(world, answer(status=status)).status_code == status


def test_an_answer_in_sendgrids_place_has_no_effect(world: World) -> None:
    put(world, answer())
    world.clock.pass_(5)
    assert world.emails() == []


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (BodyShape.ERRORS, {"errors": [{"field": None, "message": "sorry"}]}),
        (BodyShape.OBJECT, {"message": "sorry", "error_id": "simulated"}),
        (BodyShape.ARRAY, [{"message": "sorry"}]),
        (BodyShape.GATEWAY, {"message": "sorry"}),
    ],
)
def test_an_answer_has_the_json_shape_that_is_asked_for(world: World, shape: BodyShape, body: object) -> None:
    assert put(world, answer(body=shape, message="sorry")).json() == body


def test_an_answer_can_be_a_page_of_html(world: World) -> None:
    assert "<h1>502 Bad Gateway</h1>" in put(world, answer(status=502, body="html")).text


def test_an_answer_can_be_empty(world: World) -> None:
    response = put(world, answer(body="empty"))
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
def test_an_answer_has_the_usual_words_for_its_status(world: World, status: int, message: str) -> None:
    assert put(world, answer(status=status)).json()["errors"][0]["message"] == message


def test_an_answer_has_the_headers_that_are_asked_for(world: World) -> None:
    response = put(world, answer(headers={"X-Envoy-Ratelimited": "true"}))
    assert (response.headers["X-Envoy-Ratelimited"], "X-RateLimit-Limit" in response.headers) == ("true", False)


def test_retry_after_can_be_seconds(world: World) -> None:
    assert put(world, answer(retry_after_seconds=7)).headers["Retry-After"] == "7"


def test_retry_after_can_be_a_date(world: World) -> None:
    header = put(world, answer(retry_after_seconds=7, retry_after_form=WaitForm.DATE)).headers["Retry-After"]
    assert parsedate_to_datetime(header).timestamp() == START + 7


@pytest.mark.parametrize(("form", "expected"), [("epoch", str(int(START) + 7)), ("seconds", "7")])
def test_the_reset_has_the_form_that_is_asked_for(world: World, form: str, expected: str) -> None:
    headers = put(world, answer(status=429, reset_in_seconds=7, reset_form=form)).headers
    assert (headers["X-RateLimit-Remaining"], headers["X-RateLimit-Reset"]) == ("0", expected)


def test_a_fault_skips_and_strikes_as_often_as_asked(world: World) -> None:
    world.control.inject(answer(status=500, skip=1, times=2))
    assert [world.put(ANN).status_code for _ in range(4)] == [202, 500, 500, 202]


def test_a_fault_can_strike_for_ever(world: World) -> None:
    world.control.inject(answer(status=500, times=None))
    assert {world.put(ANN).status_code for _ in range(5)} == {500}


def test_faults_strike_in_the_order_they_were_injected(world: World) -> None:
    world.control.inject(answer(status=500), answer(status=503))
    assert [world.put(ANN).status_code for _ in range(3)] == [500, 503, 202]


def test_a_fault_strikes_its_own_endpoint_only(world: World) -> None:
    job_id = world.start_job(ANN)
    world.control.inject(answer(method="GET", path=f"{CONTACTS}/imports/{{id}}"))
    statuses = [world.put(ANN).status_code, world.api.get(f"{CONTACTS}/imports/{job_id}").status_code]
    assert statuses == [202, 500]


def test_faults_that_have_not_struck_can_be_dropped(world: World) -> None:
    world.control.inject(answer())
    world.control.clear_faults()
    assert world.put(ANN).status_code == 202


def test_the_faults_that_struck_are_recorded(world: World) -> None:
    world.control.inject(answer(status=503), answer(status=451, skip=9))
    world.put(ANN)
    world.put(ANN)
    assert [(each.fault.status, each.at) for each in world.control.injected()] == [(503, START)]


def test_a_slow_answer_comes_late_and_the_request_takes_effect(world: World) -> None:
    world.control.inject(Fault(kind=FaultKind.SLOW, delay_seconds=0.2))
    with pytest.raises(httpx.ReadTimeout):
        world.api.put(CONTACTS, json={"contacts": [ANN]}, timeout=0.05)
    world.clock.pass_(1)
    assert world.control.contact("ann@example.com")


def test_an_accepted_request_can_be_answered_with_an_error(world: World) -> None:
    response = put(world, Fault(kind=FaultKind.ERROR_AFTER_ACCEPTANCE, status=504, body=BodyShape.HTML))
    world.clock.pass_(1)
    assert (response.status_code, world.emails()) == (504, ["ann@example.com"])


def test_a_refused_request_is_not_struck_after_acceptance(world: World) -> None:
    world.control.inject(Fault(kind=FaultKind.ERROR_AFTER_ACCEPTANCE))
    world.errors({"email": "not an address"})
    assert world.control.injected() == []


def test_a_refusal_can_name_contacts_by_index(world: World) -> None:
    world.control.inject(refusal(naming=Naming.INDEX, emails=["BOB@example.com"], indices=[2]))
    assert world.errors(ANN, BOB, EVE) == [
        {"field": f"contacts[{index}].identifier", "message": "identifier is not valid"} for index in (1, 2)
    ]


def test_a_refusal_can_name_contacts_by_address(world: World) -> None:
    world.control.inject(refusal(naming=Naming.ADDRESS, emails=["bob@example.com"]))
    assert world.errors(ANN, BOB) == [{"message": "email 'bob@example.com' is not valid"}]


def test_a_poisonous_contact_refuses_every_request_it_is_in_and_is_not_named(world: World) -> None:
    world.control.inject(refusal(emails=["bob@example.com"]))
    assert [world.errors(ANN, BOB), world.errors(BOB)] == [[{"message": "one or more contacts are not valid"}]] * 2


def test_a_poisonous_contact_does_no_harm_elsewhere(world: World) -> None:
    world.control.inject(refusal(emails=["bob@example.com"]))
    assert world.put(ANN, EVE).status_code == 202


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
