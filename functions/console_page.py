"""The console: pages for people, as static files that come with the app; all they know they ask the API for.

`console/` holds what the browser loads, as it is; `console/vendor/` files of npm packages as they were published,
with their hashes.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions.problems import answering
from functions.wiring import sign_in_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = func.Blueprint()

FOLDER: Final = Path(__file__).with_name("console")
PAGE: Final = "index.html"
MEDIA: Final[Mapping[str, str]] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".txt": "text/plain",
}
"""Of what is served, by the end of its name."""
PUBLISHED_IMPORT: Final = (b'from"preact"', b'from"./preact.mjs"')
"""One published module asks for another by its package, which a browser knows only where an import map says so;
that would have to stand in the page, where the policy allows no script."""
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Encoding",
}
"""Of every answer. A browser keeps the files, and asks each time whether they are still the same."""

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Of the page alone: of what it loads no browser heeds them, and with sixty files they would weigh 10 kB."""


@dataclass(frozen=True, kw_only=True)
class File:
    """What is served under one name."""

    media: str
    data: bytes
    packed: bytes
    """The same by gzip."""
    etag: str


@functools.cache
def files() -> Mapping[str, File]:
    """Everything there is, by its name below /console: what is not in it is not served."""
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in MEDIA and path.is_file())
    return {path.relative_to(FOLDER).as_posix(): _file(path) for path in found}


def _file(path: Path) -> File:
    data = path.read_bytes().replace(*PUBLISHED_IMPORT)
    return File(
        media=MEDIA[path.suffix],
        data=data,
        packed=gzip.compress(data, mtime=0),
        etag=f'W/"{hashlib.sha256(data).hexdigest()[:32]}"',
    )


def policy() -> str:
    """What the page may do: run and show what lies beside it, ask this app, and Entra where that knows callers."""
    asked = " ".join(filter(None, ("'self'", sign_in_origin())))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {asked}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@blueprint.route(
    "console/{*path}",
    methods=["GET", "HEAD"],
    trigger_arg_name="request",
    auth_level=func.AuthLevel.ANONYMOUS,
)
@answering
def get_console(request: func.HttpRequest) -> func.HttpResponse:
    """A file of the console; the page itself where none is named."""
    name = request.route_params.get("path") or PAGE
    file = files().get(name)
    if file is None:
        return func.HttpResponse(status_code=404, headers=dict(HEADERS))
    headers = {**HEADERS, "Content-Security-Policy": policy(), "ETag": file.etag}
    if name == PAGE:
        headers |= PAGE_HEADERS
    if file.etag in request.headers.get("if-none-match", ""):
        return func.HttpResponse(status_code=304, headers=headers)
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    body = file.packed if takes_gzip else file.data
    return func.HttpResponse(body, headers=headers, mimetype=file.media, charset="utf-8")
