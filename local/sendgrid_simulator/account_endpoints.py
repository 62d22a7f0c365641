"""Field definitions, and what a key can learn of itself and its account."""

from local.sendgrid_simulator import keys
from local.sendgrid_simulator.answers import Answer, Json, error, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.fields import CustomField, reserved_fields

FIELDS_PATH = "/v3/marketing/field_definitions"
USERNAME, USER_ID = "simulator", 1
REPUTATION = 100


def _describe(call: Call, field: CustomField) -> Json:
    self_url = f"{call.simulation.configuration.public_url}{FIELDS_PATH}/{field.id}"
    return {"id": field.id, "name": field.name, "field_type": field.type, "_metadata": {"self": self_url}}


def _list_fields(call: Call, _now: float) -> Answer:
    fields = [_describe(call, field) for field in call.simulation.account.fields.list_all()]
    metadata = {"self": f"{call.simulation.configuration.public_url}{FIELDS_PATH}"}
    return json_answer(200, {"custom_fields": fields, "reserved_fields": reserved_fields(), "_metadata": metadata})


def _create_field(call: Call, _now: float) -> Answer:
    wanted = parse_object(call.body)
    try:
        field = call.simulation.account.fields.create(wanted.get("name"), wanted.get("field_type"))
    except ValueError as problem:
        raise refusal(400, [error(str(problem))]) from problem
    return json_answer(200, _describe(call, field))


def _rename_field(call: Call, _now: float) -> Answer:
    try:
        field = call.simulation.account.fields.rename(call.path_params["id"], parse_object(call.body).get("name"))
    except ValueError as problem:
        raise refusal(400, [error(str(problem), about="name")]) from problem
    if field is None:
        raise refusal(404, [error("custom field not found", about="id")])
    return json_answer(200, _describe(call, field))


def _delete_field(call: Call, _now: float) -> Answer:
    if not call.simulation.account.fields.delete(call.path_params["id"]):
        raise refusal(404, [error("custom field not found", about="id")])
    return Answer(status=204)


def _list_scopes(call: Call, _now: float) -> Answer:
    return json_answer(200, {"scopes": list(call.scopes)})


def _get_account(_call: Call, _now: float) -> Answer:
    return json_answer(200, {"type": "paid", "reputation": REPUTATION})


def _get_username(_call: Call, _now: float) -> Answer:
    return json_answer(200, {"username": USERNAME, "user_id": USER_ID})


ENDPOINTS = (
    Endpoint(method="GET", path=FIELDS_PATH, answer=_list_fields, scope=keys.READ),
    Endpoint(method="POST", path=FIELDS_PATH, answer=_create_field, scope=keys.CREATE),
    Endpoint(method="PATCH", path=f"{FIELDS_PATH}/{{id}}", answer=_rename_field, scope=keys.UPDATE),
    Endpoint(method="DELETE", path=f"{FIELDS_PATH}/{{id}}", answer=_delete_field, scope=keys.DELETE),
    Endpoint(method="GET", path="/v3/scopes", answer=_list_scopes),
    Endpoint(method="GET", path="/v3/user/account", answer=_get_account, scope=keys.ACCOUNT_READ),
    Endpoint(method="GET", path="/v3/user/username", answer=_get_username, scope=keys.USERNAME_READ),
)
