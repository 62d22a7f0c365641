"""The HTTP API of runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import azure.functions as func

from functions import http_support
from functions.http_support import answering, json_answer
from functions.report import content_security_policy, render
from functions.wiring import get_http_services
from shared.definitions import manage
from shared.definitions.resolve import resolve_export_for
from shared.model.documents import Document
from shared.runs import adopt, cancel, dry_run, retry, views
from shared.runs.start import start_on_demand

if TYPE_CHECKING:
    from shared.model.runs import Run

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")

PAGE_DEFAULT = 20
PAGE_MAX = 100
PARTS_MAX = 99_999
RETRY_AFTER_START = "3"
"""Seconds after which a run just started is worth a look."""


class RunOptions(Document):
    """Body of a request for a run."""

    force: bool = False
    """Run even if nothing changed since the last success."""


def _run_view(run: Run) -> dict[str, object]:
    return views.RunView.of(run).model_dump(mode="json")


@route("exports/{id}/runs", methods=["POST"])
@answering
def start_run(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run on demand."""
    export = http_support.identifier(request)
    options = http_support.parse_options(request, RunOptions)
    key = http_support.idempotency_key(request)
    services, who = get_http_services(), http_support.caller(request)
    job = resolve_export_for(services.store, export, who)
    return _started(
        start_on_demand(services, job, requested_by=who.name, force=options.force, idempotency_key=key)
    )


@route("exports/{id}/plan", methods=["POST"])
@answering
def plan_export(request: func.HttpRequest) -> func.HttpResponse:
    """Start a dry run: it plans everything and sends nothing."""
    export = http_support.identifier(request)
    services, who = get_http_services(), http_support.caller(request)
    job = resolve_export_for(services.store, export, who)
    return _started(dry_run.start_dry_run(services, job, requested_by=who.name))


@route("exports/{id}/adopt", methods=["POST"])
@answering
def adopt_list(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run that makes members of those on the list who are in the extracts."""
    export = http_support.identifier(request)
    services, who = get_http_services(), http_support.caller(request)
    job = resolve_export_for(services.store, export, who)
    return _started(adopt.start_adoption(services, job, requested_by=who.name))


def _started(run: Run) -> func.HttpResponse:
    return json_answer(_run_view(run), status=202, Location=_address(run), Retry_After=RETRY_AFTER_START)


@route("exports/{id}/runs", methods=["GET"])
@answering
def list_runs(request: func.HttpRequest) -> func.HttpResponse:
    """Runs of an export, newest first, by pages."""
    export = http_support.identifier(request)
    limit = http_support.whole_number(request, "limit", default=PAGE_DEFAULT, most=PAGE_MAX)
    services = get_http_services()
    runs, last = views.list_runs(services, export, limit=limit, before=http_support.before(request))
    if not runs:
        manage.get_export(services, export)  # an export without runs is something else than no export
    following = f"/api/exports/{export}/runs?limit={limit}&before={last}" if last else None
    return json_answer({"runs": [_run_view(run) for run in runs], "next": following})


@route("exports/{id}/runs/{run}", methods=["GET"])
@answering
def get_run(request: func.HttpRequest) -> func.HttpResponse:
    """The details of a run."""
    run = views.get_run_details(
        get_http_services(), http_support.identifier(request), http_support.run_id(request)
    )
    return json_answer(run.model_dump(mode="json"))


@route("exports/{id}/runs/{run}/report", methods=["GET"])
@answering
def get_report(request: func.HttpRequest) -> func.HttpResponse:
    """The details of a run as a page for people."""
    run = views.get_run_details(
        get_http_services(), http_support.identifier(request), http_support.run_id(request)
    )
    headers = {"Content-Security-Policy": content_security_policy(), "Referrer-Policy": "no-referrer"}
    return func.HttpResponse(render(run), headers=headers, mimetype="text/html", charset="utf-8")


@route("exports/{id}/runs/{run}/cancel", methods=["POST"])
@answering
def cancel_run(request: func.HttpRequest) -> func.HttpResponse:
    """Send nothing more of a run."""
    services, who = get_http_services(), http_support.caller(request)
    export, run = http_support.identifier(request), http_support.run_id(request)
    manage.require_use_of_export(services, who, export)
    if connection := views.connection_of(services, export, run):
        manage.require_use_of_connection(services, who, connection)
    return json_answer(_run_view(cancel.cancel_run(services, export, run, requested_by=who.name)), status=202)


@route("exports/{id}/runs/{run}/retry", methods=["POST"])
@answering
def retry_run(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run that sends what an earlier one did not bring to its end."""
    services, who = get_http_services(), http_support.caller(request)
    export, earlier = http_support.identifier(request), http_support.run_id(request)
    job = resolve_export_for(services.store, export, who)
    run = retry.retry_run(services, job, earlier, requested_by=who.name)
    return _started(run)


@route("exports/{id}/runs/{run}/confirm-removals", methods=["POST"])
@answering
def confirm_removals(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run that takes off the list whom an earlier one was not allowed to."""
    from shared.runs import confirm_removals as confirmation

    services, who = get_http_services(), http_support.caller(request)
    export, earlier = http_support.identifier(request), http_support.run_id(request)
    job = resolve_export_for(services.store, export, who)
    return _started(confirmation.confirm_removals(services, job, earlier, requested_by=who.name))


@route("exports/{id}/runs/{run}/rejected", methods=["GET"])
@answering
def get_rejected(request: func.HttpRequest) -> func.HttpResponse:
    """The rows that are not sent, and why, as CSV in parts."""
    export, run = http_support.identifier(request), http_support.run_id(request)
    part = http_support.whole_number(request, "part", default=1, most=PARTS_MAX)
    data, more = views.get_rejected(get_http_services(), export, run, part)
    return _csv_part("rejected", export, run, part, data, more=more)


@route("exports/{id}/runs/{run}/others", methods=["GET"])
@answering
def get_others(request: func.HttpRequest) -> func.HttpResponse:
    """Those on an adopted list whom nobody brings, as CSV in parts."""
    services, who = get_http_services(), http_support.caller(request)
    export, run = http_support.identifier(request), http_support.run_id(request)
    manage.require_use_of_export(services, who, export)
    part = http_support.whole_number(request, "part", default=1, most=PARTS_MAX)
    data, more = views.get_others(services, export, run, part)
    return _csv_part("others", export, run, part, data, more=more)


def _csv_part(what: str, export: str, run: str, part: int, data: bytes, *, more: bool) -> func.HttpResponse:
    """A part of a list, as a file to be kept."""
    headers = {"Content-Disposition": f'attachment; filename="{export}-{run}-{what}-{part}.csv"'}
    if more:
        headers["Link"] = f'</api/exports/{export}/runs/{run}/{what}?part={part + 1}>; rel="next"'
    return func.HttpResponse(data, headers=headers, mimetype="text/csv", charset="utf-8")


def _address(run: Run) -> str:
    return f"/api/exports/{run.export}/runs/{run.id}"
