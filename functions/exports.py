"""The HTTP API of exports."""

from __future__ import annotations

import functools
from typing import Annotated

import azure.functions as func
from pydantic import Field

from functions import http_support
from functions.http_support import answering, json_answer, saved_view
from functions.wiring import get_http_services
from shared.definitions import manage
from shared.definitions.resolve import resolve_export_for
from shared.model.definitions import Export
from shared.model.documents import Document

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")

PREVIEW_ROWS_MAX = 100_000


class PreviewOptions(Document):
    """Body of a request for a preview."""

    rows: Annotated[int, Field(ge=1, le=PREVIEW_ROWS_MAX)] = 1_000
    """How many rows to read of the beginning."""


@route("exports", methods=["GET"])
@answering
def list_exports(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """All exports."""
    return json_answer({"exports": [saved_view(saved) for saved in manage.list_exports(get_http_services())]})


@route("exports/{id}", methods=["GET"])
@answering
def get_export(request: func.HttpRequest) -> func.HttpResponse:
    """One export."""
    found = manage.get_export(get_http_services(), http_support.identifier(request))
    return json_answer(saved_view(found.document), etag=found.etag)


@route("exports/{id}", methods=["PUT"])
@answering
def put_export(request: func.HttpRequest) -> func.HttpResponse:
    """Create or change an export. Never runs it."""
    saved, is_new = manage.put_export(
        get_http_services(),
        http_support.identifier(request),
        http_support.parse_definition(request, Export),
        caller=http_support.caller(request),
        etag=http_support.if_match(request),
    )
    return json_answer(saved_view(saved.document), status=201 if is_new else 200, etag=saved.etag)


@route("exports/{id}", methods=["DELETE"])
@answering
def delete_export(request: func.HttpRequest) -> func.HttpResponse:
    """Delete an export; its runs stay to be read."""
    manage.delete_export(
        get_http_services(),
        http_support.identifier(request),
        caller=http_support.caller(request),
        etag=http_support.if_match(request),
    )
    return func.HttpResponse(status_code=204)


@route("exports/{id}/preview", methods=["POST"])
@answering
def preview_export(request: func.HttpRequest) -> func.HttpResponse:
    """What a run would do with the first rows; sends and stores nothing."""
    from shared.runs.preview import preview_export as preview

    export = http_support.identifier(request)
    options = http_support.parse_options(request, PreviewOptions)
    services = get_http_services()
    job = resolve_export_for(services.store, export, http_support.caller(request))
    return json_answer(preview(services, job, rows=options.rows).model_dump(mode="json"))
