from dataclasses import dataclass

import pytest

from tests.integration.functions_host.conftest import NewQueue, StartHost
from tests.integration.functions_host.support import Azurite, Queue, RunningHost


@dataclass(frozen=True)
class Relay:
    """A running relay: what goes into the source comes out of the two others, which do not exist at first."""

    host: RunningHost
    source: Queue
    returned: Queue
    copies: Queue


@pytest.fixture
def relay(start_host: StartHost, new_queue: NewQueue) -> Relay:
    source, returned, copies = new_queue().create(), new_queue(), new_queue()
    host = start_host("outputs", QUEUE=source.name, RETURNED=returned.name, COPIES=copies.name)
    return Relay(host, source, returned, copies)


def test_a_text_is_sent_to_the_queues_of_out_parameter_and_return_value(relay: Relay) -> None:
    relay.source.send("hello")
    assert relay.copies.wait_for(1) == ["hello"]
    assert relay.returned.wait_for(1) == ["returned hello"]


def test_a_json_array_becomes_a_message_per_element(relay: Relay) -> None:
    relay.source.send(["one", {"two": 2}])
    assert relay.copies.wait_for(2) == ["one", '{\n  "two": 2\n}']


def test_an_output_that_cannot_be_sent_fails_the_function(relay: Relay, azurite: Azurite) -> None:
    relay.source.send("[not json]")
    poison = Queue.named(f"{relay.source.name}-poison", azurite.connection_string)
    assert poison.wait_for(1) == ["[not json]"]
    assert not relay.copies.exists()
