"""The Starlette application: the API's endpoints and, beside them, the control API."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount, Route, compile_path

from local.sendgrid_simulator import (
    account_endpoints,
    contact_endpoints,
    contact_lookup_endpoints,
    erasure_endpoints,
    export_endpoints,
    group_endpoints,
    import_endpoints,
    list_endpoints,
    suppression_endpoints,
)
from local.sendgrid_simulator.answers import Answer, account_error, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.control_api import control_routes
from local.sendgrid_simulator.gateway import Gateway
from local.sendgrid_simulator.request_log import Recorder
from local.sendgrid_simulator.simulation import Simulation

ENDPOINTS = (
    *contact_endpoints.ENDPOINTS,
    *export_endpoints.ENDPOINTS,
    *import_endpoints.ENDPOINTS,
    *contact_lookup_endpoints.ENDPOINTS,
    *list_endpoints.ENDPOINTS,
    *account_endpoints.ENDPOINTS,
    *suppression_endpoints.ENDPOINTS,
    *group_endpoints.ENDPOINTS,
    *erasure_endpoints.ENDPOINTS,
)
CONTROL_PATH = "/__simulator"


def build_app(simulation: Simulation, record_to: Path | None = None) -> Starlette:
    """Builds the application around its state; with `record_to`, every exchange is appended to that file."""
    recorder = Recorder(record_to) if record_to else None
    known = [
        Route(endpoint.path, Gateway(simulation, endpoint, recorder), methods=[endpoint.method])
        for endpoint in ENDPOINTS
    ]
    unknown = Endpoint(method="ANY", path="/{path}", answer=_answer_unknown)
    return Starlette(
        routes=[
            Mount(CONTROL_PATH, routes=control_routes(simulation)),
            *known,
            Route("/{path:path}", Gateway(simulation, unknown, recorder), methods=None),
        ]
    )


def _answer_unknown(call: Call, _now: float) -> Answer:
    path = call.target.partition("?")[0]
    methods = {endpoint.method for endpoint in ENDPOINTS if compile_path(endpoint.path)[0].match(path)}
    if methods:
        raise refusal(405, [account_error("method not allowed")])
    raise refusal(404, [account_error("not found")])
