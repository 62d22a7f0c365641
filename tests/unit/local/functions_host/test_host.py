import socket
from typing import TYPE_CHECKING, Any, cast

from local.functions_host.host import Host, resolve_app
from local.functions_host.host_json import HostJson
from local.functions_host.keys import Keys
from local.functions_host.worker import Function

if TYPE_CHECKING:
    from local.functions_host.remote_worker import RemoteWorker

STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"
HOST_JSON = HostJson.model_validate(
    {
        "version": "2.0",
        "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"},
    }
)


def reader_of(queue: str) -> Function:
    trigger: dict[str, Any] = {"name": "x", "type": "queueTrigger", "queueName": queue, "connection": "Data"}
    return Function(name=queue, function_id=queue, trigger=trigger, outputs=())


def test_a_message_sent_by_the_host_wakes_the_listeners_of_that_queue_only() -> None:
    app = resolve_app([reader_of("one"), reader_of("two")], HOST_JSON, {"Data": STORAGE})
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = Host(
            app,
            cast("RemoteWorker", None),
            listening,
            keys=Keys(),
            lease_seconds=600,
            timer_lease_seconds=60,
            grace_seconds=10,
        )
    host._wake("https://a.queue.core.windows.net/two")
    assert [listener._woken.is_set() for listener in host._queue_listeners] == [False, True]
