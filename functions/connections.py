"""The HTTP API of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import bodies, requests
from functions.answers import ConnectionList, ConnectionSummary, ConnectionView, Lists, answer, connection_view
from functions.authorisation import Call, endpoint
from functions.operations import IF_MATCH, IF_NONE_MATCH, Answer
from shared.definitions import choices, manage
from shared.definitions.check import Checked
from shared.definitions.check import check_connection as check
from shared.definitions.key import NewKey, StoredKey, key_command, put_key
from shared.model.definitions import ConnectionDraft
from shared.sendgrid.choices import ContactFields

if TYPE_CHECKING:
    from shared.model.definitions import Connection, Saved

blueprint = func.Blueprint()

SHOWN: Final = Answer(
    description="The connection; to others than administrators its id, name and type.",
    model=ConnectionView,
    headers=("ETag",),
)
SAVED: Final = Answer(description="The connection as it is saved.", model=ConnectionView, headers=("ETag",))


@endpoint(
    blueprint,
    "GET",
    "connections",
    answers={200: Answer(description="Connections, by id.", model=ConnectionList)},
)
def list_connections(call: Call) -> func.HttpResponse:
    """The connections that the caller may use; to others than administrators by id, name and type."""
    seen = [saved for saved in manage.list_connections(call.services) if call.may_see(saved)]
    return answer(ConnectionList(connections=tuple(_shown(saved, call) for saved in seen)))


@endpoint(blueprint, "GET", "connections/{id}", answers={200: SHOWN})
def get_connection(call: Call) -> func.HttpResponse:
    """One connection."""
    found = manage.get_connection(call.services, call.id)
    return answer(_shown(found.document, call), etag=found.etag)


def _shown(saved: Saved[Connection], call: Call) -> ConnectionView | ConnectionSummary:
    if call.caller.is_administrator:
        return connection_view(saved, key_command=key_command(call.services.settings, saved.definition))
    return ConnectionSummary(id=saved.id, display_name=saved.definition.display_name)


@endpoint(
    blueprint,
    "PUT",
    "connections/{id}",
    body=ConnectionDraft,
    answers={200: SAVED, 201: SAVED},
    parameters=(IF_MATCH, IF_NONE_MATCH),
    problems=(412,),
)
def put_connection(call: Call) -> func.HttpResponse:
    """Create or change a connection.

    A consent is the caller's, and given now, unless its text and version are those that were agreed to before.
    """
    put = manage.put_connection(
        call.services,
        call.id,
        bodies.parse_definition(call.request, ConnectionDraft),
        caller=call.caller,
        etag=requests.if_match(call.request),
        only_new=requests.only_new(call.request),
    )
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    return answer(_shown(saved.document, call), status=201 if put.is_new else 200, etag=saved.etag)


@endpoint(
    blueprint,
    "PATCH",
    "connections/{id}",
    body=ConnectionDraft,
    answers={200: SAVED},
    parameters=(IF_MATCH,),
    problems=(412, 415),
)
def patch_connection(call: Call) -> func.HttpResponse:
    """Change members of a connection, by RFC 7396: null takes one back to its default, what is not sent stays."""
    found = manage.get_connection(call.services, call.id)
    put = manage.put_connection(
        call.services,
        call.id,
        bodies.validate(ConnectionDraft, bodies.patched(call.request, found.document.definition)),
        caller=call.caller,
        etag=requests.if_match_or(call.request, found.etag),
    )
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    return answer(_shown(saved.document, call), etag=saved.etag)


@endpoint(
    blueprint,
    "DELETE",
    "connections/{id}",
    answers={204: Answer(description="It is gone.")},
    parameters=(IF_MATCH,),
    problems=(409, 412),
)
def delete_connection(call: Call) -> func.HttpResponse:
    """Delete a connection that no export uses."""
    manage.delete_connection(call.services, call.id, etag=requests.if_match(call.request))
    return func.HttpResponse(status_code=204)


@endpoint(
    blueprint,
    "PUT",
    "connections/{id}/key",
    body=NewKey,
    answers={200: Answer(description="The key is stored, and the connection works with it.", model=StoredKey)},
    problems=(409,),
)
def put_connection_key(call: Call) -> func.HttpResponse:
    """Store the connection's API key in Key Vault, once SendGrid takes it; nothing else keeps, logs or shows it.

    409 says what to change; where the app may not write that secret, it has the command that does.
    """
    call.before = None  # no member of the connection changes
    return answer(put_key(call.services, call.id, bodies.validate(NewKey, bodies.json_object(call.request)).key))


@endpoint(
    blueprint,
    "POST",
    "connections/{id}/check",
    answers={200: Answer(description="The connection works.", model=Checked)},
    problems=(409,),
)
def check_connection(call: Call) -> func.HttpResponse:
    """Whether the vault has the connection's key and SendGrid takes it; sends nothing. 409 says what to change."""
    return answer(check(call.services, call.id))


@endpoint(
    blueprint,
    "GET",
    "connections/{id}/lists",
    answers={200: Answer(description="The lists that SendGrid has now.", model=Lists)},
    problems=(409,),
)
def list_lists(call: Call) -> func.HttpResponse:
    """The contact lists of the connection's account, by name, for an export's `list_id`."""
    return answer(Lists(lists=choices.list_lists(call.services, call.id)))


@endpoint(
    blueprint,
    "GET",
    "connections/{id}/fields",
    answers={200: Answer(description="The fields that SendGrid has now.", model=ContactFields)},
    problems=(409,),
)
def list_fields(call: Call) -> func.HttpResponse:
    """The custom and reserved fields of the connection's account, by name, for an export's `mapping`."""
    return answer(choices.list_fields(call.services, call.id))
