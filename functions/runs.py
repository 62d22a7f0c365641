"""The HTTP API of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import bodies, requests
from functions.answers import RunPage, answer
from functions.authorisation import Call, endpoint
from functions.operations import IDEMPOTENCY_KEY, RETRY_AFTER, RUN_ID, Answer, number, text
from functions.report import content_security_policy, render
from functions.wiring import watching_runs
from functions.words import Words, languages, nearest
from shared.access.policy import Target
from shared.definitions import manage
from shared.limits import WAIT_MAX
from shared.model.documents import Document
from shared.runs import adopt, cancel, dry_run, retry, views
from shared.runs.start import start_on_demand
from shared.runs.start_once import StartRequest, start_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.model.runs import Run

blueprint = func.Blueprint()

PAGE_DEFAULT = 20
PAGE_MAX = 100


class RunOptions(Document):
    """Body of a request for a run."""

    force: bool = False
    """Run even if nothing changed since the last success."""


STARTED: Final = Answer(
    description="The run; it goes on by itself.",
    model=views.RunView,
    headers=("Location", "Retry-After", "Idempotency-Replayed"),
)
CANCELLED: Final = Answer(
    description="The run as it was when this was noted.", model=views.RunView, headers=("Retry-After",)
)


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/runs",
    body=RunOptions,
    body_required=False,
    answers={202: STARTED},
    parameters=(IDEMPOTENCY_KEY,),
    problems=(409, 422),
)
def start_run(call: Call) -> func.HttpResponse:
    """Start a run on demand.

    It goes on by itself; Location says where it is to be seen.
    """
    options = bodies.parse_options(call.request, RunOptions)

    def begin(run_id: str) -> Run:
        return start_on_demand(call.services, call.job(), by=call.caller.actor, run_id=run_id, force=options.force)

    return _started(call, begin, body=options)


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/plan",
    answers={202: STARTED},
    parameters=(IDEMPOTENCY_KEY,),
    problems=(409, 422),
)
def plan_export(call: Call) -> func.HttpResponse:
    """Start a dry run: it plans everything and sends nothing.

    When it is over its run has a `forecast`: how many are new, changed, unchanged, leaving, rejected; how many
    requests and about how many seconds it would take; and what the account would hold beside the connection's
    `contact_limit`. The details have masked `examples` for seven days.
    """
    by = call.caller.actor
    return _started(call, lambda run_id: dry_run.start_dry_run(call.services, call.job(), by=by, run_id=run_id))


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/adopt",
    answers={202: STARTED},
    parameters=(IDEMPOTENCY_KEY,),
    problems=(409, 422),
)
def adopt_list(call: Call) -> func.HttpResponse:
    """Start a run that makes members of those on the list who are in the extracts.

    It sends and removes nobody. While one is not over it is the same one when asked again. Its run has `adopted`:
    `on_list` = `made` + `known` + `others`.
    """
    by = call.caller.actor
    return _started(call, lambda run_id: adopt.start_adoption(call.services, call.job(), by=by, run_id=run_id))


def _started(call: Call, begin: Callable[[str], Run], *, body: Document | None = None) -> func.HttpResponse:
    """Start what the call asks for, once for an Idempotency-Key."""
    saved = manage.find_export(call.services, call.id)
    request = StartRequest(
        export=call.id,
        export_uid=saved.uid if saved else call.job().uid,
        by=call.caller.actor,
        operation=call.rule.operation,
        run=call.run if call.rule.target is Target.RUN else None,
        body=body,
        key=requests.idempotency_key(call.request),
    )
    started = start_once(call.services, request, begin)
    answered = answer(
        views.RunView.of(started.run), status=202, Location=_address(started.run), Retry_After=RETRY_AFTER
    )
    if started.is_replay:
        answered.headers["Idempotency-Replayed"] = "true"
    return answered


@endpoint(
    blueprint,
    "GET",
    "exports/{id}/runs",
    answers={200: Answer(description="A page of runs, newest first.", model=RunPage)},
    parameters=(
        number("limit", "Most runs of a page.", most=PAGE_MAX, default=PAGE_DEFAULT),
        text("before", "The run that the page ends before.", pattern=RUN_ID),
    ),
)
def list_runs(call: Call) -> func.HttpResponse:
    """Runs of an export, newest first, by pages; of those through connections that the caller may use."""
    limit = requests.whole_number(call.request, "limit", default=PAGE_DEFAULT, most=PAGE_MAX)
    before = requests.before(call.request)
    saved = manage.find_export(call.services, call.id)

    def shown(run: Run) -> bool:
        is_of_this = saved is None or run.export_uid == saved.uid
        return is_of_this and call.may_see_run(run)

    runs, last = views.list_runs(call.services, call.id, limit=limit, before=before, shown=shown)
    if not runs:
        manage.get_export(call.services, call.id)  # an export without runs is something else than no export
    following = f"/api/exports/{call.id}/runs?limit={limit}&before={last}" if last else None
    return answer(RunPage(runs=tuple(views.RunView.of(run) for run in runs), next=following))


@endpoint(
    blueprint,
    "GET",
    "exports/{id}/runs/{run}",
    answers={
        200: Answer(description="The whole story of the run.", model=views.RunDetails, headers=("Retry-After",))
    },
    parameters=(number("wait", "Seconds to wait for a change of the run.", least=0, most=WAIT_MAX, default=0),),
)
def get_run(call: Call) -> func.HttpResponse:
    """The details of a run: stages, counts by outcome and reason, chunks with tries and jobs, what to do next.

    `created` and `updated` are SendGrid's; a chunk that was sent twice (`resends`, `repeats`) tells as updated
    whom it had brought before. With `wait` the answer comes when status, counts, chunks or `list_ready` change, or
    nothing more will; where many wait already it comes at once, with `Retry-After`.
    """
    wait = requests.whole_number(call.request, "wait", default=0, least=0, most=WAIT_MAX)
    has_waited = not wait or watching_runs().wait(call.services, call.id, call.run, seconds=wait)
    run = views.get_run_details(call.services, call.id, call.run)
    return answer(run) if has_waited else answer(run, Retry_After=RETRY_AFTER)


@endpoint(
    blueprint,
    "GET",
    "exports/{id}/runs/{run}/report",
    answers={
        200: Answer(description="The same as a page for people.", media="text/html", headers=("Content-Language",))
    },
    parameters=(
        text("language", "Of the page; without it, what Accept-Language asks for.", enum=list(languages())),
        text("time_zone", "Of the times on it, by IANA's name.", maxLength=100, default="UTC"),
    ),
)
def get_report(call: Call) -> func.HttpResponse:
    """The details of a run as a page for people, in one file to keep, send and print.

    It has the words, figures and pictures of the console's page of the run, and says when it was made.
    """
    words = Words(language=_language(call.request), zone=requests.time_zone(call.request, "time_zone"))
    run = views.get_run_details(call.services, call.id, call.run)
    headers = {
        "Content-Language": words.language,
        "Content-Security-Policy": content_security_policy(),
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    page = render(run, words, now=call.services.clock())
    return func.HttpResponse(page, headers=headers, mimetype="text/html", charset="utf-8")


def _language(request: func.HttpRequest) -> str:
    chosen = requests.one_of(request, "language", languages())
    return chosen or nearest(requests.languages(request))


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/runs/{run}/cancel",
    answers={202: CANCELLED},
    problems=(409,),
)
def cancel_run(call: Call) -> func.HttpResponse:
    """Send nothing more of a run; what SendGrid had accepted stays on the list."""
    run = cancel.cancel_run(call.services, call.id, call.run, by=call.caller.actor)
    return answer(views.RunView.of(run), status=202, Retry_After=RETRY_AFTER)


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/runs/{run}/retry",
    answers={202: STARTED},
    parameters=(IDEMPOTENCY_KEY,),
    problems=(409, 422),
)
def retry_run(call: Call) -> func.HttpResponse:
    """Start a run that sends what an earlier one did not bring to its end.

    While one is not over it is the same one when asked again. 409 when there is nothing, when a later run has
    sent, or when the export goes elsewhere now.
    """
    by = call.caller.actor
    return _started(
        call, lambda run_id: retry.retry_run(call.services, call.job(), call.run, by=by, run_id=run_id)
    )


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/runs/{run}/confirm-removals",
    answers={202: STARTED},
    parameters=(IDEMPOTENCY_KEY,),
    problems=(409, 422),
)
def confirm_removals(call: Call) -> func.HttpResponse:
    """Start a run that takes off the list whom an earlier one was not allowed to; asked again, it is the same."""
    from shared.runs import confirm_removals as confirmation

    by = call.caller.actor
    return _started(
        call,
        lambda run_id: confirmation.confirm_removals(call.services, call.job(), call.run, by=by, run_id=run_id),
    )


def _address(run: Run) -> str:
    return f"/api/exports/{run.export}/runs/{run.id}"
