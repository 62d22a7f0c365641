"""One call of a function: worker, output bindings, log."""

import asyncio
import logging
import time
import traceback
import uuid
from collections.abc import Callable, Mapping

from azure.storage.queue import QueueClient

from local.functions_host.outputs import send_all
from local.functions_host.protos import InvocationResponse, TypedData
from local.functions_host.queue_messages import Encoding
from local.functions_host.remote_worker import RemoteWorker
from local.functions_host.worker import Function, WorkerError

logger = logging.getLogger(__name__)


class Invoker:
    """Calls functions of one app."""

    def __init__(
        self,
        worker: RemoteWorker,
        *,
        outputs: Mapping[str, Mapping[str, QueueClient]],
        encoding: Encoding,
        on_sent: Callable[[str], None],
    ) -> None:
        """Take the queues of each function's outputs; ``on_sent`` is told which queue got messages."""
        self._worker = worker
        self._outputs = outputs
        self._encoding = encoding
        self._on_sent = on_sent

    async def run(
        self, function: Function, value: TypedData, metadata: dict[str, TypedData] | None = None
    ) -> InvocationResponse | None:
        """Call a function and serve its output bindings.

        Returns:
            The worker's answer, or None when the function or one of its output bindings failed; the log has
            the reason.
        """
        invocation_id = str(uuid.uuid4())
        logger.info("Executing 'Functions.%s' (Id=%s)", function.name, invocation_id)
        started = time.monotonic()
        response, reason = None, ""
        try:
            response = await self._worker.invoke(function, invocation_id, value, metadata or {})
            await self._send_outputs(function, response)
        except WorkerError as error:
            response, reason = None, error.stack_trace or str(error)
        except Exception:  # noqa: BLE001  # a value or queue that cannot be used fails the function, not the host
            response, reason = None, traceback.format_exc()
        milliseconds = round((time.monotonic() - started) * 1000)
        end = (function.name, invocation_id, milliseconds)
        if response:
            logger.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%dms)", *end)
        else:
            logger.error("Executed 'Functions.%s' (Failed, Id=%s, Duration=%dms)\n%s", *end, reason.rstrip())
        return response

    async def _send_outputs(self, function: Function, response: InvocationResponse) -> None:
        queues = self._outputs.get(function.name)
        if queues:
            for address in await asyncio.to_thread(send_all, response, queues, self._encoding):
                self._on_sent(address)
