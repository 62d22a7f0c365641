"""Who calls, and how one signs in."""

from __future__ import annotations

from typing import Literal

import azure.functions as func

from functions.answers import answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer, open_to_all
from functions.wiring import get_http_services
from shared.access.policy import allowed_to
from shared.model.documents import Document
from shared.model.roles import Role
from shared.settings import Keys

blueprint = func.Blueprint()


class Myself(Document):
    """Who calls, as the app knows them."""

    id: str
    """The object id of the person or application in the tenant, or the name of the key."""
    name: str
    """For people to read."""
    kind: Literal["key", "person", "application"]
    roles: tuple[Role, ...]
    only_export: str | None
    """The one export that a key is bound to."""
    operations: tuple[str, ...]
    """What may be asked for, as `operationId` has it; of which connections and exports, their lists tell."""


class SignIn(Document):
    """How callers say who they are; what is null is not needed for it."""

    authentication: Literal["keys", "entra"]
    """By a key of the Functions host, or by an access token of Microsoft Entra ID."""
    authority: str | None = None
    """Where the tenant's people sign in."""
    tenant_id: str | None = None
    client_id: str | None = None
    """Of the registration that tokens are for."""
    scope: str | None = None
    """What a token is asked for with."""


@endpoint(blueprint, "GET", "me", answers={200: Answer(description="The caller.", model=Myself)})
def get_me(call: Call) -> func.HttpResponse:
    """Who calls: their roles, and what they may ask for."""
    caller = call.caller
    return answer(
        Myself(
            id=caller.id,
            name=caller.name,
            kind=caller.kind.value,
            roles=tuple(role for role in Role if role in caller.roles),
            only_export=caller.only_export,
            operations=tuple(sorted(allowed_to(caller))),
        )
    )


@blueprint.route("api/sign-in", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS)
@open_to_all(
    "sign-in",
    answers={200: Answer(description="By key, or where to ask for a token.", model=SignIn)},
    problems=(500,),
)
def get_sign_in(request: func.HttpRequest) -> func.HttpResponse:
    """How callers say who they are; nothing of it is secret."""
    del request
    how = get_http_services().settings.authentication
    if isinstance(how, Keys):
        return answer(SignIn(authentication="keys"))
    return answer(
        SignIn(
            authentication="entra",
            authority=how.authority,
            tenant_id=how.tenant_id,
            client_id=how.client_id,
            # by its id: who asks for a token for itself, as the console does, gets none by a name (AADSTS90009)
            scope=f"{how.client_id}/.default",
        )
    )
