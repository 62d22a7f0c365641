"""The worker as the host has it: a process that dies, is replaced, and takes with it what it had in hand.

As measured: with its death every call in it fails at once, a new worker starts after 0.2 s, and the third death
within half an hour ends the host. A call beyond `functionTimeout` fails, and two seconds later the whole worker is
replaced, which is no death. Stricter on purpose: a worker that cannot load the app a second time ends the host.
"""

import asyncio
import itertools
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.functions_host.errors import HostEndError
from local.functions_host.frames import Failure, Invoke, Start, Stop, frame, read_frame
from local.functions_host.logs import HOST
from local.functions_host.protos import InvocationResponse, RpcException, TypedData
from local.functions_host.worker import PROJECT_ROOT, Function, WorkerError

DEATHS_MAX = 3
DEATHS_WITHIN_SECONDS = 1800.0
RESTART_SECONDS = 0.2
REPLACED_AFTER_SECONDS = 2.0

logger = logging.getLogger(HOST)


class WorkerDiedError(WorkerError):
    """The worker's process ended while it had the call."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(RpcException(message="the worker's process ended"))


class _Process:
    """One life of the worker."""

    def __init__(self) -> None:
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self.over = asyncio.Event()

    async def start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603  # our own command, which starts at once
                [sys.executable, "-m", "local.functions_host.worker_process", str(theirs.fileno())],
                cwd=PROJECT_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read())

    async def ask(self, content: object) -> Any:  # noqa: ANN401  # each request has an answer of its own
        """What the worker answers. Raises WorkerError, and WorkerDiedError when it ends before."""
        if self.over.is_set():
            raise WorkerDiedError
        number = next(self._numbers)
        answer = self._pending[number] = asyncio.get_running_loop().create_future()
        self._writer.write(frame(number, content))
        found = await answer
        if isinstance(found, Failure):
            raise WorkerError(RpcException(message=found.message, stack_trace=found.stack_trace))
        return found

    async def _read(self) -> None:
        while (found := await read_frame(self._reader)) is not None:
            number, content = found
            answer = self._pending.pop(number, None)
            if answer is not None and not answer.done():
                answer.set_result(content)
        self.over.set()
        self.kill()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(WorkerDiedError())
        self._pending.clear()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> None:
        await asyncio.to_thread(self._process.wait)


class RemoteWorker:
    """Runs the functions of one app in a process of its own, and starts it anew when it dies."""

    def __init__(self, *, timeout_seconds: float | None, on_end: Callable[[HostEndError], None]) -> None:
        """Take the longest a call may last, and whom to tell that the host must end."""
        self._timeout_seconds = timeout_seconds
        self._on_end = on_end
        self._deaths: list[float] = []
        self._ready = asyncio.Event()
        self._stopping = False
        self._replaced: _Process | None = None
        self._guarding: set[asyncio.Task[None]] = set()

    async def start(self, app_dir: Path) -> list[Function]:
        """Load the app in ``app_dir``.

        Raises:
            WorkerError: the app cannot be imported or one of its functions is declared wrongly.
        """
        self._app_dir = app_dir
        return await self._begin()

    async def _begin(self) -> list[Function]:
        process = _Process()
        await process.start()
        functions: list[Function] = await process.ask(Start(app_dir=self._app_dir))
        self._process = process
        self._ready.set()
        self._keep(self._guard(process))
        return functions

    async def _guard(self, process: _Process) -> None:
        """Wait for the end of a life, and begin the next."""
        await process.over.wait()
        if self._stopping:
            return
        self._ready.clear()
        now = time.monotonic()
        self._deaths = [each for each in self._deaths if now - each < DEATHS_WITHIN_SECONDS]
        if process is not self._replaced:
            self._deaths.append(now)
            logger.error("The worker's process ended; deaths in the last half an hour: %d", len(self._deaths))
        if len(self._deaths) >= DEATHS_MAX:
            self._on_end(HostEndError("Exceeded language worker restart retry count", HostEndError.WORKER))
            return
        await asyncio.sleep(RESTART_SECONDS)
        try:
            await self._begin()
        except WorkerError as error:
            self._on_end(HostEndError(f"The worker cannot be started again: {error}", HostEndError.WORKER))

    async def invoke(
        self,
        function: Function,
        invocation_id: str,
        trigger_value: TypedData,
        trigger_metadata: dict[str, TypedData],
    ) -> InvocationResponse:
        """Call a function once.

        Raises:
            WorkerError: the function raised, what it returned does not fit its bindings, it took too long, or its
                worker died.
        """
        await self._ready.wait()
        process = self._process
        call = Invoke(
            function=function, invocation_id=invocation_id, value=trigger_value, metadata=trigger_metadata
        )
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response: InvocationResponse = await process.ask(call)
        except TimeoutError:
            self._keep(self._replace(process))
            message = f"Timeout value of {self._timeout_seconds:g} s exceeded by function: {function.name}"
            raise WorkerError(RpcException(message=message)) from None
        return response

    async def _replace(self, process: _Process) -> None:
        await asyncio.sleep(REPLACED_AFTER_SECONDS)
        if not process.over.is_set():
            self._replaced = process
            process.kill()

    def _keep(self, work: Any) -> None:  # noqa: ANN401  # any coroutine
        task = asyncio.create_task(work)
        self._guarding.add(task)
        task.add_done_callback(self._guarding.discard)

    async def stop(self) -> None:
        """Wait for the functions that run, and end the process."""
        self._stopping = True
        with suppress(WorkerError):
            await self._process.ask(Stop())
        await self._process.wait()

    def kill(self) -> None:
        """End the process with whatever runs in it."""
        self._stopping = True
        self._process.kill()
