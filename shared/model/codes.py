"""Codes for programs that bring along what they mean, and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ExplainedCode(StrEnum):
    """Base of codes: each member is its value, its meaning and what to do about it."""

    meaning: str
    action: str

    def __new__(cls, value: str, meaning: str, action: str) -> Self:
        """Make a member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning, member.action = meaning, action
        return member
