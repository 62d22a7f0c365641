"""What the functions on queues do with messages that cannot be worked on now, or never."""

from __future__ import annotations

import pytest
from azure.functions.queue import QueueMessage
from pydantic import ValidationError

from functions import queues
from shared.errors import SettingsError, TransientError
from shared.model.messages import ChunkMessage, ImportMessage, Message, RunMessage
from tests.support.factories import RUN_ID, some_services, use_services
from tests.support.in_memory_app import Clock, user_function
from tests.support.memory_storage import MemoryQueues

IDS = {"export": "loyal", "run": RUN_ID}
HANDLERS = {
    queues.plan_run: RunMessage(**IDS),
    queues.deliver_chunk: ChunkMessage(**IDS, chunk=1),
    queues.check_import: ImportMessage(**IDS, chunk=1, poll_token="0123456789ab"),
}


class Away:
    """Storage of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def list_blobs(self, _prefix: str) -> None:
        raise self._error

    def get(self, _name: str) -> None:
        raise self._error

    def upsert(self, _name: str, _data: bytes) -> None:
        raise self._error


@pytest.mark.parametrize("error", [TransientError("storage is away"), SettingsError("storage refuses the app")])
@pytest.mark.parametrize(("handler", "message"), HANDLERS.items(), ids=["runs", "chunks", "imports"])
def test_while_storage_fails_a_message_is_put_off_and_counted(
    handler: object, message: Message, error: Exception
) -> None:
    waiting, services = MemoryQueues(Clock()), some_services()
    services.store.blobs = Away(error)  # type: ignore[assignment]  # the methods that are called
    vars(services)["queues"] = waiting
    use_services(services)
    user_function(handler)(QueueMessage(id="1", body=message.model_dump_json()))
    (later,) = waiting.waiting
    assert later.queue == message.queue
    assert type(message).model_validate_json(later.body).storage_waits == 1
    assert type(message).model_validate_json(later.body).attempt == 1  # that counts SendGrid's refusals


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_message_that_is_none_of_ours_fails(handler: object) -> None:
    with pytest.raises(ValidationError):
        user_function(handler)(QueueMessage(id="1", body='{"export": "loyal"}'))
