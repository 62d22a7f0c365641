"""The console comes as files of a table: as they are, packed, kept by browsers, allowed to ask this app only."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Final

import pytest

from functions import console_page
from tests.support.http_in_memory import answer

ROOT: Final = Path(__file__).parents[3]
VENDOR: Final = console_page.FOLDER / "vendor"
FILES: Final = sorted(console_page.files())
SCRIPTS: Final = [name for name in FILES if name.endswith(("js", "mjs")) and not name.endswith(".min.js")]
IMPORT: Final = re.compile(r"""(?:\bfrom|\bimport\(|\bimport)\s*["']([^"'\n]+)["']""")


@pytest.mark.parametrize("address", ["/console", "/console/", "/console/index.html"])
def test_the_page_is_open_and_may_ask_nobody_else(address: str) -> None:
    page = answer("GET", address, "", {}, b"")
    policy = dict(rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; "))
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Permissions-Policy"].startswith("camera=(), ")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert not re.search(rb"https?:|<style|<script(?! type=\"module\" src=\"/console/)| on\w+=", page.get_body())


def test_with_entra_the_page_may_ask_it_for_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHENTICATION", "entra")
    assert "connect-src 'self' https://login.microsoftonline.com;" in console_page.policy()
    monkeypatch.setenv("ENTRA_AUTHORITY", "https://login.example/some/path")
    assert "connect-src 'self' https://login.example;" in console_page.policy()


@pytest.mark.parametrize("name", FILES)
def test_every_file_arrives_packed_or_not_and_is_kept(name: str) -> None:
    plain = answer("GET", f"/console/{name}", "", {}, b"")
    packed = answer("GET", f"/console/{name}", "", {"accept-encoding": "br, gzip"}, b"")
    again = answer("GET", f"/console/{name}", "", {"if-none-match": plain.headers["ETag"]}, b"")
    assert gzip.decompress(packed.get_body()) == plain.get_body()
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert packed.headers["Content-Length"] == str(len(packed.get_body()))
    assert plain.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.get_body(), again.headers["ETag"]) == (304, b"", plain.headers["ETag"])
    assert plain.mimetype == console_page.MEDIA[Path(name).suffix]


def test_another_version_is_sent_anew() -> None:
    assert answer("GET", "/console/index.html", "", {"if-none-match": 'W/"0"'}, b"").status_code == 200


def test_asking_for_the_head_tells_the_same() -> None:
    got, head = (answer(method, "/console", "", {}, b"") for method in ("GET", "HEAD"))
    assert {**head.headers, "X-Request-Id": ""} == {**got.headers, "X-Request-Id": ""}


@pytest.mark.parametrize(
    "path",
    [
        *("none.js", "../console_page.py", "..%2Fconsole_page.py", "vendor/../../wiring.py", "%2e%2e/wiring.py"),
        *("/etc/passwd", "vendor", "vendor/", "index.html/", "INDEX.HTML", "index.html%00", "\\index.html", "."),
    ],
)
def test_what_is_not_in_the_table_is_not_there(path: str) -> None:
    refused = answer("GET", f"/console/{path}", "", {}, b"")
    assert (refused.status_code, refused.get_body()) == (404, b"")


def test_every_vendored_file_is_as_it_was_published() -> None:
    lines = (VENDOR / "sha256.txt").read_text().splitlines()
    said = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del found["sha256.txt"]
    assert found == said


@pytest.mark.parametrize(
    ("vendored", "published"),
    [
        ("preact.mjs", "preact/dist/preact.mjs"),
        ("hooks.mjs", "preact/hooks/dist/hooks.mjs"),
        ("htm.mjs", "htm/dist/htm.mjs"),
        ("msal-browser.min.js", "@azure/msal-browser/lib/msal-browser.min.js"),
        ("LICENSE-preact.txt", "preact/LICENSE"),
        ("LICENSE-htm.txt", "htm/LICENSE"),
        ("LICENSE-msal-browser.txt", "@azure/msal-browser/LICENSE"),
    ],
)
def test_vendored_files_are_those_of_the_packages_that_the_lock_names(vendored: str, published: str) -> None:
    package = ROOT / "node_modules" / published
    if not package.is_file():
        pytest.skip(f"NOT COMPARED WITH NPM: {package.name} is not installed; make install")
    assert (VENDOR / vendored).read_bytes() == package.read_bytes()


@pytest.mark.parametrize("name", [name for name in SCRIPTS if not name.startswith("vendor/")])
def test_the_console_sets_no_markup(name: str) -> None:
    source = console_page.files()[name].data.decode()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", source
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_module_imports_what_is_beside_it_and_there(name: str) -> None:
    for imported in IMPORT.findall(console_page.files()[name].data.decode()):
        assert imported.startswith("."), f"{name} imports {imported}"
        target = (console_page.FOLDER / name).parent.joinpath(imported).resolve().relative_to(console_page.FOLDER)
        assert target.as_posix() in console_page.files()
