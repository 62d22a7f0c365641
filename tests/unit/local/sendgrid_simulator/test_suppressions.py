import pytest

from local.sendgrid_simulator.suppressions import SuppressionKind
from tests.support.simulated import START, InMemorySendGrid, Json

GLOBAL = "/v3/asm/suppressions/global"
ANN, BOB = "ann@example.com", "bob@example.com"
OTHERS = [kind for kind in SuppressionKind if kind is not SuppressionKind.UNSUBSCRIBES]


def listed(sendgrid: InMemorySendGrid, kind: str = "unsubscribes", **query: object) -> list[str]:
    params = {name: str(value) for name, value in query.items()}
    answer = sendgrid.api.get(f"/v3/suppression/{kind}", params=params)
    assert answer.status_code == 200, answer.text
    return [each["email"] for each in answer.json()]


def test_a_global_suppression_is_answered_with_the_address_and_none_with_nothing(
    sendgrid: InMemorySendGrid,
) -> None:
    assert sendgrid.api.post(GLOBAL, json={"recipient_emails": ["Ann@example.com"]}).status_code == 201
    answers = [sendgrid.api.get(f"{GLOBAL}/{email}").json() for email in (ANN, BOB)]
    assert answers == [{"recipient_email": ANN}, {}]


def test_global_suppressions_are_listed_with_their_moments(sendgrid: InMemorySendGrid) -> None:
    sendgrid.api.post(GLOBAL, json={"recipient_emails": [ANN]})
    entries = sendgrid.api.get("/v3/suppression/unsubscribes").json()
    assert entries == [{"email": ANN, "created": int(START)}]


def test_a_global_suppression_can_be_lifted(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.suppress(SuppressionKind.UNSUBSCRIBES, ANN, BOB)
    assert sendgrid.api.delete(f"{GLOBAL}/{ANN}").status_code == 204
    assert listed(sendgrid) == [BOB]


def test_a_suppression_leaves_the_contact_on_its_list(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": ANN})
    sendgrid.control.suppress(SuppressionKind.BOUNCES, ANN)
    assert sendgrid.emails() == [ANN]


def test_suppressions_come_in_pages(sendgrid: InMemorySendGrid) -> None:
    emails = [f"{number}@example.com" for number in range(5)]
    sendgrid.control.suppress(SuppressionKind.UNSUBSCRIBES, *emails)
    assert listed(sendgrid, limit=2, offset=4) == emails[4:]


def test_a_page_has_500_suppressions_at_most(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.suppress(SuppressionKind.BOUNCES, *(f"{number}@example.com" for number in range(501)))
    assert len(listed(sendgrid, "bounces")) == 500


def test_suppressions_are_chosen_by_time(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.suppress(SuppressionKind.BLOCKS, ANN)
    sendgrid.clock.pass_(10)
    sendgrid.control.suppress(SuppressionKind.BLOCKS, ANN, BOB)
    assert listed(sendgrid, "blocks", start_time=int(START) + 1) == [BOB]
    assert listed(sendgrid, "blocks", end_time=int(START) + 9) == [ANN]


@pytest.mark.parametrize(
    ("pattern", "found"), [("ann", [ANN]), ("example", []), ("%example", [ANN, BOB]), ("b%@", [BOB])]
)
def test_suppressions_are_chosen_by_the_beginning_of_their_address(
    sendgrid: InMemorySendGrid, pattern: str, found: list[str]
) -> None:
    sendgrid.control.suppress(SuppressionKind.BOUNCES, ANN, BOB)
    assert listed(sendgrid, "bounces", email=pattern) == found


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "offset=-1", "start_time=today"])
def test_a_page_that_cannot_be_is_refused(sendgrid: InMemorySendGrid, query: str) -> None:
    assert sendgrid.api.get(f"/v3/suppression/bounces?{query}").status_code == 400


@pytest.mark.parametrize("kind", OTHERS)
def test_the_other_lists_tell_of_one_address_and_forget_it(
    sendgrid: InMemorySendGrid, kind: SuppressionKind
) -> None:
    sendgrid.control.suppress(kind, ANN)
    path = f"/v3/suppression/{kind}/{ANN}"
    first = sendgrid.api.get(path).json()
    assert sendgrid.api.delete(path).status_code == 204
    assert ([each["email"] for each in first], sendgrid.api.get(path).json()) == ([ANN], [])


@pytest.mark.parametrize(
    ("body", "status", "left"),
    [
        ({"emails": [ANN]}, 204, [BOB]),
        ({"delete_all": True}, 204, []),
        ({}, 400, [ANN, BOB]),
        ({"delete_all": True, "emails": [ANN]}, 400, [ANN, BOB]),
        ({"emails": ["x"]}, 400, [ANN, BOB]),
    ],
)
def test_several_or_all_can_be_forgotten(
    sendgrid: InMemorySendGrid, body: Json, status: int, left: list[str]
) -> None:
    sendgrid.control.suppress(SuppressionKind.SPAM_REPORTS, ANN, BOB)
    assert sendgrid.api.request("DELETE", "/v3/suppression/spam_reports", json=body).status_code == status
    assert listed(sendgrid, "spam_reports") == left


@pytest.mark.parametrize("emails", [None, [], "x", [5], ["x"]])
def test_addresses_that_are_none_are_refused(sendgrid: InMemorySendGrid, emails: object) -> None:
    assert sendgrid.api.post(GLOBAL, json={"recipient_emails": emails}).status_code == 400


def test_a_key_without_the_scope_does_not_read_suppressions(sendgrid: InMemorySendGrid) -> None:
    sendgrid.use_key(sendgrid.control.create_key(["marketing.read"]))
    assert sendgrid.api.get("/v3/suppression/bounces").status_code == 403
