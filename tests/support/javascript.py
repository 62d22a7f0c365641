"""What stands in the console's JavaScript: its texts and templates, told apart from its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

HOLE: Final = "\0"
"""In a template, where code gives the value."""
QUOTED: Final = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
SKIPPED: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
EXPRESSION: Final = re.compile(r"/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
BEFORE_EXPRESSION: Final = re.compile(r"(?:^|[(,=:\[!&|?{};])\s*$")


@dataclass(kw_only=True)
class Texts:
    """Of one module."""

    strings: list[str] = field(default_factory=list)
    """What stands in quotes."""
    templates: list[tuple[str, str]] = field(default_factory=list)
    """Tag, such as html, and text, with HOLE for what code puts in."""


def texts_of(source: str) -> Texts:
    """Everything in a module that is text and not code."""
    found = Texts()
    _code(source, 0, found)
    return found


def _code(source: str, at: int, found: Texts) -> int:
    """Read code up to the brace that closes it; where it ends."""
    depth = 0
    while at < len(source):
        if skipped := SKIPPED.match(source, at):
            at = skipped.end()
        elif quoted := QUOTED.match(source, at):
            found.strings.append(quoted.group()[1:-1])
            at = quoted.end()
        elif source[at] == "`":
            tag = re.search(r"(\w*)$", source[max(at - 20, 0) : at])
            at = _template(source, at + 1, tag[1] if tag else "", found)
        elif (expression := EXPRESSION.match(source, at)) and BEFORE_EXPRESSION.search(
            source[max(at - 20, 0) : at]
        ):
            at = expression.end()
        elif source[at] == "}" and depth == 0:
            return at + 1
        else:
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
    return at


def _template(source: str, at: int, tag: str, found: Texts) -> int:
    text = ""
    while source[at] != "`":
        if source.startswith("${", at):
            text += HOLE
            at = _code(source, at + 2, found)
        else:
            text += source[at : at + 2] if source[at] == "\\" else source[at]
            at += 2 if source[at] == "\\" else 1
    found.templates.append((tag, text))
    return at + 1
