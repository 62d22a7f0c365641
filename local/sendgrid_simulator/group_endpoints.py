"""Unsubscribe groups and who is in them.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/suppressions-unsubscribe-groups; its
OpenAPI file has no errors, so 404 for a group that does not exist is our choice.
"""

from typing import Final

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.answers import Answer, Json, error, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.suppression_endpoints import recipients
from local.sendgrid_simulator.suppressions import Group

GROUPS_PATH: Final = "/v3/asm/groups"
GROUP_PATH: Final = f"{GROUPS_PATH}/{{id}}"
MEMBERS_PATH: Final = f"{GROUP_PATH}/suppressions"
LONGEST: Final = {
    "name": limits.MAX_GROUP_NAME_LENGTH,
    "description": limits.MAX_GROUP_DESCRIPTION_LENGTH,
}
ALL_MEMBERS_PATH: Final = "/v3/asm/suppressions"


def _describe(group: Group) -> Json:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "is_default": group.is_default,
    }


def _counted(group: Group) -> Json:
    return _describe(group) | {"unsubscribes": len(group.members)}


def _groups(call: Call) -> list[Group]:
    return list(call.simulation.account.suppressions.groups.values())


def _group(call: Call) -> Group:
    """Finds the group in the path or refuses with 404."""
    found = next((each for each in _groups(call) if str(each.id) == call.path_params["id"]), None)
    if found is None:
        raise refusal(404, [error("group not found", about="id")])
    return found


def _list(call: Call, _now: float) -> Answer:
    """Lists the groups, or those whose id is asked for; several come as id=1&id=2."""
    wanted = {value for name, value in call.query_items if name == "id"}
    return json_answer(200, [_counted(each) for each in _groups(call) if not wanted or str(each.id) in wanted])


def _create(call: Call, _now: float) -> Answer:
    wanted = _checked(call, parse_object(call.body))
    created = call.simulation.account.suppressions.create_group(
        name=wanted["name"], description=wanted["description"], is_default=wanted.get("is_default") is True
    )
    return json_answer(201, _describe(created))


def _checked(call: Call, wanted: Json, changed: Group | None = None) -> Json:
    """Gives what describes a group, or refuses it for want of a text, or for a name that is taken."""
    for member, longest in LONGEST.items():
        text = wanted.get(member)
        if not isinstance(text, str) or not 1 <= len(text) <= longest:
            raise refusal(400, [error(f"{member} must have 1 to {longest} characters", about=member)])
    if any(each.name == wanted["name"] and each is not changed for each in _groups(call)):
        raise refusal(400, [error("a group with this name exists already", about="name")])
    return wanted


def _get(call: Call, _now: float) -> Answer:
    return json_answer(200, _counted(_group(call)))


def _change(call: Call, _now: float) -> Answer:
    group = _group(call)
    wanted = _checked(call, _describe(group) | parse_object(call.body), group)
    group.name, group.description = wanted["name"], wanted["description"]
    group.is_default = wanted["is_default"] is True
    return json_answer(201, _counted(group))


def _delete(call: Call, _now: float) -> Answer:
    del call.simulation.account.suppressions.groups[_group(call).id]
    return Answer(status=204)


def _add_members(call: Call, now: float) -> Answer:
    group, emails = _group(call), recipients(call)
    for email in emails:
        group.members.setdefault(email.lower(), now)
    return json_answer(201, {"recipient_emails": emails, "global": False})


def _list_members(call: Call, _now: float) -> Answer:
    return json_answer(200, list(_group(call).members))


def _search_members(call: Call, _now: float) -> Answer:
    """Says which of the addresses are suppressed in the group."""
    group = _group(call)
    return json_answer(200, [each for each in recipients(call) if each.lower() in group.members])


def _remove_member(call: Call, _now: float) -> Answer:
    _group(call).members.pop(call.path_params["email"].lower(), None)
    return Answer(status=204)


def _list_all_members(call: Call, _now: float) -> Answer:
    return json_answer(
        200,
        [
            {"email": email, "group_id": group.id, "group_name": group.name, "created_at": int(since)}
            for group in _groups(call)
            for email, since in group.members.items()
        ],
    )


def _list_groups_of(call: Call, _now: float) -> Answer:
    email = call.path_params["id"].lower()
    shown = [_describe(each) | {"suppressed": email in each.members} for each in _groups(call)]
    return json_answer(200, {"suppressions": shown})


READ, CREATE, DELETE = keys.SUPPRESSION_READ, keys.SUPPRESSION_CREATE, keys.SUPPRESSION_DELETE
ENDPOINTS = (
    Endpoint(method="GET", path=GROUPS_PATH, answer=_list, scope=READ),
    Endpoint(method="POST", path=GROUPS_PATH, answer=_create, scope=CREATE),
    Endpoint(method="GET", path=GROUP_PATH, answer=_get, scope=READ),
    Endpoint(method="PATCH", path=GROUP_PATH, answer=_change, scope=CREATE),
    Endpoint(method="DELETE", path=GROUP_PATH, answer=_delete, scope=DELETE),
    Endpoint(method="POST", path=MEMBERS_PATH, answer=_add_members, scope=CREATE),
    Endpoint(method="GET", path=MEMBERS_PATH, answer=_list_members, scope=READ),
    Endpoint(method="POST", path=f"{MEMBERS_PATH}/search", answer=_search_members, scope=READ),
    Endpoint(method="DELETE", path=f"{MEMBERS_PATH}/{{email}}", answer=_remove_member, scope=DELETE),
    Endpoint(method="GET", path=ALL_MEMBERS_PATH, answer=_list_all_members, scope=READ),
    Endpoint(method="GET", path=f"{ALL_MEMBERS_PATH}/{{id}}", answer=_list_groups_of, scope=READ),
)
