"""The HTTP API of the refresh."""

from __future__ import annotations

import azure.functions as func

from functions import requests
from functions.answers import StartedRuns, answer
from functions.authorisation import Call, endpoint
from functions.operations import IDEMPOTENCY_KEY, RETRY_AFTER, Answer
from shared.runs.refresh import start_refresh
from shared.runs.views import RunView

blueprint = func.Blueprint()


@endpoint(
    blueprint,
    "POST",
    "refresh",
    answers={
        202: Answer(
            description="A run of each, by export.",
            model=StartedRuns,
            headers=("Retry-After", "Idempotency-Replayed"),
        )
    },
    parameters=(IDEMPOTENCY_KEY,),
    problems=(422,),
)
def refresh_all(call: Call) -> func.HttpResponse:
    """Start a run of every enabled export that follows the refresh, also where the refresh is off.

    What cannot run ends with its reason, as when the timer starts it.
    """
    key = requests.idempotency_key(call.request)
    started = start_refresh(
        call.services, by=call.caller.actor, operation=call.rule.operation, idempotency_key=key
    )
    answered = answer(
        StartedRuns(runs=tuple(RunView.of(run) for run in started.runs)), status=202, Retry_After=RETRY_AFTER
    )
    if started.is_replay:
        answered.headers["Idempotency-Replayed"] = "true"
    return answered
