from typing import Any

import pytest

from local.functions_host.errors import SettingError
from local.functions_host.host import resolve_app
from local.functions_host.host_json import HostJson
from local.functions_host.keys import Level
from local.functions_host.triggers import (
    HttpTrigger,
    QueueTrigger,
    TimerTrigger,
    Trigger,
    read_outputs,
    read_trigger,
)
from local.functions_host.worker import Function

STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"
SETTINGS = {"AzureWebJobsStorage": STORAGE, "Data": STORAGE}
HOST_JSON = HostJson.model_validate(
    {
        "version": "2.0",
        "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"},
    }
)


def function(outputs: tuple[dict[str, Any], ...] = (), *, retries: bool = False, **trigger: object) -> Function:
    return Function(
        name="f", function_id="1", trigger={"name": "x"} | trigger, outputs=outputs, has_retry_policy=retries
    )


def read(**trigger: object) -> Trigger:
    return read_trigger(function(**trigger), HOST_JSON, SETTINGS)  # type: ignore[arg-type]  # only the trigger is given


def read_queue(name: str) -> QueueTrigger:
    trigger = read(type="queueTrigger", queueName=name, connection="Data")
    assert isinstance(trigger, QueueTrigger)
    return trigger


def read_timer(**trigger: object) -> TimerTrigger:
    found = read(type="timerTrigger", **trigger)
    assert isinstance(found, TimerTrigger)
    return found


def read_http(**trigger: object) -> HttpTrigger:
    found = read(type="httpTrigger", **trigger)
    assert isinstance(found, HttpTrigger)
    return found


def test_a_queue_name_is_taken_in_lower_case() -> None:
    assert read_queue("Work").queue.queue_name == "work"


def test_a_queue_has_a_poison_queue_beside_it() -> None:
    poison = read_queue("work").poison_queue
    assert poison is not None
    assert poison.queue_name == "work-poison"


@pytest.mark.parametrize("name", ["work-poison", "w" * 57])
def test_a_poison_queue_and_one_with_a_long_name_have_none(name: str) -> None:
    assert read_queue(name).poison_queue is None


@pytest.mark.parametrize(
    ("trigger", "remembers"),
    [
        ({"schedule": "0 * * * * *"}, True),
        ({"schedule": "0 * * * * *", "useMonitor": None}, True),
        ({"schedule": "0 * * * * *", "useMonitor": False}, False),
        ({"schedule": "*/5 * * * * *"}, False),
    ],
)
def test_a_timer_is_remembered_unless_told_not_to_or_too_frequent(
    trigger: dict[str, object], *, remembers: bool
) -> None:
    assert (read_timer(**trigger).status_container is not None) is remembers


def test_the_route_is_the_functions_name_unless_told_otherwise() -> None:
    assert read_http().paths == ("/api/f",)


@pytest.mark.parametrize(
    ("given", "level"),
    [(None, Level.FUNCTION), ("ANONYMOUS", Level.ANONYMOUS), ("FUNCTION", Level.FUNCTION), ("ADMIN", Level.ADMIN)],
)
def test_a_function_asks_for_a_function_key_unless_told_otherwise(given: str | None, level: Level) -> None:
    assert read_http(authLevel=given).level is level


@pytest.mark.parametrize(
    ("trigger", "problem"),
    [
        ({"type": "blobTrigger"}, "it has a blobTrigger, which this host does not run"),
        ({"type": "timerTrigger", "schedule": "nonsense"}, "its schedule is wrong: 'nonsense' does not have"),
        (
            {"type": "timerTrigger", "schedule": "%NONE%"},
            "its schedule cannot be read: the app setting NONE is not set",
        ),
        ({"type": "queueTrigger", "queueName": "%NONE%"}, "its queue name cannot be read: the app setting NONE"),
        ({"type": "queueTrigger", "queueName": "no_name"}, "'no_name' is no name for a queue"),
        ({"type": "queueTrigger", "queueName": "ab"}, "'ab' is no name for a queue"),
        (
            {"type": "queueTrigger", "queueName": "work", "connection": "X"},
            "its connection X is incomplete: neither",
        ),
        ({"type": "httpTrigger", "route": "/x"}, "its route is wrong: '' is no route segment"),
    ],
)
def test_what_the_host_would_refuse_is_refused(trigger: dict[str, object], problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        read(**trigger)


def test_a_retry_policy_is_refused() -> None:
    with pytest.raises(SettingError, match="retry policy"):
        read_trigger(function(retries=True, type="timerTrigger", schedule="0 * * * * *"), HOST_JSON, SETTINGS)


def test_an_output_binding_other_than_queue_and_http_is_refused() -> None:
    with pytest.raises(SettingError, match="an output binding of type blob"):
        read_outputs(function(({"name": "out", "type": "blob"},)), SETTINGS)


def test_the_queues_of_outputs_are_known_by_the_name_of_their_binding() -> None:
    outputs = ({"name": "$return", "type": "http"}, {"name": "out", "type": "queue", "queueName": "work"})
    queues = read_outputs(function(outputs), SETTINGS)
    assert {name: queue.queue_name for name, queue in queues.items()} == {"out": "work"}


def test_functions_that_cannot_run_are_disabled_and_the_others_run() -> None:
    broken = [Function(name=name, function_id=name, trigger={"type": "blobTrigger"}, outputs=()) for name in "ab"]
    page = Function(
        name="page", function_id="page", trigger={"type": "httpTrigger", "name": "request"}, outputs=()
    )
    app = resolve_app([*broken, page], HOST_JSON, SETTINGS)
    assert app.disabled.keys() == {"a", "b"}
    assert app.triggers.keys() == {"page"}


def test_an_app_without_functions_is_one() -> None:
    assert resolve_app([], HOST_JSON, SETTINGS).triggers == {}
