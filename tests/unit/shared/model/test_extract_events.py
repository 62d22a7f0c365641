"""What a message on the queue of events says, and what is none of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.model.arrival import LookMessage
from shared.model.extract_events import WrittenBlob, read_message
from tests.support.events import an_event

NAME = "CustomerInsights_1/Segments/Seg/2026/03/02/0600/Seg_1.csv"
HERE = {"account": "acme", "container": "customerinsights", "prefix": ""}


def read(message: object) -> WrittenBlob | LookMessage | None:
    return read_message(json.dumps(message).encode())


def blob(**changes: Any) -> WrittenBlob:  # noqa: ANN401 - members of an event
    found = read(an_event(NAME) | changes)
    assert isinstance(found, WrittenBlob)
    return found


def test_an_event_tells_account_container_and_name() -> None:
    assert blob() == WrittenBlob(account="acme", container="customerinsights", name=NAME)


def test_an_event_in_a_list_of_its_own_is_the_same() -> None:
    assert read([an_event(NAME)]) == blob()


def test_a_subject_without_its_first_slash_is_the_same() -> None:
    assert blob(subject=an_event(NAME)["subject"].lstrip("/")) == blob()


def test_a_message_of_ours_is_told_from_an_event() -> None:
    assert read({"look": "0123456789ab"}) == LookMessage(look="0123456789ab")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Call poisonmark@example.com back, please.",
        b"\xff\xfe",
        b"[" * 60_000,
        b"null",
        b"[]",
        b'{"look": "../../../active"}',
        b'{"export": "loyal", "run": "20260302T063000Z-x", "chunk": 1}',
    ],
    ids=["empty", "words", "bytes", "deep", "null", "list", "token", "other queue"],
)
def test_what_is_no_event_is_nothing(body: bytes) -> None:
    assert read_message(body) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Microsoft.Storage.BlobDeleted"},
        {"specversion": "0.3"},
        {"source": "/subscriptions/0"},
        {"subject": "/blobServices/default/containers/customerinsights"},
        {"subject": 5},
    ],
    ids=str,
)
def test_what_is_another_event_is_nothing(changes: dict[str, object]) -> None:
    assert read(an_event(NAME) | changes) is None


def test_an_event_of_event_grids_own_schema_is_nothing() -> None:
    event = an_event(NAME)
    own = {
        "topic": event["source"],
        "eventType": event["type"],
        "subject": event["subject"],
        "data": event["data"],
    }
    assert read(own) is None


@pytest.mark.parametrize("account", ["acme", "Acme", ""])
def test_a_file_in_the_extract_container_is_ours(account: str) -> None:
    assert blob().lies_in(**HERE | {"account": account})


@pytest.mark.parametrize(
    "place",
    [{"account": "other"}, {"container": "customerinsights2"}, {"prefix": "exports/"}],
    ids=str,
)
def test_a_file_elsewhere_is_not(place: dict[str, str]) -> None:
    assert not blob().lies_in(**HERE | place)


@pytest.mark.parametrize("prefix", ["Kunden export/", "Kunden%20export/"])
def test_a_prefix_is_found_however_the_name_is_escaped(prefix: str) -> None:
    event = an_event("Kunden%20export/Seg.csv")
    found = read(event)
    assert isinstance(found, WrittenBlob)
    assert found.lies_in(**HERE | {"prefix": prefix})
