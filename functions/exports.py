"""The HTTP API of exports."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import Field

from functions import http_support
from functions.authorisation import Call, endpoint
from functions.http_support import json_answer, saved_view
from functions.wiring import reading_extracts
from shared.definitions import manage
from shared.model.definitions import Export
from shared.model.documents import Document

blueprint = func.Blueprint()

PREVIEW_ROWS_MAX = 100_000


class PreviewOptions(Document):
    """Body of a request for a preview."""

    rows: Annotated[int, Field(ge=1, le=PREVIEW_ROWS_MAX)] = 1_000
    """How many rows to read of the beginning."""


@endpoint(blueprint, "GET", "exports")
def list_exports(call: Call) -> func.HttpResponse:
    """The exports through connections that the caller may use."""
    connections = {saved.id: saved for saved in manage.list_connections(call.services)}
    seen = [
        saved
        for saved in manage.list_exports(call.services)
        if call.may_see(connections.get(saved.definition.connection), export=saved.id)
    ]
    return json_answer({"exports": [saved_view(saved) for saved in seen]})


@endpoint(blueprint, "GET", "exports/{id}")
def get_export(call: Call) -> func.HttpResponse:
    """One export."""
    found = manage.get_export(call.services, call.id)
    return json_answer(saved_view(found.document), etag=found.etag)


@endpoint(blueprint, "PUT", "exports/{id}")
def put_export(call: Call) -> func.HttpResponse:
    """Create or change an export. Never runs it."""
    put = manage.put_export(
        call.services,
        call.id,
        http_support.parse_definition(call.request, Export),
        caller=call.caller,
        etag=http_support.if_match(call.request),
    )
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    return json_answer(saved_view(saved.document), status=201 if put.is_new else 200, etag=saved.etag)


@endpoint(blueprint, "DELETE", "exports/{id}")
def delete_export(call: Call) -> func.HttpResponse:
    """Delete an export; its runs stay to be read."""
    manage.delete_export(call.services, call.id, etag=http_support.if_match(call.request))
    return func.HttpResponse(status_code=204)


@endpoint(blueprint, "POST", "exports/{id}/preview")
def preview_export(call: Call) -> func.HttpResponse:
    """What a run would do with the first rows; sends and stores nothing."""
    from shared.runs.preview import preview_export as preview

    options = http_support.parse_options(call.request, PreviewOptions)
    job = call.job()
    job.require_segments()
    with reading_extracts().entered(call.caller.id):
        return json_answer(preview(call.services, job, rows=options.rows).model_dump(mode="json"))
