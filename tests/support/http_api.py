"""The HTTP functions as callers know them, by name, with keys of several roles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from azure.functions.decorators.http import HttpTrigger

import function_app
from shared.access.keys import KeyHolders
from shared.settings import Keys
from tests.support.factories import a_request, use_services

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

    from tests.support.in_memory_app import InMemoryApp

KEYS: Final = Keys.model_validate(
    {
        "roles": {
            "admin": {"role": "Administrator"},
            "nora": {"role": "Contributor"},
            "otto": {"role": "Operator"},
            "newsletter-only": {"role": "Contributor", "export": "newsletter"},
        }
    }
)


def http_functions() -> dict[str, tuple[str, str, Callable[[func.HttpRequest], func.HttpResponse]]]:
    """Method, route and function of all that the app registers, by name; may be asked once in a process."""
    found = {}
    for function in function_app.app.get_functions():
        for binding in function.get_bindings():
            if isinstance(binding, HttpTrigger):
                method = str(next(iter(binding.methods or ())))
                name = str(function.get_function_name())
                found[name] = (method, str(binding.route), function.get_user_function())
    return found


FUNCTIONS: Final = http_functions()


def ask(
    function: str,
    body: object = b"",
    *,
    caller: str = "admin",
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    **route: str,
) -> func.HttpResponse:
    """Call a function with the key of that name; it is about the newsletter unless the route says else."""
    key = {"x-functions-key": f"{caller}.{'0' * 64}"}
    method, _, user_function = FUNCTIONS[function]
    return user_function(
        a_request(
            body,
            method=method,
            route_params={"id": "newsletter"} | route,
            headers=key | (headers or {}),
            params=params or {},
        )
    )


def told(response: func.HttpResponse) -> Any:  # noqa: ANN401 - JSON is anything
    """What it says."""
    return json.loads(response.get_body())


def serve(app: InMemoryApp) -> InMemoryApp:
    """Let callers in by KEYS, and have the functions work with this app."""
    app.services = replace(app.services, authenticator=KeyHolders(KEYS))
    use_services(app.services)
    return app
