from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.model.runs import ChunkStatus, Claim, ContactRange, Delivery
from shared.runs.delivery_state import (
    accept,
    give_up,
    halve,
    lines_of,
    live_contacts,
    named_positions,
    refuse,
    send_again,
    unsent_result,
    waiting,
    whole_chunk,
)
from shared.sendgrid.refusals import NamedContacts
from tests.support.factories import NOW, a_delivery, a_range, a_reason, an_accepted_range


def positions(contact_range: ContactRange, refused: tuple[int, ...]) -> list[int]:
    return [
        n for n in range(contact_range.first, contact_range.first + contact_range.contacts) if n not in refused
    ]


class Delivering(RuleBasedStateMachine):
    """Any sequence of answers: every contact of the chunk stays in exactly one state."""

    @initialize(contacts=st.integers(min_value=1, max_value=12))
    def start(self, contacts: int) -> None:
        self.contacts = contacts
        self.jobs = 0
        self.delivery = whole_chunk(contacts)

    @precondition(lambda self: self.delivery.pending)
    @rule()
    def accept(self) -> None:
        self.jobs += 1
        self.delivery = accept(self.delivery, job_id=f"job-{self.jobs}", now=NOW)

    @precondition(lambda self: self.delivery.pending and self.sent_now() > 1)
    @rule()
    def halve(self) -> None:
        self.delivery = halve(self.delivery)

    @precondition(lambda self: self.delivery.pending)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        live = positions(self.delivery.pending[0], self.delivery.refused)
        beginning = st.integers(1, len(live)).map(lambda n: live[:n])
        self.delivery = refuse(self.delivery, data.draw(beginning | st.lists(st.sampled_from(live), min_size=1)))

    @precondition(lambda self: self.delivery.pending and self.delivery.given_up == 0)
    @rule()
    def give_up(self) -> None:
        self.delivery = give_up(self.delivery, a_reason())

    @precondition(lambda self: self.delivery.accepted and not self.delivery.pending)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        lost = data.draw(st.lists(st.sampled_from(self.delivery.accepted), min_size=1, unique=True))
        self.delivery = send_again(self.delivery, lost)

    @precondition(lambda self: not self.delivery.pending)
    @rule()
    def be_done(self) -> None:
        assert not self.delivery.claim

    def sent_now(self) -> int:
        return live_contacts(self.delivery.pending[0], self.delivery.refused)

    @invariant()
    def every_contact_is_in_one_state(self) -> None:
        held = Counter(self.delivery.refused)
        for contact_range in (*self.delivery.pending, *self.delivery.accepted):
            held.update(positions(contact_range, self.delivery.refused))
        assert all(held[position] <= 1 for position in range(self.contacts))
        assert held.total() + self.delivery.given_up == self.contacts

    @invariant()
    def live_counts_add_up(self) -> None:
        ranges = (*self.delivery.pending, *self.delivery.accepted)
        live = sum(live_contacts(contact_range, self.delivery.refused) for contact_range in ranges)
        assert live + len(self.delivery.refused) + self.delivery.given_up == self.contacts

    @invariant()
    def every_request_has_somebody_in_it(self) -> None:
        assert all(live_contacts(contact_range, self.delivery.refused) for contact_range in self.delivery.pending)


TestDelivering = Delivering.TestCase


# --- moves --------------------------------------------------------------------------------------------------


def test_a_delivery_starts_with_everything_pending() -> None:
    assert whole_chunk(7) == Delivery(pending=(ContactRange(first=0, contacts=7),))


def test_accepting_takes_the_first_pending_portion() -> None:
    delivery = accept(a_delivery(pending=(a_range(0, 5), a_range(5, 5))), job_id="job-1", now=NOW)
    assert (delivery.pending, delivery.accepted) == ((a_range(5, 5),), (an_accepted_range(0, 5, "job-1"),))


def test_halving_keeps_the_order() -> None:
    delivery = halve(a_delivery(pending=(a_range(0, 5), a_range(5, 5))))
    assert delivery.pending == (a_range(0, 2), a_range(2, 3), a_range(5, 5))


def test_a_half_can_be_halved_again() -> None:
    assert halve(a_delivery(pending=(a_range(5, 5),))).pending == (a_range(5, 2), a_range(7, 3))


def test_a_half_that_holds_nobody_is_not_sent() -> None:
    delivery = halve(a_delivery(pending=(a_range(0, 4),), refused=(0, 1)))
    assert all(live_contacts(contact_range, delivery.refused) for contact_range in delivery.pending)


def test_a_portion_that_is_refused_as_a_whole_is_no_longer_pending() -> None:
    assert refuse(a_delivery(pending=(a_range(0, 2), a_range(2, 2))), [0, 1]).pending == (a_range(2, 2),)


def test_the_first_reason_to_give_up_counts() -> None:
    first, second = a_reason(code="first"), a_reason(code="second")
    again = send_again(give_up(a_delivery(accepted=(an_accepted_range(),)), first), [an_accepted_range()])
    assert give_up(again, second).reason == first


def test_sending_again_counts_as_a_resend() -> None:
    delivery = send_again(a_delivery(pending=(), accepted=(an_accepted_range(),)), [an_accepted_range()])
    assert (delivery.pending, delivery.accepted, delivery.resends) == ((a_range(),), (), 1)


def test_waits_are_counted_and_their_seconds_added_to_a_tenth() -> None:
    once = waiting(a_delivery(), 1.04, now=NOW, for_sendgrid=True)
    delivery = waiting(once, 2.5, now=NOW, for_sendgrid=True)
    assert (delivery.pending, delivery.waits, delivery.waited_s) == ((a_range(),), 2, 3.5)
    assert delivery.waits_until == NOW + timedelta(seconds=2.5)


def test_waits_for_others_than_sendgrid_are_not_counted() -> None:
    delivery = waiting(a_delivery(), 30, now=NOW, for_sendgrid=False)
    assert (delivery.waits, delivery.waited_s) == (0, 0)
    assert delivery.waits_until == NOW + timedelta(seconds=30)


def test_every_move_gives_the_claim_back() -> None:
    claimed = a_delivery(claim=Claim(message="m1", since=NOW), accepted=(an_accepted_range(10),))
    moved = [
        accept(claimed, job_id="job-2", now=NOW),
        halve(claimed),
        refuse(claimed, [0]),
        give_up(claimed, a_reason()),
        send_again(claimed, claimed.accepted),
        waiting(claimed, 1, now=NOW, for_sendgrid=True),
    ]
    assert [delivery.claim for delivery in moved] == [None] * 6


# --- lines --------------------------------------------------------------------------------------------------


def lines(*emails: str) -> list[bytes]:
    return [json.dumps({"email": email}).encode() for email in emails]


@given(total=st.integers(1, 40), data=st.data())
def test_the_lines_of_a_portion_are_its_live_contacts(total: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, total - 1))
    contact_range = ContactRange(first=first, contacts=data.draw(st.integers(1, total - first)))
    refused = data.draw(st.lists(st.integers(0, total - 1), unique=True))
    chunk = [b"%d" % n for n in range(total)]
    found = lines_of(chunk, contact_range, refused)
    assert found == [(n, chunk[n]) for n in positions(contact_range, tuple(refused))]
    assert len(found) == live_contacts(contact_range, refused)


def test_an_index_counts_from_the_beginning_of_the_request() -> None:
    sent = lines_of(lines("a@x.se", "b@x.se", "c@x.se", "d@x.se"), a_range(1, 3), refused=[2])
    assert named_positions(sent, NamedContacts(indexes=frozenset({1}))) == [3]


def test_an_index_beyond_the_request_names_nobody() -> None:
    sent = list(enumerate(lines("a@x.se")))
    assert named_positions(sent, NamedContacts(indexes=frozenset({1, 30_000}))) == []


@pytest.mark.parametrize(
    "line", [{"email": "b@x.se"}, {"email": "c@x.se", "alternate_emails": ["z@x.se", "b@x.se"]}]
)
def test_an_address_names_whoever_has_it(line: dict[str, object]) -> None:
    sent = [(4, b'{"email":"a@x.se"}'), (7, json.dumps(line).encode())]
    assert named_positions(sent, NamedContacts(emails=frozenset({"b@x.se"}))) == [7]


def test_an_address_that_was_not_sent_names_nobody() -> None:
    assert named_positions(list(enumerate(lines("a@x.se"))), NamedContacts(emails=frozenset({"b@x.se"}))) == []


def test_a_chunk_of_which_nothing_was_accepted_failed() -> None:
    delivery = a_delivery(pending=(), refused=(1, 2), given_up=8, reason=a_reason(), requests=3)
    result = unsent_result(delivery, 10, NOW, removal=False)
    assert (result.status, result.refused, result.not_sent, result.requests) == (ChunkStatus.FAILED, 2, 8, 3)
