"""The host side of the worker protocol, around the genuine worker library.

The order of calls is that of the proxy worker, which loads the same library in Azure
(https://github.com/Azure/azure-functions-python-worker, workers/proxy_worker/dispatcher.py).
"""

import asyncio
import json
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.functions_host import protos

PROJECT_ROOT = Path(__file__).resolve().parents[2]

type Handler = Callable[[object], Coroutine[Any, Any, object]]


class WorkerError(Exception):
    """The worker could not load the app or a function failed; the message is the worker's own."""

    def __init__(self, exception: protos.RpcException | None) -> None:
        """Keep what the worker told."""
        super().__init__(exception.message if exception else "the worker gave no reason")
        self.stack_trace = exception.stack_trace if exception else ""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function of the app, as its decorators describe it."""

    name: str
    function_id: str
    trigger: dict[str, Any]
    outputs: tuple[dict[str, Any], ...]
    has_retry_policy: bool = False

    @classmethod
    def from_metadata(cls, metadata: protos.RpcFunctionMetadata) -> "Function":
        """Read the worker's description of a function."""
        bindings = [json.loads(raw) for raw in metadata.raw_bindings]
        return cls(
            name=metadata.name,
            function_id=metadata.function_id,
            trigger=next(each for each in bindings if each["type"].lower().endswith("trigger")),
            outputs=tuple(each for each in bindings if each["direction"].upper() == "OUT"),
            has_retry_policy=metadata.retry_options is not None,
        )


def path_with_app_last(path: Iterable[str], app_dir: Path) -> list[str]:
    """Return the module search path as in Azure, where the app folder comes after the installed packages.

    The project's root goes, too: this package is loaded already, and another app must not find our
    function_app.py.
    """
    unwanted = {app_dir, PROJECT_ROOT}
    return [*(entry for entry in path if Path(entry).resolve() not in unwanted), str(app_dir)]


def _traceparent(trigger_value: protos.TypedData) -> str:
    """Return the invocation's place in a trace; over HTTP it goes on the caller's, as ASP.NET Core does it."""
    sent = trigger_value.http.headers.get("traceparent", "") if trigger_value.http else ""
    found = re.fullmatch(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", sent)
    return f"00-{found[1] if found else secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class Worker:
    """Runs the functions of one app; there can be one per process, for the library keeps the app in globals.

    The library lives on an event loop and thread of its own: a coroutine function that blocks holds up other
    functions, but not the answers to the host. What ends the loop, such as SystemExit in a function, ends the
    process.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._stopping = False

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            if not self._stopping:
                os._exit(1)

    async def start(self, app_dir: Path) -> list[Function]:
        """Load the app in ``app_dir``.

        Raises:
            WorkerError: the app cannot be imported or one of its functions is declared wrongly.
        """
        sys.path[:] = path_with_app_last(sys.path, app_dir)
        import azure_functions_runtime as library

        self._library = library
        self._thread.start()
        library.start_threadpool_executor()
        directory = str(app_dir)
        init = protos.WorkerInitRequest(host_version="4", function_app_directory=directory)
        await self._ask(
            library.worker_init_request,
            protos.StreamingMessage(worker_init_request=init),
            protos.WorkerInitResponse,
        )
        response = await self._ask(
            library.functions_metadata_request,
            protos.StreamingMessage(functions_metadata_request=protos.FunctionsMetadataRequest()),
            protos.FunctionMetadataResponse,
        )
        for metadata in response.function_metadata_results:
            await self._ask(
                library.function_load_request,
                protos.StreamingMessage(
                    function_load_request=protos.FunctionLoadRequest(function_id=metadata.function_id)
                ),
                protos.FunctionLoadResponse,
            )
        return [Function.from_metadata(metadata) for metadata in response.function_metadata_results]

    async def invoke(
        self,
        function: Function,
        invocation_id: str,
        trigger_value: protos.TypedData,
        trigger_metadata: dict[str, protos.TypedData],
    ) -> protos.InvocationResponse:
        """Call a function once.

        Raises:
            WorkerError: the function raised, or what it returned does not fit its bindings.
        """
        request = protos.InvocationRequest(
            invocation_id=invocation_id,
            function_id=function.function_id,
            input_data=[protos.ParameterBinding(name=function.trigger["name"], data=trigger_value)],
            trigger_metadata=trigger_metadata,
            trace_context=protos.RpcTraceContext(trace_parent=_traceparent(trigger_value)),
        )
        return await self._ask(
            self._library.invocation_request,
            protos.StreamingMessage(invocation_request=request),
            protos.InvocationResponse,
        )

    def stop(self) -> None:
        """Wait for the functions' threads and end the worker's loop."""
        self._stopping = True
        self._library.stop_threadpool_executor()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _ask[Response: protos.Response](
        self, handler: Handler, message: protos.StreamingMessage, expected: type[Response]
    ) -> Response:
        request = SimpleNamespace(request=message, properties={"protos": protos, "host": "127.0.0.1"})
        response = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(handler(request), self._loop))
        if not isinstance(response, expected):
            raise TypeError(f"the worker answered with {type(response).__name__}")
        if response.result.status != protos.StatusResult.Success:
            raise WorkerError(response.result.exception)
        return response
