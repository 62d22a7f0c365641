"""The app's HTTP API, as far as files need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from shared.errors import InvalidInputError
from tools.exports.definitions import Json, Kind, definition_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

KEY: Final = "SENDGRID_EXPORTS_KEY"
"""Environment variable with a function key, …"""
TOKEN: Final = "SENDGRID_EXPORTS_TOKEN"  # noqa: S105 - the variable's name
"""… or with an access token of Microsoft Entra ID."""
SECONDS: Final = 30.0
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ApiError(Exception):
    """The app was not asked, or gave no answer that can be used; says what to change."""


class RefusedError(ApiError):
    """The app refused a request, with its problem document."""

    def __init__(self, request: str, status: int, problem: Mapping[str, Any]) -> None:
        said = problem.get("detail") or "No reason is given."
        super().__init__(f"{request} → {status} {problem.get('code', '')}: {said}")
        self.status = status
        self.code: str | None = problem.get("code")
        self.errors: Sequence[Mapping[str, str]] = problem.get("errors") or ()
        """Each with `field`, `message`, and `pointer` where it is a member of the body."""
        self.request_id: str | None = problem.get("request_id")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A definition that the app has."""

    definition: Json
    """Complete."""
    etag: str


def headers_from(environment: Mapping[str, str]) -> dict[str, str]:
    """How to say who calls. Raises ApiError unless one of KEY and TOKEN is set."""
    key, token = environment.get(KEY), environment.get(TOKEN)
    if bool(key) == bool(token):
        raise ApiError(f"Set either {KEY}, a function key, or {TOKEN}, an access token.")
    return {"x-functions-key": key} if key else {"Authorization": f"Bearer {token}"}


class Api:
    """Reads and saves definitions; every failure is an ApiError without keys in it."""

    def __init__(
        self, url: str, headers: Mapping[str, str], *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Raises ApiError unless the address is one that a key may be sent to."""
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            raise ApiError("--url is not an address.") from None
        if address.scheme != "https" and not (address.scheme == "http" and address.host in LOCAL):
            raise ApiError("--url must be https://…, such as https://<app>.azurewebsites.net.")
        self._client = httpx.Client(
            base_url=address, headers=headers, timeout=SECONDS, transport=transport or _transport_to(address)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def list_ids(self, kind: Kind) -> list[str]:
        """Ids of all that the caller sees, which of what is administrators' alone are none. Raises ApiError."""
        try:
            return self._list_ids(kind)
        except RefusedError as error:
            if kind is Kind.NOTIFICATION and error.status == httpx.codes.FORBIDDEN:
                return []
            raise

    def _list_ids(self, kind: Kind) -> list[str]:
        ids: list[str] = []
        address: str | None = f"/api/{kind.plural}"
        while address is not None:
            page, _ = self._json("GET", address)
            ids += [str(each["id"]) for each in page[kind.plural]]
            address = page.get("next")
        return ids

    def find(self, kind: Kind, identity: str) -> Found | None:
        """A definition. Raises ApiError, also where the caller sees but its name."""
        path = f"/api/{kind.plural}/{identity}"
        try:
            answer, etag = self._json("GET", path)
        except RefusedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        if kind is Kind.CONNECTION and "secret_name" not in answer:
            raise ApiError(f"GET {path}: only administrators see what a connection is; call as one.")
        try:
            return Found(definition=definition_of(kind, answer), etag=etag)
        except InvalidInputError as error:
            fields = ", ".join(fault.field for fault in error.errors)
            raise ApiError(
                f"GET {path}: the app has what this tool does not know ({fields}); use the tool of its version."
            ) from None

    def save(self, kind: Kind, identity: str, document: Json, *, etag: str | None) -> None:
        """Create a definition, or change the version that was read. Raises ApiError."""
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        self._json("PUT", f"/api/{kind.plural}/{identity}", json=document, headers=condition)

    def delete(self, kind: Kind, identity: str, *, etag: str) -> None:
        """Delete the version that was read. Raises ApiError."""
        self._send("DELETE", f"/api/{kind.plural}/{identity}", headers={"If-Match": etag})

    def _json(self, method: str, path: str, **parts: Any) -> tuple[Json, str]:  # noqa: ANN401 - httpx's own types
        answer = self._send(method, path, **parts)
        document = _object(answer)
        if document is None:
            raise ApiError(f"{method} {path}: what answers there is not this app; look at --url.")
        return document, answer.headers.get("ETag", "")

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own types
        try:
            answer = self._client.request(method, path, **parts)
        except httpx.HTTPError as error:
            raise ApiError(f"{method} {path}: the app does not answer ({type(error).__name__}).") from None
        if not answer.is_success:
            raise RefusedError(f"{method} {path}", answer.status_code, _object(answer) or {})
        return answer


def _transport_to(address: httpx.URL) -> httpx.BaseTransport:
    """Through the proxy of this machine, if it has one and the address is elsewhere. Raises ApiError.

    httpx looks for a proxy itself only where it makes the transport, and then it does not connect again.
    """
    elsewhere = address.scheme == "https" and not proxy_bypass(address.host)
    try:
        return httpx.HTTPTransport(proxy=getproxies().get("https") if elsewhere else None, retries=2)
    except (ValueError, ImportError, httpx.InvalidURL):
        raise ApiError("HTTPS_PROXY is not the address of a proxy, such as http://proxy.example:3128.") from None


def _object(answer: httpx.Response) -> Json | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
