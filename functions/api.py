"""The HTTP API: connections, exports and runs."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Annotated

import azure.functions as func
from pydantic import Field

from functions import answers
from functions.answers import answering, json_answer
from functions.report import render
from functions.wiring import get_services
from shared import __version__, checking, definitions, reading, resuming, segments
from shared.model import Connection, Document, Export, Saved
from shared.settings import read_settings
from shared.starting import start_on_demand
from shared.story import get_story

if TYPE_CHECKING:
    from shared.records import Run
    from shared.services import Services

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")

PAGE_DEFAULT = 20
PAGE_MAX = 100
PARTS_MAX = 99_999
PREVIEW_ROWS_MAX = 100_000
RETRY_AFTER_START = "3"
"""Seconds after which a run just started is worth a look."""


class RunOptions(Document):
    """Body of a request for a run."""

    force: bool = False
    """Run even if nothing changed since the last success."""


class PreviewOptions(Document):
    """Body of a request for a preview."""

    rows: Annotated[int, Field(ge=1, le=PREVIEW_ROWS_MAX)] = 1_000
    """How many rows to read of the beginning."""


def _shown(saved: Saved[Connection] | Saved[Export]) -> dict[str, object]:
    document = saved.model_dump(mode="json")
    definition = document.pop("definition")
    return {"id": document.pop("id"), **definition, **document}


def _run_shown(run: Run) -> dict[str, object]:
    return run.model_dump(mode="json", exclude={"stop"})


@route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
def get_health(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Whether the app is there and its settings are right."""
    read_settings(os.environ)
    return json_answer({"status": "ok", "version": __version__})


# --- connections --------------------------------------------------------------------------------------------


@route("connections", methods=["GET"])
@answering
def list_connections(request: func.HttpRequest) -> func.HttpResponse:
    """All connections; to others than administrators only those they may use, by id and name."""
    who = answers.caller(request)
    usable = [saved for saved in definitions.list_connections(get_services()) if who.may_use(saved.definition)]
    return json_answer({"connections": [_connection_shown(saved, who) for saved in usable]})


@route("connections/{id}", methods=["GET"])
@answering
def get_connection(request: func.HttpRequest) -> func.HttpResponse:
    """One connection."""
    who = answers.caller(request)
    found = definitions.get_connection(get_services(), answers.identifier(request))
    definitions.require_use(get_services(), who, found.document.id)
    return json_answer(_connection_shown(found.document, who), etag=found.etag)


def _connection_shown(saved: Saved[Connection], who: definitions.Caller) -> dict[str, object]:
    shown = _shown(saved)
    return shown if who.is_administrator else {name: shown[name] for name in ("id", "display_name")}


@route("connections/{id}", methods=["PUT"])
@answering
def put_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Create or change a connection."""
    saved, is_new = definitions.put_connection(
        get_services(),
        answers.identifier(request),
        answers.parse_definition(request, Connection),
        caller=answers.caller(request),
        etag=answers.if_match(request),
    )
    return json_answer(_shown(saved.document), status=201 if is_new else 200, etag=saved.etag)


@route("connections/{id}", methods=["DELETE"])
@answering
def delete_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a connection that no export uses."""
    definitions.delete_connection(
        get_services(),
        answers.identifier(request),
        caller=answers.caller(request),
        etag=answers.if_match(request),
    )
    return func.HttpResponse(status_code=204)


@route("connections/{id}/check", methods=["POST"])
@answering
def check_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Whether SendGrid takes the connection's key; sends nothing."""
    services, connection = get_services(), answers.identifier(request)
    definitions.require_use(services, answers.caller(request), connection)
    return json_answer(checking.check_connection(services, connection).model_dump())


# --- exports ------------------------------------------------------------------------------------------------


@route("exports", methods=["GET"])
@answering
def list_exports(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """All exports."""
    return json_answer({"exports": [_shown(saved) for saved in definitions.list_exports(get_services())]})


@route("exports/{id}", methods=["GET"])
@answering
def get_export(request: func.HttpRequest) -> func.HttpResponse:
    """One export."""
    found = definitions.get_export(get_services(), answers.identifier(request))
    return json_answer(_shown(found.document), etag=found.etag)


@route("exports/{id}", methods=["PUT"])
@answering
def put_export(request: func.HttpRequest) -> func.HttpResponse:
    """Create or change an export. Never runs it."""
    saved, is_new = definitions.put_export(
        get_services(),
        answers.identifier(request),
        answers.parse_definition(request, Export),
        caller=answers.caller(request),
        etag=answers.if_match(request),
    )
    return json_answer(_shown(saved.document), status=201 if is_new else 200, etag=saved.etag)


@route("exports/{id}", methods=["DELETE"])
@answering
def delete_export(request: func.HttpRequest) -> func.HttpResponse:
    """Delete an export; its runs stay to be read."""
    definitions.delete_export(
        get_services(),
        answers.identifier(request),
        caller=answers.caller(request),
        etag=answers.if_match(request),
    )
    return func.HttpResponse(status_code=204)


@route("exports/{id}/preview", methods=["POST"])
@answering
def preview_export(request: func.HttpRequest) -> func.HttpResponse:
    """What a run would do with the first rows; sends and stores nothing."""
    from shared.previewing import preview_export as preview

    export = answers.identifier(request)
    options = answers.parse_options(request, PreviewOptions)
    services = get_services()
    _require_use_of_export(services, answers.caller(request), export)
    return json_answer(preview(services, export, rows=options.rows).model_dump(mode="json"))


@route("segments", methods=["GET"])
@answering
def list_segments(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """The segments that are there, each with its newest extract and the columns to map."""
    services = get_services()
    found = segments.list_segments(services.extracts, prefix=services.settings.extract_prefix)
    return json_answer({"segments": [segment.model_dump(mode="json") for segment in found]})


# --- runs ---------------------------------------------------------------------------------------------------


@route("exports/{id}/runs", methods=["POST"])
@answering
def start_run(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run on demand."""
    export = answers.identifier(request)
    options = answers.parse_options(request, RunOptions)
    key = answers.idempotency_key(request)
    services, who = get_services(), answers.caller(request)
    _require_use_of_export(services, who, export)
    return _started(
        start_on_demand(services, export, requested_by=who.name, force=options.force, idempotency_key=key)
    )


def _require_use_of_export(services: Services, who: definitions.Caller, export: str) -> None:
    """Raises MissingError, and ForbiddenError unless the caller may use the export's connection."""
    definition = definitions.get_export(services, export).document.definition
    definitions.require_use(services, who, definition.connection)


def _started(run: Run) -> func.HttpResponse:
    return json_answer(_run_shown(run), status=202, Location=_address(run), Retry_After=RETRY_AFTER_START)


@route("exports/{id}/runs", methods=["GET"])
@answering
def list_runs(request: func.HttpRequest) -> func.HttpResponse:
    """Runs of an export, newest first, by pages."""
    export = answers.identifier(request)
    limit = answers.whole_number(request, "limit", default=PAGE_DEFAULT, most=PAGE_MAX)
    services = get_services()
    runs, last = reading.list_runs(services, export, limit=limit, before=answers.before(request))
    if not runs:
        definitions.get_export(services, export)  # an export without runs is something else than no export
    following = f"/api/exports/{export}/runs?limit={limit}&before={last}" if last else None
    return json_answer({"runs": [_run_shown(run) for run in runs], "next": following})


@route("exports/{id}/runs/{run}", methods=["GET"])
@answering
def get_run(request: func.HttpRequest) -> func.HttpResponse:
    """The whole story of a run."""
    return json_answer(_run_shown(get_story(get_services(), answers.identifier(request), answers.run_id(request))))


@route("exports/{id}/runs/{run}/report", methods=["GET"])
@answering
def get_report(request: func.HttpRequest) -> func.HttpResponse:
    """The story of a run as a page for people."""
    story = get_story(get_services(), answers.identifier(request), answers.run_id(request))
    return func.HttpResponse(render(story), mimetype="text/html", charset="utf-8")


@route("exports/{id}/runs/{run}/cancel", methods=["POST"])
@answering
def cancel_run(request: func.HttpRequest) -> func.HttpResponse:
    """Send nothing more of a run."""
    services, who = get_services(), answers.caller(request)
    export, run = answers.identifier(request), answers.run_id(request)
    _require_use_of_export(services, who, export)
    return json_answer(_run_shown(resuming.cancel_run(services, export, run, requested_by=who.name)), status=202)


@route("exports/{id}/runs/{run}/retry", methods=["POST"])
@answering
def retry_run(request: func.HttpRequest) -> func.HttpResponse:
    """Start a run that sends what an earlier one did not bring to its end."""
    services, who = get_services(), answers.caller(request)
    export, earlier = answers.identifier(request), answers.run_id(request)
    _require_use_of_export(services, who, export)
    run = resuming.retry_run(services, export, earlier, requested_by=who.name)
    return _started(run)


@route("exports/{id}/runs/{run}/rejected", methods=["GET"])
@answering
def get_rejected(request: func.HttpRequest) -> func.HttpResponse:
    """The rows that are not sent, and why, as CSV in parts."""
    export, run = answers.identifier(request), answers.run_id(request)
    part = answers.whole_number(request, "part", default=1, most=PARTS_MAX)
    data, more = reading.get_rejected(get_services(), export, run, part)
    address = f"/api/exports/{export}/runs/{run}/rejected?part={part + 1}"
    headers = {"Link": f'<{address}>; rel="next"'} if more else {}
    return func.HttpResponse(data, headers=headers, mimetype="text/csv", charset="utf-8")


def _address(run: Run) -> str:
    return f"/api/exports/{run.export}/runs/{run.id}"
