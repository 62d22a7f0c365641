"""A page that shows the API's description: Swagger UI, which comes with the app.

`swagger_ui/` holds files of the npm package swagger-ui-dist as they were published, with their hashes.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from pathlib import Path
from typing import Final

import azure.functions as func

from functions.operations import Answer, open_to_all

blueprint = func.Blueprint()

FOLDER: Final = Path(__file__).with_name("swagger_ui")
SCRIPT: Final = """
SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null, queryConfigEnabled: false
})
"""
PAGE: Final = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Segment exports to SendGrid: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="page"></div>
<script src="docs/swagger-ui.js"></script>
<script>{SCRIPT}</script>
</html>
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self' 'sha256-{_DIGEST}'; style-src 'self'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
"""What the page may do: run Swagger UI, show its style, and ask this app."""


@blueprint.route("api/docs", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS)
@open_to_all("docs", answers={200: Answer(description="The page.", media="text/html")})
def get_docs(request: func.HttpRequest) -> func.HttpResponse:
    """This description as a page, on which every operation can be tried."""
    del request
    return func.HttpResponse(PAGE, headers=dict(HEADERS), mimetype="text/html", charset="utf-8")


@blueprint.route(
    "api/docs/swagger-ui.js", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS
)
@open_to_all("docs/swagger-ui.js", answers={200: Answer(description="Swagger UI.", media="text/javascript")})
def get_docs_script(request: func.HttpRequest) -> func.HttpResponse:
    """The script of the page."""
    return _file(request, "swagger-ui-bundle.js", "text/javascript")


@blueprint.route(
    "api/docs/swagger-ui.css", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS
)
@open_to_all("docs/swagger-ui.css", answers={200: Answer(description="Its style.", media="text/css")})
def get_docs_style(request: func.HttpRequest) -> func.HttpResponse:
    """The style of the page."""
    return _file(request, "swagger-ui.css", "text/css")


def _file(request: func.HttpRequest, name: str, media: str) -> func.HttpResponse:
    """A file of the page, a quarter as long for whom can unpack it, which is every browser."""
    headers = {"Vary": "Accept-Encoding"}
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    body = _packed(name) if takes_gzip else (FOLDER / name).read_bytes()
    return func.HttpResponse(body, headers=headers, mimetype=media, charset="utf-8")


@functools.cache
def _packed(name: str) -> bytes:
    return gzip.compress((FOLDER / name).read_bytes(), mtime=0)
