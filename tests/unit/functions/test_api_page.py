"""The page of the API's description is what Swagger UI was published as, and loads nothing from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest

from functions import api_page
from tests.support.http_in_memory import answer

FILES = {"/api/docs/swagger-ui.js": "swagger-ui-bundle.js", "/api/docs/swagger-ui.css": "swagger-ui.css"}


def test_every_file_is_as_it_was_published() -> None:
    lines = (api_page.FOLDER / "sha256.txt").read_text().splitlines()
    said = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in api_page.FOLDER.iterdir()}
    del found["sha256.txt"]
    assert found == said
    assert {"LICENSE.txt", "NOTICE.txt"} <= found.keys()


def test_the_page_is_open_and_may_load_from_nowhere_else() -> None:
    page = answer("GET", "/api/docs", "", {}, b"")
    policy = dict(rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; "))
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == policy["style-src"] == "'self'"
    assert re.fullmatch(r"'self' 'sha256-[0-9A-Za-z+/]{43}='", policy["script-src"])
    assert "unsafe" not in str(policy)
    assert "//" not in page.get_body().decode()


@pytest.mark.parametrize("address", FILES)
def test_what_the_page_names_is_there_packed_or_not(address: str) -> None:
    assert address.removeprefix("/api/") in api_page.PAGE
    plain = answer("GET", address, "", {}, b"")
    packed = answer("GET", address, "", {"accept-encoding": "gzip, br"}, b"")
    whole = (api_page.FOLDER / FILES[address]).read_bytes()
    assert plain.get_body() == whole
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.get_body()) == whole
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert len(packed.get_body()) < len(whole) / 3


@pytest.mark.parametrize("address", ["/api/docs", *FILES])
def test_nobody_is_asked_who_they_are(address: str) -> None:
    assert answer("GET", address, "", {}, b"").status_code == 200
