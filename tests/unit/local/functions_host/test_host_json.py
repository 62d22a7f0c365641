import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.functions_host.errors import StartUpError
from local.functions_host.host_json import HostJson, parse_time_span, read_host_json

BUNDLE = {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"}
GOOD: dict[str, Any] = {"version": "2.0", "extensionBundle": BUNDLE}


def read(folder: Path, **changes: object) -> HostJson:
    (folder / "host.json").write_text(json.dumps(GOOD | changes))
    return read_host_json(folder)


def read_queues(folder: Path, **queues: object) -> HostJson:
    return read(folder, extensions={"queues": queues})


def test_what_is_not_said_has_the_real_hosts_default(tmp_path: Path) -> None:
    host_json = read(tmp_path)
    queues = host_json.extensions.queues
    assert (queues.batch_size, queues.new_batch_threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout, queues.max_polling_interval) == (timedelta(), timedelta(minutes=1))
    assert queues.message_encoding == "base64"
    assert host_json.extensions.http.route_prefix == "api"


def test_what_is_said_counts(tmp_path: Path) -> None:
    queues = read_queues(
        tmp_path,
        batchSize=4,
        newBatchThreshold=0,
        maxDequeueCount=1,
        visibilityTimeout="1.02:03:04.5",
        maxPollingInterval="00:00:02",
        messageEncoding="None",
    ).extensions.queues
    assert (queues.batch_size, queues.new_batch_threshold, queues.max_dequeue_count) == (4, 0, 1)
    assert queues.visibility_timeout == timedelta(days=1, hours=2, minutes=3, seconds=4.5)
    assert queues.max_polling_interval == timedelta(seconds=2)
    assert queues.message_encoding == "none"


def test_sections_of_the_real_host_only_are_left_alone(tmp_path: Path) -> None:
    read(
        tmp_path,
        logging={"logLevel": {"default": "Information"}},
        functionTimeout="-1",
        extensions={"durableTask": {}},
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": "3.0"}, "host.json, version: input should be '2.0' (found: \"3.0\")."),
        ({"extensionBundle": None}, "host.json, extensionBundle: "),
        ({"extensionBundle": {"version": "[4.0.0, 5.0.0)"}}, "host.json, extensionBundle.id: field required"),
        ({"extensionBundle": BUNDLE | {"id": "Other"}}, "host.json, extensionBundle.id: "),
        (
            {"extensionBundle": BUNDLE | {"version": "4.0"}},
            "host.json, extensionBundle.version: must be a version range",
        ),
        ({"functionTimeout": "10 minutes"}, "host.json, functionTimeout: must be a time span"),
        ({"functionTimeout": 600}, "host.json, functionTimeout: must be a time span"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(StartUpError) as caught:
        read(tmp_path, **changes)
    assert caught.value.problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batchSize", 0),
        ("batchSize", 33),
        ("batchSize", "16"),
        ("newBatchThreshold", -1),
        ("maxDequeueCount", 0),
        ("visibilityTimeout", "-00:00:01"),
        ("visibilityTimeout", "8.00:00:00"),
        ("visibilityTimeout", 30),
        ("maxPollingInterval", "00:00:00.05"),
        ("messageEncoding", "hex"),
        ("batchsize", 16),
    ],
)
def test_a_queue_option_out_of_bounds_is_named(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(StartUpError) as caught:
        read_queues(tmp_path, **{name: value})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [f"host.json, extensions.queues.{name}"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartUpError, match=r"There is no host\.json in"):
        read_host_json(tmp_path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(StartUpError, match=r"host\.json is not JSON"):
        read_host_json(tmp_path)


@pytest.mark.parametrize("text", ["24:00:00", "1", "00:60:00", "", "1:2:3:4"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time span"):
        parse_time_span(text)
