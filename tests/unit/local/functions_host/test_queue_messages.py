import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.queue import QueueMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host.queue_messages import decode, encode, trigger_metadata


def message(**changes: Any) -> QueueMessage:  # noqa: ANN401  # as the SDK takes them
    made = QueueMessage(content="x", dequeue_count=2)
    made.id, made.pop_receipt = "m1", "p1"
    made.inserted_on = made.expires_on = made.next_visible_on = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    vars(made).update(changes)
    return made


@settings(deadline=None)
@given(st.binary())
def test_what_is_encoded_can_be_decoded(content: bytes) -> None:
    assert decode(encode(content, "base64"), "base64") == content


def test_without_encoding_a_text_is_left_as_it_is() -> None:
    assert decode("é", "none") == "é".encode()
    assert encode("é".encode(), "none") == "é"


@pytest.mark.parametrize("text", ["not base64!", "abc", "{}"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|data"):
        decode(text, "base64")


def test_counts_and_times_are_json_and_names_are_text() -> None:
    metadata = trigger_metadata(message(), "x")
    assert metadata["DequeueCount"].json == "2"
    assert metadata["Id"].string == "m1"
    assert metadata["PopReceipt"].string == "p1"
    assert metadata["QueueTrigger"].string == "x"
    assert metadata["InsertionTime"].json == '"2026-01-02T03:04:05+00:00"'


def test_scalar_properties_of_a_json_body_win_over_metadata_of_the_same_name() -> None:
    metadata = trigger_metadata(message(), json.dumps({"Id": "mine", "list": [1], "none": None, "n": 1}))
    assert metadata["Id"].string == "mine"
    assert metadata["n"].string == "1"
    assert not {"list", "none"} & set(metadata)


def test_unknown_metadata_is_left_out() -> None:
    assert set(trigger_metadata(QueueMessage(content="x", dequeue_count=0), "x")) == {
        "QueueTrigger",
        "DequeueCount",
    }
