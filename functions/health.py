"""Whether the app is well."""

from __future__ import annotations

import functools
import os

import azure.functions as func

from functions.http_support import answering, json_answer
from shared import __version__
from shared.settings import read_settings

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")


@route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
def get_health(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Whether the app is there and its settings are right."""
    read_settings(os.environ)
    return json_answer({"status": "ok", "version": __version__})
