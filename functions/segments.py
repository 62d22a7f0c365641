"""The HTTP API of segments."""

from __future__ import annotations

import functools

import azure.functions as func

from functions.http_support import answering, json_answer
from functions.wiring import get_http_services
from shared.definitions import segments

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")


@route("segments", methods=["GET"])
@answering
def list_segments(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """The segments that are there, each with its newest extract and the columns to map."""
    services = get_http_services()
    found = segments.list_segments(services.extracts, prefix=services.settings.extract_prefix)
    return json_answer({"segments": [segment.model_dump(mode="json") for segment in found]})
