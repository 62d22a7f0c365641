from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from shared.model.messages import (
    CHUNKS_QUEUE,
    IMPORTS_QUEUE,
    ON_IMPORTS,
    POISON_SUFFIX,
    RUNS_QUEUE,
    ImportMessage,
    Message,
)
from tests.support.factories import NOW, RUN_ID, a_chunk_message, a_run_message

MESSAGES = [
    a_run_message(),
    a_run_message(attempt=7),
    a_chunk_message(),
    a_chunk_message(chunk=99, attempt=3, slot=NOW),
    ImportMessage(export="loyal", run=RUN_ID, chunk=2, attempt=4, poll_token="0123456789ab"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_a_message_survives_the_queue(message: Message) -> None:
    assert type(message).model_validate_json(message.model_dump_json(exclude_defaults=True)) == message


def test_a_first_message_says_no_more_than_what_it_is_about() -> None:
    body = a_chunk_message().model_dump(exclude_defaults=True)
    assert body == {"export": "loyal", "run": RUN_ID, "chunk": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"export": "../other"},
        {"run": "latest"},
        {"chunk": 0},
        {"attempt": 0},
        {"slot": "soon"},
    ],
    ids=str,
)
def test_a_message_that_cannot_be_ours_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_chunk_message(**changes)


def test_a_token_that_cannot_be_ours_is_refused() -> None:
    with pytest.raises(ValidationError):
        ImportMessage(export="loyal", run=RUN_ID, chunk=2, poll_token="not-a-token!")


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_a_message_of_a_newer_version_is_read_and_not_passed_on(message: Message) -> None:
    newer = json.loads(message.model_dump_json()) | {"surprise": 1}
    read = type(message).model_validate_json(json.dumps(newer))
    assert (read, "surprise" in read.model_dump()) == (message, False)


def test_a_refused_message_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        a_run_message(run="nora@example.com")
    assert "nora" not in str(caught.value)


def test_the_host_moves_what_fails_to_a_queue_of_that_name() -> None:
    assert [queue + POISON_SUFFIX for queue in (RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE)] == [
        "runs-poison",
        "chunks-poison",
        "imports-poison",
    ]


def test_what_is_no_message_of_the_imports_is_not_told_of() -> None:
    with pytest.raises(ValidationError) as found:
        ON_IMPORTS.model_validate_json('{"customer": "poisonmark@example.com"}')
    assert "poisonmark" not in str(found.value)
