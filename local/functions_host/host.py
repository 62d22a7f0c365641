"""The host as a whole: an app's functions, each with its listener."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from azure.storage.queue import QueueClient, QueueMessage

from local.functions_host.errors import SettingError
from local.functions_host.host_json import HostJson
from local.functions_host.http_server import Admin, HttpApplication, HttpServer
from local.functions_host.invoker import Invoker
from local.functions_host.keys import Keys
from local.functions_host.protos import TypedData
from local.functions_host.queue_listener import QueueListener
from local.functions_host.queue_messages import trigger_metadata
from local.functions_host.remote_worker import RemoteWorker
from local.functions_host.schedule_status import StatusStore
from local.functions_host.timer_lease import TimerLease
from local.functions_host.timer_listener import TimerListener, timer_payload
from local.functions_host.triggers import (
    HttpTrigger,
    QueueTrigger,
    TimerTrigger,
    Trigger,
    read_outputs,
    read_trigger,
)
from local.functions_host.worker import Function

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class App:
    """An app with everything resolved: each function's trigger, and the queues of its output bindings."""

    host_json: HostJson
    triggers: dict[str, Trigger]
    outputs: dict[str, dict[str, QueueClient]]
    disabled: dict[str, str]
    """Functions that cannot run, each with the reason."""


def resolve_app(functions: Sequence[Function], host_json: HostJson, settings: Mapping[str, str]) -> App:
    """Resolve the bindings of all functions; one whose cannot be is disabled, and the host runs without it."""
    app = App(host_json=host_json, triggers={}, outputs={}, disabled={})
    for function in functions:
        try:
            trigger, outputs = read_trigger(function, host_json, settings), read_outputs(function, settings)
        except SettingError as error:
            app.disabled[function.name] = str(error)
            words = "The function %s failed indexing and will be disabled: %s"
            logger.error(words, function.name, error)  # noqa: TRY400  # the reason is all there is to tell
        else:
            app.triggers[function.name] = trigger
            app.outputs[function.name] = outputs
    return app


class Listener(Protocol):
    """What waits for work and calls functions."""

    async def listen(self) -> None:
        """Work until stopped, and until the calls under way are done."""

    def stop(self) -> None:
        """Begin nothing new."""


class Host:
    """Runs an app until stopped."""

    def __init__(
        self,
        app: App,
        worker: RemoteWorker,
        listening: socket.socket,
        *,
        keys: Keys,
        lease_seconds: int,
        timer_lease_seconds: int,
        grace_seconds: int,
    ) -> None:
        """Make the listeners; none of them begins yet."""
        self._timer_lease_seconds = timer_lease_seconds
        self._app = app
        self._lease_seconds = lease_seconds
        self._grace_seconds = grace_seconds
        encoding = app.host_json.extensions.queues.message_encoding
        self._invoker = Invoker(worker, outputs=app.outputs, encoding=encoding, on_sent=self._wake)
        self._queue_listeners = [
            self._queue_listener(trigger) for trigger in app.triggers.values() if isinstance(trigger, QueueTrigger)
        ]
        timers = [trigger for trigger in app.triggers.values() if isinstance(trigger, TimerTrigger)]
        https = {name: trigger for name, trigger in app.triggers.items() if isinstance(trigger, HttpTrigger)}
        admin = Admin(start_by_hand=self._start_by_hand, problem_of=self._problem_of, drain=self._drain)
        application = HttpApplication(https, keys, self._call, admin)
        self._takers: list[Listener] = [
            *self._queue_listeners,
            *(self._timer_listener(trigger) for trigger in timers),
        ]
        self._listeners: list[Listener] = [
            *self._takers,
            HttpServer(application, listening, grace_seconds),
        ]
        self._by_hand: set[asyncio.Task[object]] = set()

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], object]) -> bool:
        """Listen until ``stop`` is set, then let the running functions end.

        Returns:
            Whether all of them ended in time.

        Raises:
            HostEndError: a listener met what the real host does not survive.
        """
        tasks = {asyncio.create_task(listener.listen()) for listener in self._listeners}
        stopped = asyncio.create_task(stop.wait())
        on_ready()
        waiting: set[asyncio.Task[Any]] = {stopped, *tasks}
        while not stopped.done():  # a listener that was drained ends without a word, one that fails ends the host
            over, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in over:
                each.result()
        for listener in self._listeners:
            listener.stop()
        done, left = await asyncio.wait({*tasks, *self._by_hand}, timeout=self._grace_seconds)
        for task in done:
            task.result()
        return not left

    def _queue_listener(self, trigger: QueueTrigger) -> QueueListener:
        async def run(message: QueueMessage, body: bytes) -> bool:
            try:
                text = body.decode()
            except UnicodeDecodeError:
                # In the real host, too, this is a failure like any other, and repeated.
                logger.warning("The message %s is not UTF-8", message.id)
                return False
            metadata = trigger_metadata(message, text)
            return await self._invoker.run(trigger.function, TypedData(string=text), metadata) is not None

        return QueueListener(
            queue=trigger.queue,
            poison_queue=trigger.poison_queue,
            options=self._app.host_json.extensions.queues,
            run=run,
            lease_seconds=self._lease_seconds,
            on_sent=self._wake,
        )

    def _timer_listener(self, trigger: TimerTrigger) -> TimerListener:
        container = trigger.status_container
        return TimerListener(
            schedule=trigger.schedule,
            store=StatusStore(container, trigger.function.name) if container else None,
            lease=TimerLease(trigger.lock_container, trigger.function.name, self._timer_lease_seconds),
            run_on_startup=trigger.run_on_startup,
            run=lambda payload: self._invoker.run(trigger.function, payload),
        )

    async def _call(self, trigger: HttpTrigger, value: TypedData) -> TypedData | None:
        response = await self._invoker.run(trigger.function, value)
        return response.return_value if response else None

    def _drain(self) -> None:
        for listener in self._takers:
            listener.stop()

    def _problem_of(self, name: str) -> str | None:
        if name in self._app.triggers:
            return None
        return self._app.disabled[name]

    def _start_by_hand(self, name: str, text: str) -> bool:
        # As in the real host, a run started by hand does not wait for one that the schedule started.
        triggers = {each.lower(): trigger for each, trigger in self._app.triggers.items()}
        match triggers.get(name.lower()):
            case TimerTrigger(function=function):
                call = self._invoker.run(function, timer_payload(None))
            case QueueTrigger(function=function):
                message = QueueMessage(content=text, dequeue_count=0)
                call = self._invoker.run(function, TypedData(string=text), trigger_metadata(message, text))
            case _:
                return False
        task = asyncio.create_task(call)
        self._by_hand.add(task)
        task.add_done_callback(self._by_hand.discard)
        return True

    def _wake(self, address: str) -> None:
        for listener in self._queue_listeners:
            if listener.address == address:
                listener.wake()
