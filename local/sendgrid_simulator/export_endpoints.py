"""Exports of contacts, and their files.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts. The files
lie in a store that asks for no key but for the signature in the address, and answers as Amazon S3 does.
"""

import re
import secrets
from typing import Final

from local.sendgrid_simulator import keys
from local.sendgrid_simulator.answers import Answer, Json, error, invalid_input, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.exports import LIFETIME_SECONDS, Export, ExportStatus, ExportWish
from local.sendgrid_simulator.faults import UPSERT_PATH, Moment
from local.sendgrid_simulator.object_store import HEADERS, store_refusal
from local.sendgrid_simulator.people import iso
from local.sendgrid_simulator.validation import parse_list_ids, refuse_unknown_lists

EXPORTS_PATH: Final = f"{UPSERT_PATH}/exports"
FILE_PATH: Final = "/__exports/{id}/{file}"
FILE_TYPES: Final = ("csv", "json")
DEFAULT_MEGABYTES: Final = 5_000


def _start(call: Call, now: float) -> Answer:
    wish = _parse(call)
    export = call.simulation.submit_export(wish, now, call.take_fault(Moment.ACCEPTANCE))
    return json_answer(202, {"id": export.id, "_metadata": {"self": _self_url(call, export)}})


def _parse(call: Call) -> ExportWish:
    """Reads what is wanted. There are no segments here, so asking for one is asking for one that is unknown."""
    parsed = parse_object(call.body)
    list_ids, segment_ids = parse_list_ids(parsed), parsed.get("segment_ids") or []
    file_type, megabytes = parsed.get("file_type", "csv"), parsed.get("max_file_size", DEFAULT_MEGABYTES)
    notifications = parsed.get("notifications", {})
    if not isinstance(segment_ids, list) or not isinstance(notifications, dict):
        raise refusal(400, [invalid_input()])
    if file_type not in FILE_TYPES:
        raise refusal(400, [error("file_type must be csv or json", about="file_type")])
    if type(megabytes) is not int or megabytes < 1:
        raise refusal(400, [error("max_file_size must be a positive number of megabytes", about="max_file_size")])
    refuse_unknown_lists(list_ids, call.simulation.account.lists)
    if segment_ids:
        raise refusal(404, [error(f"segment '{each}' not found", about="segment_ids") for each in segment_ids])
    return ExportWish(list_ids=tuple(list_ids), file_type=file_type, max_file_bytes=megabytes * 1_000_000)


def _get(call: Call, _now: float) -> Answer:
    export = call.simulation.account.exports.get(call.path_params["id"])
    if export is None:
        raise refusal(404, [error("export not found", about="id")])
    shown = _describe(call, export) | {"updated_at": iso(export.completed or export.created)}
    if export.status is ExportStatus.FAILURE:
        shown["message"] = "the export could not be written"
    if export.result:
        shown["contact_count"] = export.result.contact_count
    return json_answer(200, shown)


def _list(call: Call, _now: float) -> Answer:
    exports = [_describe(call, each) | _origin(call, each) for each in call.simulation.account.exports.list_all()]
    metadata = {"self": f"{call.simulation.configuration.public_url}{EXPORTS_PATH}"}
    return json_answer(200, {"result": exports, "_metadata": metadata})


def _describe(call: Call, export: Export) -> Json:
    """Shows what both answers tell of an export; only one that is ready has addresses."""
    shown: Json = {
        "id": export.id,
        "status": export.status,
        "created_at": iso(export.created),
        "expires_at": iso(export.expires),
        "urls": _urls(call, export),
        "_metadata": {"self": _self_url(call, export)},
    }
    return shown | ({} if export.completed is None else {"completed_at": iso(export.completed)})


def _origin(call: Call, export: Export) -> Json:
    lists = [found for each in export.wish.list_ids if (found := call.simulation.account.lists.get(each))]
    return {
        "user_id": "1",
        "export_type": "list_export" if export.wish.list_ids else "contacts_export",
        "segments": [],
        "lists": [{"ID": each.id, "Name": each.name} for each in lists],
    }


def _self_url(call: Call, export: Export) -> str:
    return f"{call.simulation.configuration.public_url}{EXPORTS_PATH}/{export.id}"


def _urls(call: Call, export: Export) -> list[str]:
    if export.result is None:
        return []
    folder = FILE_PATH.format(id=export.id, file="")
    date = re.sub(r"[-:]", "", iso(export.created))
    query = f"X-Amz-Date={date}&X-Amz-Expires={LIFETIME_SECONDS}&X-Amz-Signature={export.signature}"
    base = f"{call.simulation.configuration.public_url}{folder}"
    return [f"{base}{file.name}?{query}" for file in export.result.files]


def _download(call: Call, now: float) -> Answer:
    """Gives a file to whoever has its address, key or no key; a key beside the signature is refused."""
    if "authorization" in call.headers:
        raise store_refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    export = call.simulation.account.exports.get(call.path_params["id"])
    signature = call.query.get("X-Amz-Signature", "")
    if export is None or not secrets.compare_digest(signature.encode(), export.signature.encode()):
        raise store_refusal(403, "SignatureDoesNotMatch", "The request signature does not match")
    if now >= export.expires:
        raise store_refusal(403, "AccessDenied", "Request has expired")
    file = export.file(call.path_params["file"])
    if file is None:
        raise store_refusal(404, "NoSuchKey", "The specified key does not exist.")
    return Answer(status=200, content=file.content, media_type="binary/octet-stream", headers=HEADERS)


ENDPOINTS = (
    Endpoint(method="POST", path=EXPORTS_PATH, answer=_start, scope=keys.READ),
    Endpoint(method="GET", path=EXPORTS_PATH, answer=_list, scope=keys.READ),
    Endpoint(method="GET", path=f"{EXPORTS_PATH}/{{id}}", answer=_get, scope=keys.READ),
    Endpoint(method="GET", path=FILE_PATH, answer=_download, needs_key=False),
)
