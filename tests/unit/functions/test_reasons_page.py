"""Who follows the `type` of a problem in a browser reads what it means."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from functions.reference import all_codes
from tests.support.factories import a_request
from tests.support.http_routes import http_routes


def ask(accept: str | None) -> tuple[str, dict[str, str], str]:
    headers = {} if accept is None else {"accept": accept}
    answer = http_routes()["get_reasons"].function(a_request(method="GET", headers=headers))
    return str(answer.mimetype), dict(answer.headers), answer.get_body().decode()


def test_a_browser_gets_a_page_with_an_anchor_for_each_code() -> None:
    media, headers, page = ask("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert media == "text/html"
    anchors = re.findall(r'<section id="([^"]+)">', page)
    assert anchors == list(dict.fromkeys(anchors)), "an address leads to one place"
    assert set(anchors) == {each.code for each in all_codes()}
    assert headers["Vary"] == "Accept"


def test_the_page_shows_its_own_style_and_runs_nothing() -> None:
    _, headers, page = ask("text/html")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert re.findall(r"<script|style=|\son\w+=|src=|href=|url\(", page) == []


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html;q=0.5, application/json"])
def test_programs_get_json(accept: str | None) -> None:
    media, headers, body = ask(accept)
    assert media == "application/json"
    assert len(json.loads(body)["reasons"]) == len(all_codes())
    assert headers["Vary"] == "Accept"
