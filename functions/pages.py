"""Pages that are made from templates: one file each, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Template


@functools.cache
def template(file: Path) -> Template:
    """A page's template; what is put into it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(file.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(file.name)


@functools.cache
def style_in(file: Path) -> str:
    """The style that stands in a template."""
    return file.read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]


@functools.cache
def own_style_only(style: str) -> str:
    """The policy of a page that shows its own style and does nothing else, be it served or kept as a file."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def served(policy: str) -> str:
    """The policy where the app itself serves the page: nobody may put it into a frame of theirs."""
    return f"{policy}; frame-ancestors 'none'"
