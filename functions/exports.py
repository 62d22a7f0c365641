"""The HTTP API of exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import azure.functions as func
from pydantic import Field

from functions import bodies, requests
from functions.answers import ExportDetails, ExportList, ExportView, answer, export_details, export_view
from functions.authorisation import Call, endpoint
from functions.export_drafts import ExportDraft, parse_export
from functions.operations import ID, IF_MATCH, IF_NONE_MATCH, Answer, number, text
from functions.wiring import reading_extracts
from shared.definitions import manage
from shared.definitions.resolve import ExportWithConnection
from shared.errors import TooManyRequestsError
from shared.model.definitions import Identifier, Text
from shared.model.documents import Document
from shared.runs.outlook import (
    find_awaited,
    find_last_run,
    find_next_due,
    tell_awaited,
    tell_hindrances,
    tell_last_hindrance,
    tell_leavers,
    waits_for,
)
from shared.runs.overdue import as_warning, find_overdue
from shared.runs.overview import list_overview
from shared.runs.preview import Preview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.definitions.saved import Put
    from shared.model.definitions import Connection, Export, Saved
    from shared.model.runs import Run
    from shared.model.warning_codes import ExportWarning

blueprint = func.Blueprint()

EXPORTS_PAGE_MAX: Final = 100
PREVIEW_ROWS_MAX = 100_000
CHECK: Final = text(
    "check", "Whether to look at what will hinder its runs.", enum=["true", "false"], default="true"
)
SAVED: Final = Answer(description="The export as it is saved.", model=ExportView, headers=("ETag",))


class PreviewOptions(Document):
    """Body of a request for a preview."""

    rows: Annotated[int, Field(ge=1, le=PREVIEW_ROWS_MAX)] = 1_000
    """How many rows to read of the beginning."""


class Duplicate(Document):
    """Body of a request for a duplicate."""

    id: Identifier
    """Of the new export."""
    name: Text | None = None
    """Of the new export; that of the first one with "Copy of" in front, if it is not given."""


@endpoint(
    blueprint,
    "GET",
    "exports",
    answers={200: Answer(description="A page of exports.", model=ExportList)},
    parameters=(
        number("limit", "Most exports of a page.", most=EXPORTS_PAGE_MAX, default=EXPORTS_PAGE_MAX),
        text("after", "The export that the page begins after.", pattern=ID),
    ),
)
def list_exports(call: Call) -> func.HttpResponse:
    """The exports through connections that the caller may use, by id and by pages.

    Each tells what `GET /api/exports/{id}` tells: SendGrid is not asked, and no extract is read.
    """
    limit = requests.whole_number(call.request, "limit", default=EXPORTS_PAGE_MAX, most=EXPORTS_PAGE_MAX)
    after = requests.after(call.request)
    connections = {saved.id: saved for saved in manage.list_connections(call.services)}

    def through(saved: Saved[Export]) -> Saved[Connection] | None:
        return connections.get(saved.definition.connection or "")

    page = list_overview(
        call.services,
        limit=limit,
        after=after,
        shown=lambda saved: call.may_see(through(saved), export=saved.id),
        shown_run=lambda run: call.may_see_run(run, connections),
    )
    exports = tuple(_details(call, saved, through(saved), last) for saved, last in page.exports)
    following = f"/api/exports?limit={limit}&after={page.after}" if page.after else None
    return answer(ExportList(exports=exports, next=following))


def _details(
    call: Call, saved: Saved[Export], through: Saved[Connection] | None, last: Run | None
) -> ExportDetails:
    overdue = find_overdue(call.services, saved)
    awaited = find_awaited(call.services, saved)
    told = (as_warning(saved.definition, overdue),) if overdue else ()
    ended = (*tell_last_hindrance(last, saved, through), *tell_leavers(last, saved.definition))
    warnings = (*ended, *told, *tell_awaited(awaited))
    view = _shown(call, saved, through, warnings)
    return export_details(view, last, overdue=overdue, waits_for=waits_for(saved, awaited))


def _shown(
    call: Call,
    saved: Saved[Export],
    through: Saved[Connection] | None,
    warnings: Iterable[ExportWarning] = (),
) -> ExportView:
    """An export with what its definitions tell, and further warnings."""
    refresh, definition = call.services.settings.refresh, saved.definition
    told = tell_hindrances(definition, through.definition if through else None, refresh)
    next_run_at = find_next_due(definition, refresh, call.services.clock())
    return export_view(saved, next_run_at=next_run_at, warnings=(*told, *warnings))


@endpoint(
    blueprint,
    "GET",
    "exports/{id}",
    answers={200: Answer(description="The export.", model=ExportDetails, headers=("ETag",))},
)
def get_export(call: Call) -> func.HttpResponse:
    """One export: its definition, how it went last, when it is due next, and what will hinder it.

    The warnings tell what is known without asking SendGrid or reading an extract.
    """
    found = manage.get_export(call.services, call.id)
    saved = found.document
    through = manage.find_connection(call.services, saved.definition.connection)
    last = find_last_run(
        call.services,
        call.id,
        shown=lambda run: run.export_uid == saved.uid and call.may_see_run(run),
    )
    return answer(_details(call, saved, through, last), etag=found.etag)


@endpoint(
    blueprint,
    "PUT",
    "exports/{id}",
    body=ExportDraft,
    answers={200: SAVED, 201: SAVED},
    parameters=(CHECK, IF_MATCH, IF_NONE_MATCH),
    problems=(409, 412),
)
def put_export(call: Call) -> func.HttpResponse:
    """Create or change an export; never runs it.

    `warnings` tells what will hinder its runs: extracts, columns, list and custom fields are looked at for five
    seconds at most, and the export is saved whatever is found.

    What was answered may be sent back: `id`, `uid`, times, names of who saved it, `last_run`, `next_run_at`,
    `overdue`, `waits_for` and `warnings` are ignored.
    """
    is_checked = requests.flag(call.request, "check", default=True)
    put = manage.put_export(
        call.services,
        call.id,
        parse_export(call, bodies.without_read_only(bodies.json_object(call.request)), export=call.id),
        caller=call.caller,
        etag=requests.if_match(call.request),
        only_new=requests.only_new(call.request),
    )
    return _saved(call, put, is_checked=is_checked)


@endpoint(
    blueprint,
    "PATCH",
    "exports/{id}",
    body=ExportDraft,
    answers={200: SAVED},
    parameters=(CHECK, IF_MATCH),
    problems=(409, 412, 415),
)
def patch_export(call: Call) -> func.HttpResponse:
    """Change members of an export, by RFC 7396: null takes one back to its default, what is not sent stays.

    `{"enabled": false}` stops it, for instance.
    """
    found = manage.get_export(call.services, call.id)
    is_checked = requests.flag(call.request, "check", default=True)
    put = manage.put_export(
        call.services,
        call.id,
        parse_export(call, bodies.patched(call.request, found.document.definition), export=call.id),
        caller=call.caller,
        etag=requests.if_match_or(call.request, found.etag),
    )
    return _saved(call, put, is_checked=is_checked)


@endpoint(
    blueprint,
    "POST",
    "exports/{id}/duplicate",
    body=Duplicate,
    answers={201: SAVED},
    problems=(409,),
)
def duplicate_export(call: Call) -> func.HttpResponse:
    """Save an export anew under another id; it runs on demand only until it is given a schedule.

    It brings nobody until it runs, and remembers none of those whom the first one has brought.
    """
    wish = bodies.parse_options(call.request, Duplicate)
    put = manage.duplicate_export(call.services, call.id, wish.id, name=wish.name, caller=call.caller)
    call.made = wish.id
    return _saved(call, put)


def _saved(call: Call, put: Put[Export], *, is_checked: bool = False) -> func.HttpResponse:
    """The export as it is saved now; the audit log has what changed."""
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    through = manage.find_connection(call.services, saved.document.definition.connection)
    warnings = _found(call, saved.document, through) if is_checked and through else ()
    view = _shown(call, saved.document, through, warnings)
    return answer(view, status=201 if put.is_new else 200, etag=saved.etag)


def _found(call: Call, saved: Saved[Export], through: Saved[Connection]) -> Iterable[ExportWarning]:
    """What a look at extracts and SendGrid finds; without consent nothing is read."""
    from shared.runs.save_check import LOOKED_AT, check_saved, not_checked

    if through.definition.consent is None:
        return ()
    try:
        with reading_extracts().entered(call.caller.id):
            return check_saved(call.services, ExportWithConnection(saved=saved, through=through))
    except TooManyRequestsError:
        return tuple(not_checked(name) for name in LOOKED_AT)


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

    options = bodies.parse_options(call.request, PreviewOptions)
    job = call.job()
    job.require_segments()
    with reading_extracts().entered(call.caller.id):
        return answer(preview(call.services, job, rows=options.rows))


@endpoint(
    blueprint,
    "POST",
    "preview",
    body=ExportDraft,
    answers={200: Answer(description="The same, of an export as it might be saved.", model=Preview)},
    parameters=(number("rows", "How many rows to read of the beginning.", most=PREVIEW_ROWS_MAX, default=1_000),),
    problems=(404, 409, 429),
)
def preview_draft(call: Call) -> func.HttpResponse:
    """What a run of an export would do with the first rows if it was saved so; saves, sends and stores nothing.

    `fields` tells of each mapped field what SendGrid takes in it, and what became of its values; also of a custom
    field that SendGrid has not. A few at a time: 429 beyond.
    """
    from shared.runs.preview import as_if_saved
    from shared.runs.preview import preview_export as preview

    rows = requests.whole_number(call.request, "rows", default=1_000, most=PREVIEW_ROWS_MAX)
    draft = parse_export(call, bodies.without_read_only(bodies.json_object(call.request)), export=None)
    manage.require_usable(call.services, None, draft, caller=call.caller)
    job = as_if_saved(call.services, draft, str(call.connection), by=call.caller.actor)
    with reading_extracts().entered(call.caller.id):
        return answer(preview(call.services, job, rows=rows, is_draft=True))
