"""HTTP triggers and the admin endpoint, as an ASGI application.

Nothing here writes a URL, a header or a body to the log.
"""

import contextlib
import functools
import json
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from local.functions_host.keys import Keys, Level
from local.functions_host.protos import NullableTimestamp, RpcHttp, RpcHttpCookie, TypedData
from local.functions_host.routes import TemplateRoute, decoded_path
from local.functions_host.triggers import HttpTrigger

ADMIN_PATH = "/admin/functions/{name}"
SAME_SITE: dict[int, Literal["lax", "strict", "none"]] = {1: "lax", 2: "strict", 3: "none"}

type Call = Callable[[HttpTrigger, TypedData], Awaitable[TypedData | None]]


@dataclass(frozen=True, kw_only=True)
class Admin:
    """What the host can be asked and told under /admin, with its master key."""

    start_by_hand: Callable[[str, str], bool]
    """Starts a function of another kind than HTTP with an input; False when there is none."""
    problem_of: Callable[[str], str | None]
    """Why a function is disabled; None if it runs. Raises KeyError when there is none of the name."""
    drain: Callable[[], None]
    """Takes no more work, and leaves alone what runs; the platform asks for it before it stops a host."""


class HttpApplication:
    """Answers requests by calling functions."""

    def __init__(self, triggers: Mapping[str, HttpTrigger], keys: Keys, call: Call, admin: Admin) -> None:
        """Take the HTTP triggers by the name of their function.

        As in the real host, the function whose name comes first answers what fits the routes of several.

        Args:
            triggers: what can be called by its route.
            keys: who may call it.
            call: calls a function; None when it failed.
            admin: what else the host does.
        """
        self._keys = keys
        self._call = call
        self._admin = admin
        self._is_draining = False
        routes = [
            TemplateRoute(ADMIN_PATH, self._answer_admin, {"POST"}),
            TemplateRoute(f"{ADMIN_PATH}/status", self._answer_function_status, {"GET"}),
            TemplateRoute("/admin/host/ping", self._answer_ping, {"GET", "POST"}),
            TemplateRoute("/admin/host/status", self._answer_status, {"GET"}),
            TemplateRoute("/admin/host/drain", self._answer_drain, {"POST"}),
        ]
        for _, trigger in sorted(triggers.items()):
            endpoint = functools.partial(self._answer, trigger)
            routes += [TemplateRoute(path, endpoint, trigger.methods) for path in trigger.paths]
        self._router = Router(routes, redirect_slashes=False, default=Response(status_code=404))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._router({**scope, "path": decoded_path(scope["raw_path"])}, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        level = self._keys.level_of(request)
        if level is Level.ADMIN:
            return None
        return Response(status_code=401 if level is Level.ANONYMOUS else 403)

    async def _answer_ping(self, _request: Request) -> Response:
        return Response()

    async def _answer_status(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"state": "Running", "isDraining": self._is_draining})

    async def _answer_drain(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        self._is_draining = True
        self._admin.drain()
        return Response(status_code=202)

    async def _answer_function_status(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            problem = self._admin.problem_of(request.path_params["name"])
        except KeyError:
            return Response(status_code=404)
        return JSONResponse({"isDisabled": problem is not None, "errors": [problem] if problem else []})

    async def _answer_admin(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        text = read_admin_input(await request.body())
        if text is None:
            return Response('The body must be {"input": "..."}', status_code=400, media_type="text/plain")
        found = self._admin.start_by_hand(request.path_params["name"], text)
        return Response(status_code=202 if found else 404)

    async def _answer(self, trigger: HttpTrigger, request: Request) -> Response:
        if self._keys.level_of(request, trigger.function.name) < trigger.level:
            return Response(status_code=401)
        result = await self._call(trigger, TypedData(http=await read_request(request)))
        return make_response(result) if result else Response(status_code=500)


def read_admin_input(body: bytes) -> str | None:
    """Return the input for a function to be started by hand, or None when the body is not such a request."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    given = content.get("input") or ""
    return given if isinstance(given, str) else json.dumps(given)


async def read_request(request: Request) -> RpcHttp:
    """Return a request as the worker gets it.

    As in GrpcMessageConversionExtensions of the real host: repeated values are joined by commas, empty query
    values are dropped, the path keeps its encoding, and a body counts only when its length is announced.
    """
    query = {key: ",".join(request.query_params.getlist(key)) for key in request.query_params}
    has_body = request.headers.get("content-length", "0") != "0"
    return RpcHttp(
        method=request.method,
        url=str(request.url.replace(path=request.scope["raw_path"].decode("latin-1"))),
        headers={key: ",".join(request.headers.getlist(key)) for key in request.headers},
        query={key: value for key, value in query.items() if value},
        params=request.path_params,
        body=TypedData(bytes=await request.body()) if has_body else TypedData(),
    )


def make_response(result: TypedData) -> Response:
    """Return the answer to what a function returned: an HttpResponse or a text."""
    if result.http is None:
        return Response(result.string, media_type="text/plain")
    http = result.http
    if not all(value.isascii() for value in http.headers.values()):
        return Response(status_code=500)
    response = Response(http.body.bytes or b"", status_code=int(http.status_code), headers=dict(http.headers))
    if "content-length" not in {name.lower() for name in http.headers}:
        del response.headers["content-length"]  # the answer then goes out in chunks, as there
    for cookie in http.cookies:
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: Response, cookie: RpcHttpCookie) -> None:
    response.set_cookie(
        cookie.name,
        cookie.value,
        max_age=int(cookie.max_age.value) if cookie.max_age else None,
        expires=_expiry(cookie.expires) if cookie.expires else None,
        path=cookie.path.value if cookie.path and cookie.path.value else "/",
        domain=cookie.domain.value if cookie.domain and cookie.domain.value else None,
        secure=bool(cookie.secure and cookie.secure.value),
        httponly=bool(cookie.http_only and cookie.http_only.value),
        samesite=SAME_SITE.get(cookie.same_site),
    )


def _expiry(expires: NullableTimestamp) -> datetime | None:
    return datetime.fromtimestamp(expires.value.seconds, UTC) if expires.value else None


class HttpServer(uvicorn.Server):
    """A uvicorn that leaves the signals to the host."""

    def __init__(self, application: HttpApplication, listening: socket.socket, grace_seconds: int) -> None:
        """Take what answers the requests, where they come in, and how long they may go on after a stop."""
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=grace_seconds,
            )
        )
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    async def listen(self) -> None:
        """Serve until stopped."""
        await self.serve(sockets=[self._listening])

    def stop(self) -> None:
        """Accept no more requests."""
        self.should_exit = True
