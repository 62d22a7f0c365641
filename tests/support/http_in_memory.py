"""The app's HTTP functions in this process, as a client reaches them: for httpx, and as a WSGI application."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

import azure.functions as func
import httpx

from tests.support.http_routes import http_routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse

UNTOLD: Final = func.HttpResponse(status_code=404)
"""What the host itself answers where no function has the route."""


def _form(route: str) -> re.Pattern[str]:
    """Of the addresses of a route; dots in it are dots."""
    form = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.replace(".", r"\."))
    return re.compile("/" + re.sub(r"/{\*(\w+)}", r"(?:/(?P<\1>.*))?", form))


_FORMS: Final = {name: _form(route.path) for name, route in http_routes().items()}


def answer(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> func.HttpResponse:
    """What the function of a route answers; parameters and path are read as the host reads them.

    Repeated parameters are joined by commas, empty ones dropped.
    """
    for name, route in http_routes().items():
        found = _FORMS[name].fullmatch(path)
        if found and method in route.methods:
            request = func.HttpRequest(
                method=method,
                url=f"https://app.example{path}",
                headers=headers,
                params={each: ",".join(values) for each, values in parse_qs(query).items()},
                route_params={each: unquote(value or "") for each, value in found.groupdict().items()},
                body=body,
            )
            return route.function(request)
    return UNTOLD


class InMemoryTransport(httpx.BaseTransport):
    """Has httpx reach the app; remembers what was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        raw, _, query = request.url.raw_path.decode().partition("?")
        given = answer(request.method, raw, query, dict(request.headers), request.read())
        return httpx.Response(given.status_code, headers=_headers(given), content=given.get_body())


def wsgi(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """https://peps.python.org/pep-3333/."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    }
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
    given = answer(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)
    status = HTTPStatus(given.status_code)
    start_response(f"{status.value} {status.phrase}", list(_headers(given).items()))
    return [given.get_body()]


def _headers(given: func.HttpResponse) -> dict[str, str]:
    """As the host sends them: with the content type of the body, where there is one."""
    headers = dict(given.headers)
    if given.get_body():
        headers["Content-Type"] = f"{given.mimetype}; charset={given.charset}"
    return headers
