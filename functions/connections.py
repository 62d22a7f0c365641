"""The HTTP API of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import http_support
from functions.authorisation import Call, endpoint
from functions.http_support import json_answer, saved_view
from shared.definitions import manage
from shared.definitions.check import check_connection as check
from shared.model.definitions import ConnectionDraft

if TYPE_CHECKING:
    from shared.model.definitions import Connection, Saved

blueprint = func.Blueprint()

TYPE: Final = "SendGrid"
"""What connections of this app lead to."""
FOR_EVERYBODY: Final = ("id", "display_name", "type")
"""What those see of a connection who do not administer it."""


@endpoint(blueprint, "GET", "connections")
def list_connections(call: Call) -> func.HttpResponse:
    """The connections that the caller may use; to others than administrators by id, name and type."""
    seen = [saved for saved in manage.list_connections(call.services) if call.may_see(saved)]
    return json_answer({"connections": [_shown(saved, call) for saved in seen]})


@endpoint(blueprint, "GET", "connections/{id}")
def get_connection(call: Call) -> func.HttpResponse:
    """One connection."""
    found = manage.get_connection(call.services, call.id)
    return json_answer(_shown(found.document, call), etag=found.etag)


def _shown(saved: Saved[Connection], call: Call) -> dict[str, object]:
    shown = saved_view(saved) | {"type": TYPE}
    return shown if call.caller.is_administrator else {name: shown[name] for name in FOR_EVERYBODY}


@endpoint(blueprint, "PUT", "connections/{id}")
def put_connection(call: Call) -> func.HttpResponse:
    """Create or change a connection."""
    put = manage.put_connection(
        call.services,
        call.id,
        http_support.parse_definition(call.request, ConnectionDraft),
        caller=call.caller,
        etag=http_support.if_match(call.request),
    )
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    return json_answer(_shown(saved.document, call), status=201 if put.is_new else 200, etag=saved.etag)


@endpoint(blueprint, "DELETE", "connections/{id}")
def delete_connection(call: Call) -> func.HttpResponse:
    """Delete a connection that no export uses."""
    manage.delete_connection(call.services, call.id, etag=http_support.if_match(call.request))
    return func.HttpResponse(status_code=204)


@endpoint(blueprint, "POST", "connections/{id}/check")
def check_connection(call: Call) -> func.HttpResponse:
    """Whether SendGrid takes the connection's key; sends nothing."""
    return json_answer(check(call.services, call.id).model_dump())
