"""What the API answers: JSON, SendGrid's error bodies, and the HTML of the web server in front of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import responses as phrases
from typing import Any

import orjson

type Json = dict[str, Any]

REASONS = {413: "Request Entity Too Large", 414: "Request-URI Too Large"}
"""nginx's words where they are not Python's; its pages were seen in public reports."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response."""

    status: int
    content: bytes = b""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request is answered with this and has no effect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {answer.status}")
        self.answer = answer


def json_answer(status: int, body: object) -> Answer:
    """Renders body as JSON."""
    return Answer(status=status, content=orjson.dumps(body), media_type="application/json")


def error(message: str, *, about: str | None = None) -> Json:
    """Builds one entry of SendGrid's `errors`; `about` is the field it names, or nothing."""
    return {"message": message} if about is None else {"field": about, "message": message}


def account_error(message: str) -> Json:
    """Builds an entry whose `field` is null: how SendGrid writes errors about no field in particular."""
    return {"field": None, "message": message}


def refusal(status: int, errors: Iterable[Json]) -> RefusedError:
    """Builds the exception for `{"errors": […]}` with this status."""
    return RefusedError(json_answer(status, {"errors": list(errors)}))


def html_answer(status: int, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Builds the page nginx answers by itself, before the API has seen the request."""
    title = f"{status} {REASONS.get(status) or phrases.get(status, '')}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status=status, content=page.encode(), media_type="text/html", headers=headers or {})


def parse_object(body: bytes) -> Json:
    """Reads a JSON object, or refuses with 400 and the message seen for unreadable input.

    https://github.com/sendgrid/sendgrid-csharp/issues/1021
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise refusal(400, [invalid_input()])
    return parsed


def invalid_input() -> Json:
    """Builds the error for input of the wrong shape."""
    return error("invalid input", about="")
