"""The HTTP API of exports."""

from __future__ import annotations

from typing import Annotated, Final

import azure.functions as func
from pydantic import Field

from functions import requests
from functions.answers import ExportList, ExportView, answer, export_view
from functions.authorisation import Call, endpoint
from functions.operations import IF_MATCH, IF_NONE_MATCH, Answer
from functions.wiring import reading_extracts
from shared.definitions import manage
from shared.model.definitions import Export
from shared.model.documents import Document
from shared.runs.preview import Preview

blueprint = func.Blueprint()

PREVIEW_ROWS_MAX = 100_000
SAVED: Final = Answer(description="The export as it is saved.", model=ExportView, headers=("ETag",))


class PreviewOptions(Document):
    """Body of a request for a preview."""

    rows: Annotated[int, Field(ge=1, le=PREVIEW_ROWS_MAX)] = 1_000
    """How many rows to read of the beginning."""


@endpoint(blueprint, "GET", "exports", answers={200: Answer(description="Exports, by id.", model=ExportList)})
def list_exports(call: Call) -> func.HttpResponse:
    """The exports through connections that the caller may use."""
    connections = {saved.id: saved for saved in manage.list_connections(call.services)}
    seen = [
        saved
        for saved in manage.list_exports(call.services)
        if call.may_see(connections.get(saved.definition.connection), export=saved.id)
    ]
    return answer(ExportList(exports=tuple(export_view(saved) for saved in seen)))


@endpoint(
    blueprint,
    "GET",
    "exports/{id}",
    answers={200: Answer(description="The export.", model=ExportView, headers=("ETag",))},
)
def get_export(call: Call) -> func.HttpResponse:
    """One export."""
    found = manage.get_export(call.services, call.id)
    return answer(export_view(found.document), etag=found.etag)


@endpoint(
    blueprint,
    "PUT",
    "exports/{id}",
    body=Export,
    answers={200: SAVED, 201: SAVED},
    parameters=(IF_MATCH, IF_NONE_MATCH),
    problems=(412,),
)
def put_export(call: Call) -> func.HttpResponse:
    """Create or change an export; never runs it.

    What was answered may be sent back: `id`, `uid`, times and names of who saved it are ignored.
    """
    put = manage.put_export(
        call.services,
        call.id,
        requests.parse_definition(call.request, Export),
        caller=call.caller,
        etag=requests.if_match(call.request),
        only_new=requests.only_new(call.request),
    )
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    return answer(export_view(saved.document), status=201 if put.is_new else 200, etag=saved.etag)


@endpoint(
    blueprint,
    "DELETE",
    "exports/{id}",
    answers={204: Answer(description="It is gone; its runs stay to be read, and its list stays as it is.")},
    parameters=(IF_MATCH,),
    problems=(412,),
)
def delete_export(call: Call) -> func.HttpResponse:
    """Delete an export; its runs stay to be read."""
    manage.delete_export(call.services, call.id, etag=requests.if_match(call.request))
    return func.HttpResponse(status_code=204)


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/preview",
    body=PreviewOptions,
    body_required=False,
    answers={200: Answer(description="Counts, and some contacts and rejections, masked.", model=Preview)},
    problems=(409, 429),
)
def preview_export(call: Call) -> func.HttpResponse:
    """What a run would do with the first rows; sends and stores nothing.

    Counts, the first ten contacts with masked values, the first rejections. A few at a time: 429 beyond.
    """
    from shared.runs.preview import preview_export as preview

    options = requests.parse_options(call.request, PreviewOptions)
    job = call.job()
    job.require_segments()
    with reading_extracts().entered(call.caller.id):
        return answer(preview(call.services, job, rows=options.rows))
