"""The HTTP API of the audit log."""

from __future__ import annotations

import azure.functions as func

from functions.authorisation import Call, endpoint
from functions.http_support import json_answer
from shared.audit.query import parse_query
from shared.audit.read import read_audit

blueprint = func.Blueprint()


@endpoint(blueprint, "GET", "audit")
def get_audit(call: Call) -> func.HttpResponse:
    """Entries of the audit log, newest first, by pages."""
    page = read_audit(call.services.audit_blobs, parse_query(call.request.params))
    entries = [entry.model_dump(mode="json", exclude_none=True) for entry in page.entries]
    return json_answer({"entries": entries, "cursor": page.cursor, "unreadable": page.unreadable})
