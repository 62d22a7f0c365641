"""How a chunk is taken apart and where each contact of it stands. Pure.

A delivery starts with the whole chunk pending. Each upsert takes the first pending range, less the contacts
that were refused by name; SendGrid's answer moves the range on.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.model.runs import AcceptedRange, ChunkResult, ChunkStatus, ContactRange, Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.model.reasons import Reason
    from shared.sendgrid.refusals import NamedContacts


def whole_chunk(contacts: int) -> Delivery:
    """The delivery of a chunk of which nothing was sent yet."""
    return Delivery(pending=(ContactRange(first=0, contacts=contacts),))


def lines_of(
    lines: Sequence[bytes], contact_range: ContactRange, refused: Sequence[int]
) -> list[tuple[int, bytes]]:
    """Position in the chunk and line of every contact of the range that was not refused."""
    gone = set(refused)
    return [
        (position, lines[position])
        for position in range(contact_range.first, contact_range.first + contact_range.contacts)
        if position not in gone
    ]


def accept(delivery: Delivery, *, job_id: str, now: datetime) -> Delivery:
    """SendGrid took the first pending range."""
    contact_range = delivery.pending[0]
    accepted = AcceptedRange(
        first=contact_range.first, contacts=contact_range.contacts, job_id=job_id, accepted_at=now
    )
    return _moved(delivery, pending=delivery.pending[1:], accepted=(*delivery.accepted, accepted))


def find_absent(delivery: Delivery) -> Delivery:
    """Nobody of the first pending range is on the list."""
    absent = live_contacts(delivery.pending[0], delivery.refused)
    return _moved(delivery, pending=delivery.pending[1:], absent=delivery.absent + absent)


def halve(delivery: Delivery) -> Delivery:
    """Try the first pending range, which has two contacts left at least, in two requests."""
    contact_range = delivery.pending[0]
    gone = set(delivery.refused)
    end = contact_range.first + contact_range.contacts
    live = [position for position in range(contact_range.first, end) if position not in gone]
    middle = live[len(live) // 2]
    first = ContactRange(first=contact_range.first, contacts=middle - contact_range.first)
    second = ContactRange(first=middle, contacts=end - middle)
    return _moved(delivery, pending=(first, second, *delivery.pending[1:]))


def refuse(delivery: Delivery, positions: Sequence[int]) -> Delivery:
    """Leave out the contacts at these positions of the chunk."""
    refused = tuple(sorted({*delivery.refused, *positions}))
    return _moved(
        delivery, refused=refused, pending=tuple(p for p in delivery.pending if live_contacts(p, refused))
    )


def give_up(delivery: Delivery, reason: Reason) -> Delivery:
    """Send nothing more; what is pending is given up for `reason`."""
    lost = sum(live_contacts(contact_range, delivery.refused) for contact_range in delivery.pending)
    return _moved(delivery, pending=(), given_up=delivery.given_up + lost, reason=delivery.reason or reason)


def waiting(delivery: Delivery, wait: float, *, now: datetime, for_sendgrid: bool) -> Delivery:
    """Nothing was sent: the chunk's message comes back after `wait` seconds; only SendGrid's waits are counted."""
    moved = _moved(delivery, waits_until=now + timedelta(seconds=wait))
    if not for_sendgrid:
        return moved
    return moved.model_copy(update={"waits": delivery.waits + 1, "waited_s": round(delivery.waited_s + wait, 1)})


def send_again(delivery: Delivery, lost: Sequence[AcceptedRange]) -> Delivery:
    """Make accepted ranges pending again."""
    again = tuple(
        ContactRange(first=contact_range.first, contacts=contact_range.contacts) for contact_range in lost
    )
    kept = tuple(contact_range for contact_range in delivery.accepted if contact_range not in lost)
    return _moved(delivery, pending=(*delivery.pending, *again), accepted=kept, resends=delivery.resends + 1)


def live_contacts(contact_range: ContactRange, refused: Sequence[int]) -> int:
    """Contacts of a range that were not refused."""
    end = contact_range.first + contact_range.contacts
    return contact_range.contacts - sum(contact_range.first <= position < end for position in refused)


def named_positions(sent: Sequence[tuple[int, bytes]], named: NamedContacts) -> list[int]:
    """Positions in the chunk of the contacts that a refusal names; `sent` is what the request held, in order."""
    by_index = [sent[index][0] for index in named.indexes if index < len(sent)]
    if not named.emails:
        return by_index
    return by_index + [position for position, line in sent if _addresses(line) & named.emails]


def _addresses(line: bytes) -> set[str]:
    contact = json.loads(line)
    return {contact.get("email", ""), *contact.get("alternate_emails", ())}


def _moved(delivery: Delivery, **changes: object) -> Delivery:
    return delivery.model_copy(update={"claim": None, "waits_until": None, **changes})


def unsent_result(delivery: Delivery, contacts: int, now: datetime, *, removal: bool) -> ChunkResult:
    """The result of a chunk of which SendGrid accepted nothing."""
    lost = len(delivery.refused) + delivery.given_up
    return ChunkResult(
        status=ChunkStatus.FAILED if lost else ChunkStatus.COMPLETED,
        finished_at=now,
        contacts=contacts,
        removal=removal,
        refused=len(delivery.refused),
        not_sent=delivery.given_up,
        absent=delivery.absent,
        requests=delivery.requests,
        reason=delivery.reason,
    )
