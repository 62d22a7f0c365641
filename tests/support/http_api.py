"""The HTTP functions as callers know them, by name, with keys of several roles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from shared.access.keys import KeyHolders
from shared.settings import Keys
from tests.support.factories import a_request, use_services
from tests.support.http_routes import http_routes

if TYPE_CHECKING:
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
    asked = http_routes()[function]
    return asked.function(
        a_request(
            body,
            method=asked.method,
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
