"""Imports of CSV files in two steps, how far an import job is, and the file of what it could not store.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/contacts/import-contacts: the first
request says which column is for which field, and its answer where to put the file, with which headers and
without the key. Nothing is processed until the file is there.
"""

import secrets
from collections.abc import Container, Mapping
from typing import Final

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.answers import Answer, Json, error, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.csv_import import ImportWish
from local.sendgrid_simulator.faults import UPSERT_PATH, Moment
from local.sendgrid_simulator.fields import importable_fields
from local.sendgrid_simulator.jobs import describe, error_file
from local.sendgrid_simulator.object_store import HEADERS, store_refusal
from local.sendgrid_simulator.validation import parse_list_ids, refuse_unknown_lists

IMPORTS_PATH: Final = f"{UPSERT_PATH}/imports"
UPLOAD_PATH: Final = "/__uploads/{id}"
UPLOAD_HEADERS: Final = {"x-amz-server-side-encryption": "aws:kms"}


def _start(call: Call, now: float) -> Answer:
    parsed, account = parse_object(call.body), call.simulation.account
    columns = _columns(parsed, importable_fields(), account.fields)
    list_ids = parse_list_ids(parsed)
    refuse_unknown_lists(list_ids, account.lists)
    wish = ImportWish(
        columns=columns,
        list_ids=tuple(list_ids),
        signature=secrets.token_hex(32),
        fault=call.take_fault(Moment.ACCEPTANCE),
    )
    job_type = call.simulation.configuration.upsert_job_type
    job_id = account.jobs.reserve(job_type, now=now, fault=wish.fault)
    account.imports[job_id] = wish
    folder = f"{call.simulation.configuration.public_url}{UPLOAD_PATH.format(id=job_id)}"
    headers = [{"header": name, "value": value} for name, value in UPLOAD_HEADERS.items()]
    uri = f"{folder}?X-Amz-Signature={wish.signature}"
    return json_answer(200, {"job_id": job_id, "upload_uri": uri, "upload_headers": headers})


def _columns(parsed: Json, reserved: Mapping[str, str], custom: Container[str]) -> list[str | None]:
    """Reads `field_mappings`; that unknown ids, and a file without identifiers, are refused is our choice."""
    mappings = parsed.get("field_mappings")
    if parsed.get("file_type") != "csv":
        raise refusal(400, [error("file_type must be csv", about="file_type")])
    if (
        not isinstance(mappings, list)
        or not mappings
        or not all(each is None or type(each) is str for each in mappings)
    ):
        raise refusal(400, [error("field_mappings must be field ids or null", about="field_mappings")])
    if unknown := [each for each in mappings if each is not None and each not in reserved and each not in custom]:
        raise refusal(400, [error(f"field '{each}' is not valid", about="field_mappings") for each in unknown])
    columns = [reserved.get(each, each) if each else None for each in mappings]
    if not set(columns).intersection(limits.IDENTIFIERS):
        raise refusal(400, [error("at least one identifier is required", about="field_mappings")])
    return columns


def _upload(call: Call, now: float) -> Answer:
    """Takes the file of an import; one that comes again is taken and changes nothing."""
    if "authorization" in call.headers:
        raise store_refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    account, job_id = call.simulation.account, call.path_params["id"]
    wish, signature = account.imports.get(job_id), call.query.get("X-Amz-Signature", "")
    signed = all(call.headers.get(name) == value for name, value in UPLOAD_HEADERS.items())
    if wish is None or not signed or not secrets.compare_digest(signature.encode(), wish.signature.encode()):
        raise store_refusal(403, "SignatureDoesNotMatch", "The request signature does not match")
    effect = call.simulation.effect_of(now)
    work = account.importing(call.body, wish, accepted=now, effect=effect)
    account.jobs.begin(job_id, work, due=effect)
    return Answer(status=200, headers=HEADERS)


def _import_status(call: Call, now: float) -> Answer:
    job = call.simulation.account.jobs.get(call.path_params["id"])
    if job is None:
        raise refusal(404, [error("job not found", about="id")])
    return json_answer(200, describe(job, call.simulation.configuration, now))


def _error_file(call: Call, _now: float) -> Answer:
    job = call.simulation.account.jobs.get(call.path_params["id"])
    if job is None or job.result is None:
        raise refusal(404, [error("not found")])
    return Answer(status=200, content=error_file(job.result).encode(), media_type="text/csv; charset=utf-8")


ENDPOINTS = (
    Endpoint(method="PUT", path=IMPORTS_PATH, answer=_start, scope=keys.UPDATE),
    Endpoint(
        method="PUT",
        path=UPLOAD_PATH,
        answer=_upload,
        needs_key=False,
        max_body_bytes=limits.MAX_UPLOAD_BYTES,
    ),
    Endpoint(method="GET", path=f"{IMPORTS_PATH}/{{id}}", answer=_import_status, scope=keys.READ),
    Endpoint(method="GET", path="/__errors/{id}", answer=_error_file, needs_key=False),
)
