"""What a browser is told to do with a report and with lists of rows: to run nothing, and to keep nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from functions import row_lists, runs
from tests.support.factories import a_request, plain, use_services
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    import azure.functions as func


@pytest.fixture
def run() -> str:
    """A run that is over; its export is called newsletter."""
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(3))
    use_services(app.services)
    started = _call(runs.start_run, method="POST")
    app.work()
    return str(started.headers["Location"]).rpartition("/")[2]


def _call(registered: Any, *, method: str = "GET", **params: str) -> func.HttpResponse:  # noqa: ANN401 - the library's
    request = a_request(method=method, route_params={"id": "newsletter", **params})
    answer: func.HttpResponse = plain(registered)(request)
    return answer


@pytest.mark.parametrize("shown", [runs.get_run, runs.get_report, row_lists.get_rejected, runs.list_runs])
def test_nothing_is_kept_or_guessed_at(run: str, shown: Any) -> None:  # noqa: ANN401 - the library's
    answer = _call(shown, run=run)
    assert answer.status_code == 200
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_the_report_shows_its_own_style_and_runs_nothing(run: str) -> None:
    answer = _call(runs.get_report, run=run)
    page = answer.get_body().decode()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", f"style-src 'sha256-{digest}'", "frame-ancestors 'none'", "sandbox"} <= set(
        policy
    )
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script|style=|\son\w+=|javascript:|src=|href=|url\(", page) == []
    assert answer.headers["Referrer-Policy"] == "no-referrer"  # the address may hold a key


def test_rejected_rows_are_a_file_to_keep(run: str) -> None:
    answer = _call(row_lists.get_rejected, run=run)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="newsletter-{run}-rejected-1.csv"'
    assert answer.mimetype == "text/csv"
