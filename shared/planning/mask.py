"""Values of people as they are shown: what kind of value it is can be told, and not whose."""

from __future__ import annotations

from typing import Any, Final

SHOWN_CHARACTERS: Final = 1
"""Of every value that is longer, the rest is masked."""
MASKED_MOST: Final = 12
"""Characters of a masked value: how long a text is may tell whose it is."""


def mask(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value of the same shape that shows no more than its beginning and, if it is short, its length."""
    match value:
        case str():
            return _masked(value)
        case dict():
            return {name: mask(member) for name, member in value.items()}
        case list():
            return [mask(member) for member in value]
        case _:
            return "*"


def _masked(text: str) -> str:
    """A text of one character would be shown whole, so nothing of it is."""
    shown = text[:SHOWN_CHARACTERS] if len(text) > SHOWN_CHARACTERS else ""
    return shown + "*" * (min(len(text), MASKED_MOST) - len(shown))
