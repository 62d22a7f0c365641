"""The examples of the API in README.md and docs/: what they call, and what they send."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
BASES: Final = {"$APP": "", "$URL": "/api"}
"""What the documents call the app, and what follows it in a path."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A curl command."""

    page: Path
    method: str
    path: str
    """Below the host, with the placeholders it has in the document."""
    headers: dict[str, str]
    body: str | None

    def __str__(self) -> str:
        return f"{self.page.name}: {self.method} {self.path}"


def calls(page: Path) -> list[Call]:
    """Every curl command of a document that calls the app, in order."""
    found = []
    for block in blocks(page, "sh"):
        for words in _commands(block):
            call = _call(page, words)
            if call is not None:
                found.append(call)
    return found


def blocks(page: Path, language: str) -> list[str]:
    """Every block of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def named_operations(page: Path) -> list[tuple[str, str]]:
    """Method and path of every operation that the text names in full, such as `GET /api/audit`."""
    return re.findall(r"`([A-Z]+) (/api/[^`\s?]*)[^`]*`", page.read_text(encoding="utf-8"))


def _commands(block: str) -> Iterator[list[str]]:
    """The words of each curl command; it ends with the line in which its last quotation mark is closed."""
    lines = iter(block.splitlines())
    for line in lines:
        if not line.startswith("curl "):
            continue
        command = line
        while command.count("'") % 2:
            command += "\n" + next(lines)
        yield shlex.split(command)


def _call(page: Path, words: list[str]) -> Call | None:
    method, address, body, headers = "GET", "", None, {}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name.lower()] = value
            case "-d":
                body = next(rest)
            case "-i":
                continue
            case _:
                address = word
    base, slash, path = address.partition("/")
    if base not in BASES:
        return None
    return Call(page=page, method=method, path=f"{BASES[base]}{slash}{path}", headers=headers, body=body)
