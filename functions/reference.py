"""What the API tells of itself: its description, and every code it may answer with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

import azure.functions as func

from functions import requests
from functions.answers import answer
from functions.operations import JSON, Answer, open_to_all
from functions.pages import own_style_only, served, style_in, template
from shared.model.documents import Document
from shared.model.list_ready import ListReadyCode
from shared.model.notification_codes import NotificationCode
from shared.model.problems import ProblemCode
from shared.model.reason_codes import ReasonCode
from shared.model.rejections import Rejected
from shared.model.warning_codes import WarningCode

blueprint = func.Blueprint()

HTML: Final = "text/html"
PAGE: Final = Path(__file__).with_name("reasons.html.j2")


class Code(Document):
    """A code, and what to do about it."""

    code: str
    kind: Literal["problem", "run", "rejection", "notification", "warning", "list"]
    """Where it stands: in a problem document, as a run's reason, beside a rejected row, in an outcome of a
    notification target, beside an export or a target, or in a run whose list is not known to be ready."""
    meaning: str
    action: str


class CodeList(Document):
    """Every code there is."""

    reasons: tuple[Code, ...]


def all_codes() -> tuple[Code, ...]:
    """Problems, reasons of runs, of rejections and of lists, why notifications fail, warnings."""
    return (
        *(Code(code=each, kind="problem", meaning=each.meaning, action=each.action) for each in ProblemCode),
        *(Code(code=each, kind="run", meaning=each.meaning, action=each.action) for each in ReasonCode),
        *(Code(code=each, kind="rejection", meaning=each.meaning, action=each.action) for each in Rejected),
        *(
            Code(code=each, kind="notification", meaning=each.meaning, action=each.action)
            for each in NotificationCode
        ),
        *(Code(code=each, kind="warning", meaning=each.meaning, action=each.action) for each in WarningCode),
        *(Code(code=each, kind="list", meaning=each.meaning, action=each.action) for each in ListReadyCode),
    )


@blueprint.route("api/reasons", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS)
@open_to_all(
    "reasons",
    answers={
        200: Answer(
            description="Problems, reasons of runs, of rejections and of lists, warnings; for browsers a page.",
            model=CodeList,
            also=HTML,
        )
    },
)
def get_reasons(request: func.HttpRequest) -> func.HttpResponse:
    """Every code the API may answer with, its meaning and what to do.

    As JSON, or with `Accept: text/html` as a page, to which the `type` of each problem leads.
    """
    if not requests.prefers(request, HTML, JSON):
        return answer(CodeList(reasons=all_codes()), Vary="Accept")
    headers = {
        "Content-Security-Policy": served(own_style_only(style_in(PAGE))),
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    }
    return func.HttpResponse(
        template(PAGE).render(codes=all_codes()), headers=headers, mimetype=HTML, charset="utf-8"
    )


@blueprint.route(
    "api/openapi.json", methods=["GET"], trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS
)
@open_to_all("openapi.json", answers={200: Answer(description="OpenAPI 3.1.")})
def get_openapi(request: func.HttpRequest) -> func.HttpResponse:
    """This description."""
    from functions.openapi import describe_api

    del request
    return func.HttpResponse(json.dumps(describe_api()), mimetype="application/json", charset="utf-8")
