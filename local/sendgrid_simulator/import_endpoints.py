"""How far an import job is, and the file of what it could not store."""

from local.sendgrid_simulator import keys
from local.sendgrid_simulator.answers import Answer, error, json_answer, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.faults import UPSERT_PATH
from local.sendgrid_simulator.jobs import describe, error_file

IMPORTS_PATH = f"{UPSERT_PATH}/imports"


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
    Endpoint(method="GET", path=f"{IMPORTS_PATH}/{{id}}", answer=_import_status, scope=keys.READ),
    Endpoint(method="GET", path="/__errors/{id}", answer=_error_file, needs_key=False),
)
