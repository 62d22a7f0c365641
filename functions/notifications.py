"""The HTTP API of notification targets: who is told when something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import bodies, requests
from functions.answers import NotificationList, NotificationView, answer, notification_view
from functions.authorisation import Call, endpoint
from functions.operations import IF_MATCH, IF_NONE_MATCH, Answer
from functions.wiring import trying_targets
from shared.model.notifications import NotificationTarget
from shared.notifications import targets
from shared.notifications.save_check import check_target
from shared.notifications.state import find_state
from shared.notifications.try_target import Tried

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.definitions.saved import Put
    from shared.model.definitions import Saved
    from shared.model.warning_codes import ExportWarning

blueprint = func.Blueprint()

SAVED: Final = Answer(description="The target as it is saved.", model=NotificationView, headers=("ETag",))


@endpoint(
    blueprint,
    "GET",
    "notifications",
    answers={200: Answer(description="Notification targets, by id.", model=NotificationList)},
)
def list_notifications(call: Call) -> func.HttpResponse:
    """Who is told when something happens, and how telling each went last."""
    seen = [_shown(call, saved) for saved in targets.list_targets(call.services)]
    return answer(NotificationList(notifications=tuple(seen)))


@endpoint(
    blueprint,
    "GET",
    "notifications/{id}",
    answers={200: Answer(description="The target.", model=NotificationView, headers=("ETag",))},
)
def get_notification(call: Call) -> func.HttpResponse:
    """One notification target, and how telling it went last."""
    found = targets.get_target(call.services, call.id)
    return answer(_shown(call, found.document), etag=found.etag)


def _shown(
    call: Call, saved: Saved[NotificationTarget], warnings: Iterable[ExportWarning] = ()
) -> NotificationView:
    return notification_view(saved, find_state(call.services, saved.id), warnings)


@endpoint(
    blueprint,
    "PUT",
    "notifications/{id}",
    body=NotificationTarget,
    answers={200: SAVED, 201: SAVED},
    parameters=(IF_MATCH, IF_NONE_MATCH),
    problems=(412,),
)
def put_notification(call: Call) -> func.HttpResponse:
    """Create or change a notification target.

    `warnings` tells what will keep it from being told: secret and address are looked at for five seconds at most.
    It is saved whatever is found. One that was gone is told again.
    """
    put = targets.put_target(
        call.services,
        call.id,
        bodies.parse_definition(call.request, NotificationTarget),
        caller=call.caller,
        etag=requests.if_match(call.request),
        only_new=requests.only_new(call.request),
    )
    return _saved(call, put)


@endpoint(
    blueprint,
    "PATCH",
    "notifications/{id}",
    body=NotificationTarget,
    answers={200: SAVED},
    parameters=(IF_MATCH,),
    problems=(412, 415),
)
def patch_notification(call: Call) -> func.HttpResponse:
    """Change members of a notification target, by RFC 7396: null takes one back to its default.

    What is not sent stays.
    """
    found = targets.get_target(call.services, call.id)
    put = targets.put_target(
        call.services,
        call.id,
        bodies.validate(NotificationTarget, bodies.patched(call.request, found.document.definition)),
        caller=call.caller,
        etag=requests.if_match_or(call.request, found.etag),
    )
    return _saved(call, put)


def _saved(call: Call, put: Put[NotificationTarget]) -> func.HttpResponse:
    saved = put.versioned
    call.before, call.after = put.before, saved.document.definition
    view = _shown(call, saved.document, check_target(call.services, saved.document.definition))
    return answer(view, status=201 if put.is_new else 200, etag=saved.etag)


@endpoint(
    blueprint,
    "DELETE",
    "notifications/{id}",
    answers={204: Answer(description="It is gone, and told no more.")},
    parameters=(IF_MATCH,),
    problems=(412,),
)
def delete_notification(call: Call) -> func.HttpResponse:
    """Delete a notification target; what it was still to be told is told no more."""
    targets.delete_target(call.services, call.id, etag=requests.if_match(call.request))
    return func.HttpResponse(status_code=204)


@endpoint(
    blueprint,
    "POST",
    "notifications/{id}/test",
    answers={200: Answer(description="What became of it.", model=Tried)},
    problems=(429,),
)
def try_notification(call: Call) -> func.HttpResponse:
    """Send the target a notification of the type `test` now, whatever it asks for, and tell whether it took it."""
    return answer(trying_targets().try_target(call.services, call.id))
