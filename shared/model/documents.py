"""The base of everything that rests in the store or on a queue."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Base of all documents and messages: frozen, and tolerant of members that it does not know.

    A newer version of the app may have written them before it was rolled back. Bodies of HTTP requests are read
    by the same models, strictly: `functions/bodies.py` forbids what is unknown.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)
