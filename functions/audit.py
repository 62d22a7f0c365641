"""The HTTP API of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import azure.functions as func

from functions.answers import AuditPage, answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer, number, text
from shared.audit.query import PAGE_DEFAULT, AuditQuery, parse_query
from shared.audit.read import read_audit
from shared.limits import AUDIT_PAGE_MAX
from shared.model.audit import CallerKind, ResultType

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = func.Blueprint()

_FORMS: Final[Mapping[str, Any]] = AuditQuery.model_json_schema()["properties"]


def _pattern(name: str) -> str:
    """Of a parameter, as it is checked."""
    return str(_FORMS[name]["anyOf"][0]["pattern"])


@endpoint(
    blueprint,
    "GET",
    "audit",
    answers={200: Answer(description="A page; it may be short, even empty, and still go on.", model=AuditPage)},
    parameters=(
        text("since", "From this moment on.", format="date-time"),
        text("until", "Before this moment.", format="date-time"),
        text("caller", "Object id of a person or application, or name of a key.", pattern=_pattern("caller")),
        text("caller_type", "What the caller is.", enum=[*CallerKind]),
        text("operation", "Such as Exports.Save.", pattern=_pattern("operation")),
        text("connection", "Id of a connection.", pattern=_pattern("connection")),
        text("export", "Id of an export.", pattern=_pattern("export")),
        text("run", "Id of a run.", pattern=_pattern("run")),
        text("result", "How it ended.", enum=[*ResultType]),
        text("denied", "Only denials, or all but these.", enum=["true", "false"]),
        number("limit", "Most entries of a page.", most=AUDIT_PAGE_MAX, default=PAGE_DEFAULT),
        text("cursor", "Where the page before ended."),
    ),
)
def get_audit(call: Call) -> func.HttpResponse:
    """Entries of the audit log, newest first, by pages."""
    page = read_audit(call.services.audit_blobs, parse_query(call.request.params))
    shown = AuditPage(entries=page.entries, cursor=page.cursor, unreadable=page.unreadable)
    return answer(shown, exclude_none=True)
