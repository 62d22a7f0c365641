"""How much faster time passes in the fault suite: the app's own limits, shortened before the app is loaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.azure.processes import PROJECT_ROOT

VARIABLE: Final = "FAULT_LIMITS"
"""Names the variable that hands the limits to the host's process, as JSON."""

CODE: Final = "FAULT_CODE"
"""Names the variable with the folder of the app's code, where it is another version than the project's."""

type Limits = Mapping[str, float | tuple[float, ...]]
"""Limit → its value."""

SCALED: Final[Mapping[str, float]] = {
    "CONTACTS_PER_REQUEST": 50,
    "REQUEST_DEADLINE": 2.0,
    "CLAIM_LIFETIME": 4.0,
    "CLAIM_LOOK": 1.0,
    "HEARTBEAT": 1.0,
    "DEAD_AFTER": 4.0,
    "SWEEP_AFTER": 6.0,
    "STORAGE_WAIT_CAP": 2.0,
    "SUSPECT_LOOK": 1.0,
    "JUDGED_WITHIN": 6.0,
    "BACK_FROM_THE_DEAD": 7.0,
    "BACKOFF_BASE": 0.5,
    "BACKOFF_CAP": 1.0,
    "BLOCK_WAIT": 1.0,
    "POLL_FIRST": 0.5,
    "POLL_CAP": 1.0,
    "POLL_CLOSE": 0.2,
    "LIST_LOOK_FIRST": 1.0,
    "LIST_LOOK_CAP": 2.0,
    "LIST_STEADY": 2.0,
    "EXPORT_LOCK_WAIT": 1.0,
    "EXPORT_LOCK_WAIT_CAP": 2.0,
    "KEY_LIFETIME": 2.0,
    "IMPORT_DEADLINE": 240.0,
    "DELIVERY_DEADLINE": 240.0,
    "PREPARATION_DEADLINE": 240.0,
    "SETTLE": 1.0,
    "EVENTS_GATHERED": 1.0,
    "ARRIVAL_LOOK": 12.0,
    "LOOK_LOST": 8.0,
}
"""Limit → its value here. Queues count whole seconds, so shorter waits become one second there."""

HOST_JSON: Final = {"visibilityTimeout": "00:00:01", "maxPollingInterval": "00:00:00.4"}
"""What is shortened in host.json: the wait after a failure, and between looks at an empty queue."""

FUNCTION_TIMEOUT: Final = "00:00:20"
"""Half an hour, scaled."""

APP: Final = '"""The app with scaled limits."""\n\nfrom local.faults.scaled_app import app\n\n__all__ = ["app"]\n'


def write_app(directory: Path) -> Path:
    """Write an app folder whose host.json and limits are scaled and whose functions are the app's own."""
    directory.mkdir(parents=True, exist_ok=True)
    host = json.loads((PROJECT_ROOT / "host.json").read_text("utf-8"))
    host["extensions"]["queues"] |= HOST_JSON
    host["functionTimeout"] = FUNCTION_TIMEOUT
    (directory / "host.json").write_text(json.dumps(host), "utf-8")
    (directory / "function_app.py").write_text(APP, "utf-8")
    return directory


def describe() -> str:
    """Say what is scaled, in one line."""
    from shared import limits  # not found in the host's process before the app is loaded

    words = [f"{name} {getattr(limits, name):g}→{value:g}" for name, value in SCALED.items()]
    return f"scale: {', '.join(words)}; host.json {', '.join(f'{k} {v}' for k, v in HOST_JSON.items())}"
