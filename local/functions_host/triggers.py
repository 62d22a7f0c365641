"""What the decorators of the app say, resolved against app settings and host.json.

The worker library does not look at these values; in Azure the host does when it starts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.functions_host.errors import SettingError
from local.functions_host.host_json import HostJson
from local.functions_host.keys import Level
from local.functions_host.ncrontab import Interval, NcrontabError, Schedule, parse_schedule
from local.functions_host.routes import starlette_paths
from local.functions_host.settings import HOST_STORAGE, container_client, queue_client, resolve
from local.functions_host.worker import Function

HOSTS_CONTAINER = "azure-webjobs-hosts"
POISON_SUFFIX = "-poison"
# https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata
MAX_QUEUE_NAME = 63
QUEUE_NAME = re.compile("[a-z0-9](-?[a-z0-9])+")


@dataclass(frozen=True, kw_only=True)
class QueueTrigger:
    """The queue a function reads, and where its failures go, if anywhere."""

    function: Function
    queue: QueueClient
    poison_queue: QueueClient | None


@dataclass(frozen=True, kw_only=True)
class TimerTrigger:
    """When a function runs; without a container, nobody remembers when it last did."""

    function: Function
    schedule: Schedule | Interval
    status_container: ContainerClient | None
    lock_container: ContainerClient
    run_on_startup: bool


@dataclass(frozen=True, kw_only=True)
class HttpTrigger:
    """How a function is called: at which paths, by which methods, where none means any, and with which key."""

    function: Function
    paths: tuple[str, ...]
    methods: frozenset[str]
    level: Level


type Trigger = QueueTrigger | TimerTrigger | HttpTrigger


def read_trigger(function: Function, host_json: HostJson, settings: Mapping[str, str]) -> Trigger:
    """Resolve the trigger of a function.

    Raises:
        SettingError: a value is missing or wrong, or this host does not run such functions.
    """
    if function.has_retry_policy:
        raise SettingError("it has a retry policy, which this host does not carry out")
    match function.trigger["type"]:
        case "queueTrigger":
            return _read_queue_trigger(function, settings)
        case "timerTrigger":
            return _read_timer_trigger(function, settings)
        case "httpTrigger":
            return _read_http_trigger(function, host_json)
        case kind:
            raise SettingError(f"it has a {kind}, which this host does not run")


def read_outputs(function: Function, settings: Mapping[str, str]) -> dict[str, QueueClient]:
    """Return the queues of a function's output bindings, by the name of the binding.

    Raises:
        SettingError: a value is missing or wrong, or this host does not serve such bindings.
    """
    outputs = [each for each in function.outputs if each["type"] != "http"]
    for output in outputs:
        if output["type"] != "queue":
            raise SettingError(
                f"it has an output binding of type {output['type']}, which this host does not serve"
            )
    return {output["name"]: _queue(output, settings) for output in outputs}


def _read_queue_trigger(function: Function, settings: Mapping[str, str]) -> QueueTrigger:
    queue = _queue(function.trigger, settings)
    poison_name = f"{queue.queue_name}{POISON_SUFFIX}"
    has_poison = not queue.queue_name.endswith(POISON_SUFFIX) and len(poison_name) <= MAX_QUEUE_NAME
    poison = queue_client(_connection(function.trigger), poison_name, settings) if has_poison else None
    return QueueTrigger(function=function, queue=queue, poison_queue=poison)


def _read_timer_trigger(function: Function, settings: Mapping[str, str]) -> TimerTrigger:
    try:
        schedule = parse_schedule(resolve(function.trigger["schedule"], settings))
    except NcrontabError as error:
        raise SettingError(f"its schedule is wrong: {error}") from error
    except SettingError as error:
        raise SettingError(f"its schedule cannot be read: {error}") from error
    if isinstance(schedule, Interval) and schedule.length <= timedelta():
        raise SettingError("its schedule would fire without pause, as the real host lets it")
    # The real host, too, turns the monitor off for schedules that fire more than once a minute.
    is_fast = schedule.fires_twice_within_a_minute(datetime.now(UTC))
    wants_monitor = function.trigger.get("useMonitor") is not False and not is_fast
    hosts = container_client(HOST_STORAGE, HOSTS_CONTAINER, settings)
    return TimerTrigger(
        function=function,
        schedule=schedule,
        status_container=hosts if wants_monitor else None,
        lock_container=hosts,
        run_on_startup=bool(function.trigger.get("runOnStartup")),
    )


def _read_http_trigger(function: Function, host_json: HostJson) -> HttpTrigger:
    prefix = host_json.extensions.http.route_prefix.strip("/")
    route = function.trigger.get("route") or function.name
    try:
        paths = starlette_paths(f"{prefix}/{route}" if prefix else route)
    except SettingError as error:
        raise SettingError(f"its route is wrong: {error}") from error
    return HttpTrigger(
        function=function,
        paths=paths,
        methods=frozenset(method.upper() for method in function.trigger.get("methods") or ()),
        level=Level[(function.trigger.get("authLevel") or "FUNCTION").upper()],
    )


def _queue(binding: Mapping[str, Any], settings: Mapping[str, str]) -> QueueClient:
    try:
        name = resolve(binding["queueName"], settings).lower()
    except SettingError as error:
        raise SettingError(f"its queue name cannot be read: {error}") from error
    if not QUEUE_NAME.fullmatch(name) or not len("abc") <= len(name) <= MAX_QUEUE_NAME:
        raise SettingError(f"'{name}' is no name for a queue")
    try:
        return queue_client(_connection(binding), name, settings)
    except SettingError as error:
        raise SettingError(f"its connection {_connection(binding)} is incomplete: {error}") from error


def _connection(binding: Mapping[str, Any]) -> str:
    return str(binding.get("connection") or HOST_STORAGE)
