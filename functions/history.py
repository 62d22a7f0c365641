"""The HTTP API of the runs of all exports."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import azure.functions as func

from functions.answers import RunPage, answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer, number, text
from functions.requests import OF_THE_HOST
from shared.definitions import manage
from shared.model.reasons import RunStatus
from shared.model.runs import RunKind, Trigger
from shared.runs.history import list_history
from shared.runs.run_query import RUNS_PAGE_DEFAULT, RUNS_PAGE_MAX, parse_run_query
from shared.runs.views import RunView

if TYPE_CHECKING:
    from shared.model.runs import Run

blueprint = func.Blueprint()


@endpoint(
    blueprint,
    "GET",
    "runs",
    answers={200: Answer(description="A page; it may be short, even empty, and still go on.", model=RunPage)},
    parameters=(
        text("status", "How far the run is, or how it ended.", enum=[*RunStatus]),
        text("trigger", "What started it.", enum=[*Trigger]),
        text("kind", "What it does.", enum=[*RunKind]),
        text("export", "Id of an export, also of one that was deleted."),
        text("connection", "Id of the connection that it went through."),
        text("since", "Asked for, or due, from this moment on.", format="date-time"),
        text("until", "Asked for, or due, before this moment.", format="date-time"),
        number("limit", "Most runs of a page.", most=RUNS_PAGE_MAX, default=RUNS_PAGE_DEFAULT),
        text("cursor", "Where the page before ended; `next` has it."),
    ),
)
def list_all_runs(call: Call) -> func.HttpResponse:
    """Runs of all exports, newest first, by pages; of those through connections that the caller may use."""
    query = parse_run_query(call.request.params)
    connections = {saved.id: saved for saved in manage.list_connections(call.services)}
    exports = {saved.id: saved.uid for saved in manage.list_exports(call.services)}

    def shown(run: Run) -> bool:
        is_of_this = exports.get(run.export, run.export_uid) == run.export_uid
        return is_of_this and call.may_see_run(run, connections)

    page = list_history(call.services, query, shown=shown)
    following = _following(call.request, page.cursor) if page.cursor else None
    return answer(RunPage(runs=tuple(RunView.of(run) for run in page.runs), next=following))


def _following(request: func.HttpRequest, cursor: str) -> str:
    """Address of the next page, with the same filters."""
    kept = {name: value for name, value in request.params.items() if name not in OF_THE_HOST}
    return f"/api/runs?{urlencode(kept | {'cursor': cursor})}"
