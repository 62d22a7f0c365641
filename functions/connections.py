"""The HTTP API of connections."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import azure.functions as func

from functions import http_support
from functions.http_support import answering, json_answer, saved_view
from functions.wiring import get_http_services
from shared.definitions import manage
from shared.definitions.access import require_use
from shared.definitions.check import check_connection as check
from shared.model.definitions import Connection, Saved

if TYPE_CHECKING:
    from shared.definitions.access import Caller

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")


@route("connections", methods=["GET"])
@answering
def list_connections(request: func.HttpRequest) -> func.HttpResponse:
    """All connections; to others than administrators only those they may use, by id and name."""
    who = http_support.caller(request)
    usable = [saved for saved in manage.list_connections(get_http_services()) if who.may_use(saved.definition)]
    return json_answer({"connections": [_connection_shown(saved, who) for saved in usable]})


@route("connections/{id}", methods=["GET"])
@answering
def get_connection(request: func.HttpRequest) -> func.HttpResponse:
    """One connection."""
    who = http_support.caller(request)
    found = manage.get_connection(get_http_services(), http_support.identifier(request))
    require_use(who, found.document.id, found.document.definition)
    return json_answer(_connection_shown(found.document, who), etag=found.etag)


def _connection_shown(saved: Saved[Connection], who: Caller) -> dict[str, object]:
    shown = saved_view(saved)
    return shown if who.is_administrator else {name: shown[name] for name in ("id", "display_name")}


@route("connections/{id}", methods=["PUT"])
@answering
def put_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Create or change a connection."""
    saved, is_new = manage.put_connection(
        get_http_services(),
        http_support.identifier(request),
        http_support.parse_definition(request, Connection),
        caller=http_support.caller(request),
        etag=http_support.if_match(request),
    )
    return json_answer(saved_view(saved.document), status=201 if is_new else 200, etag=saved.etag)


@route("connections/{id}", methods=["DELETE"])
@answering
def delete_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Delete a connection that no export uses."""
    manage.delete_connection(
        get_http_services(),
        http_support.identifier(request),
        caller=http_support.caller(request),
        etag=http_support.if_match(request),
    )
    return func.HttpResponse(status_code=204)


@route("connections/{id}/check", methods=["POST"])
@answering
def check_connection(request: func.HttpRequest) -> func.HttpResponse:
    """Whether SendGrid takes the connection's key; sends nothing."""
    services, connection = get_http_services(), http_support.identifier(request)
    manage.require_use_of_connection(services, http_support.caller(request), connection)
    return json_answer(check(services, connection).model_dump())
