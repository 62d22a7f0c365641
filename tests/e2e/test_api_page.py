"""The page of the API's description comes through the host as it is, for whoever asks."""

import pytest

from functions.api_page import FOLDER
from tests.support.running_app import RunningApp

FILES = {"swagger-ui.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"}


@pytest.mark.parametrize("name", FILES)
def test_its_files_arrive_whole_and_packed(running: RunningApp, name: str) -> None:
    with running.host.client_with({"Accept-Encoding": "gzip"}) as nobody:
        answer = nobody.get(f"/api/docs/{name}")
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert answer.content == (FOLDER / FILES[name]).read_bytes()
    assert int(answer.headers["Content-Length"]) < len(answer.content) / 3


def test_the_page_and_the_description_beside_it_ask_for_nobody(running: RunningApp) -> None:
    with running.host.client_with({}) as nobody:
        page, description = nobody.get("/api/docs"), nobody.get("/api/openapi.json")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self' ")
    assert description.json()["paths"].keys() >= {"/api/docs", "/api/exports/{id}"}
