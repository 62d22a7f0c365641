"""The HTTP API of lists of people: rows that were not sent, and those on a list whom nobody brings; by parts."""

from __future__ import annotations

import csv
import io
from typing import Final

import azure.functions as func

from functions import requests
from functions.answers import answer
from functions.authorisation import Call, endpoint
from functions.operations import JSON, Answer, number
from shared.model.documents import Document
from shared.model.rejections import REJECTED_COLUMNS
from shared.runs import views

blueprint = func.Blueprint()

PARTS_MAX = 99_999
CSV: Final = "text/csv"
PART: Final = number("part", "Which part of the list.", most=PARTS_MAX, default=1)
HEADERS: Final = ("Link", "Content-Disposition")


class RejectedRow(Document):
    """A row that was not sent; what starts like a formula has an apostrophe in front, as in the CSV."""

    segment: str | None
    file: str | None
    row: int | None
    """Of the file, from 1; null where the app does not know which it was."""
    customer_id: str | None
    column: str | None
    reason: str


class RejectedPage(Document):
    """A part of the rows that were not sent."""

    rows: tuple[RejectedRow, ...]
    next: str | None
    """Address of the next part."""


@endpoint(
    blueprint,
    "GET",
    "exports/{id}/runs/{run}/rejected",
    answers={
        200: Answer(
            description="A part of the rows that were not sent, as CSV, or as JSON for who asks for that.",
            model=RejectedPage,
            media=CSV,
            headers=HEADERS,
        )
    },
    parameters=(PART,),
)
def get_rejected(call: Call) -> func.HttpResponse:
    """The rows that are not sent, and why, in parts: segment, file, row, customer_id, column, reason.

    As CSV, or with `Accept: application/json` as JSON.
    """
    part = requests.whole_number(call.request, "part", default=1, most=PARTS_MAX)
    data, more = views.get_rejected(call.services, call.id, call.run, part)
    if not requests.prefers(call.request, JSON, CSV):
        return _csv_part("rejected", call, part, data, more=more)
    following = _next("rejected", call, part) if more else None
    shown = answer(RejectedPage(rows=_rows(data), next=following))
    shown.headers.update(_link(following))
    return shown


@endpoint(
    blueprint,
    "GET",
    "exports/{id}/runs/{run}/others",
    answers={
        200: Answer(
            description="A part of those on the list whom nobody brings, as CSV.", media=CSV, headers=HEADERS
        )
    },
    parameters=(PART,),
)
def get_others(call: Call) -> func.HttpResponse:
    """Those on an adopted list whom nobody brings, as CSV in parts: email, contact_id. For seven days."""
    part = requests.whole_number(call.request, "part", default=1, most=PARTS_MAX)
    data, more = views.get_others(call.services, call.id, call.run, part)
    return _csv_part("others", call, part, data, more=more)


def _rows(data: bytes) -> tuple[RejectedRow, ...]:
    """The rows of a part; only the first part names its columns."""
    records = csv.reader(io.StringIO(data.decode(), newline=""))
    return tuple(
        RejectedRow.model_validate(
            {name: cell or None for name, cell in zip(REJECTED_COLUMNS, record, strict=True)}
        )
        for record in records
        if tuple(record) != REJECTED_COLUMNS
    )


def _csv_part(what: str, call: Call, part: int, data: bytes, *, more: bool) -> func.HttpResponse:
    """A part of a list, as a file to be kept."""
    headers = {"Content-Disposition": f'attachment; filename="{call.id}-{call.run}-{what}-{part}.csv"'}
    headers |= _link(_next(what, call, part) if more else None)
    return func.HttpResponse(data, headers=headers, mimetype=CSV, charset="utf-8")


def _next(what: str, call: Call, part: int) -> str:
    return f"/api/exports/{call.id}/runs/{call.run}/{what}?part={part + 1}"


def _link(following: str | None) -> dict[str, str]:
    """https://www.rfc-editor.org/rfc/rfc8288."""
    return {"Link": f'<{following}>; rel="next"'} if following else {}
