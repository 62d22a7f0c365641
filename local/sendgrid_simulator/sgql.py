"""The part of SendGrid's segmentation query language that clients use to search contacts.

Comparisons by =, !=, LIKE, IN and IS NULL, the functions lower() and CONTAINS(), joined by AND, OR, NOT and
brackets; strings escape their delimiter with a backslash:
https://www.twilio.com/docs/sendgrid/for-developers/sending-email/segmentation-query-language. Everything else is
refused, so that nobody takes a query for understood that is not.
"""

import re
from collections.abc import Callable, Container
from typing import Any, Final

from local.sendgrid_simulator.answers import Json

type Condition = Callable[[Json], bool]
"""Says whether a contact, as the API shows it, is meant."""
type Value = Callable[[Json], str]
"""Gives a contact's field as text, empty when there is none."""

ALIASES: Final = {"primary_email": "email", "contact_id": "id"}
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>!=|<>|=|\(|\)|,))""",
    re.DOTALL,
)
_LITERALS: Final = ("string", "number")

type _Token = tuple[str, str]


class QueryError(Exception):
    """The query is none, or one that is not played here."""


def parse(query: str, fields: Container[str]) -> Condition:
    """Reads a query about these fields; raises QueryError."""
    return _Parser(_tokens(query), fields).parse()


def _tokens(query: str) -> list[_Token]:
    tokens, position = [], 0
    while query[position:].strip():
        match = _TOKEN.match(query, position)
        if match is None or match.lastgroup is None:
            raise QueryError(f"unexpected text at position {position}")
        tokens.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent: OR binds least, then AND, then NOT."""

    def __init__(self, tokens: list[_Token], fields: Container[str]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._next = 0

    def parse(self) -> Condition:
        try:
            condition = self._or()
        except RecursionError as problem:
            raise QueryError("too many brackets") from problem
        if self._next < len(self._tokens):
            raise QueryError(f"unexpected {self._tokens[self._next][1]}")
        return condition

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._takes("OR"):
            parts.append(self._and())
        return lambda contact: any(part(contact) for part in parts)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._takes("AND"):
            parts.append(self._not())
        return lambda contact: all(part(contact) for part in parts)

    def _not(self) -> Condition:
        if self._takes("NOT"):
            condition = self._not()
            return lambda contact: not condition(contact)
        if self._takes("("):
            condition = self._or()
            self._expect(")")
            return condition
        return self._contains() if self._takes("CONTAINS") else self._comparison()

    def _contains(self) -> Condition:
        self._expect("(")
        name = self._name()
        self._expect(",")
        wanted = self._literal()
        self._expect(")")
        return lambda contact: wanted in (_member(contact, name) or ())

    def _comparison(self) -> Condition:
        value = self._value()
        if self._takes("IS"):
            wanted = not self._takes("NOT")
            self._expect("NULL")
            return lambda contact: (value(contact) == "") is wanted
        if self._takes("IN"):
            choices = self._choices()
            return lambda contact: value(contact) in choices
        if self._takes("LIKE"):
            pattern = _like(self._literal())
            return lambda contact: pattern.fullmatch(value(contact)) is not None
        if self._takes("!=") or self._takes("<>"):
            unwanted = self._literal()
            return lambda contact: value(contact) != unwanted
        self._expect("=")
        wanted_text = self._literal()
        return lambda contact: value(contact) == wanted_text

    def _choices(self) -> set[str]:
        self._expect("(")
        choices = {self._literal()}
        while self._takes(","):
            choices.add(self._literal())
        self._expect(")")
        return choices

    def _value(self) -> Value:
        """Reads a field, or lower(field)."""
        if not self._takes("LOWER"):
            return self._field()
        self._expect("(")
        field = self._field()
        self._expect(")")
        return lambda contact: field(contact).lower()

    def _field(self) -> Value:
        name = self._name()

        def value(contact: Json) -> str:
            found = _member(contact, name)
            return "" if found is None else str(found)

        return value

    def _name(self) -> str:
        kind, text = self._take()
        name = ALIASES.get(text, text)
        if kind != "word" or name not in self._fields:
            raise QueryError(f"unknown field {text}")
        return name

    def _literal(self) -> str:
        """Reads a string or number, or lower() of one."""
        if self._takes("LOWER"):
            self._expect("(")
            literal = self._literal().lower()
            self._expect(")")
            return literal
        kind, text = self._take()
        if kind not in _LITERALS:
            raise QueryError(f"unexpected {text}")
        return text if kind == "number" else re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)

    def _take(self) -> _Token:
        if self._next == len(self._tokens):
            raise QueryError("unexpected end")
        self._next += 1
        return self._tokens[self._next - 1]

    def _takes(self, word: str) -> bool:
        """Takes the next token if it is this word or sign."""
        if self._next == len(self._tokens):
            return False
        kind, text = self._tokens[self._next]
        if kind in _LITERALS or text.upper() != word:
            return False
        self._next += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise QueryError(f"expected {word}")


def _member(contact: Json, name: str) -> Any:  # noqa: ANN401 - JSON
    return contact[name] if name in contact else contact["custom_fields"].get(name)


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(each) or re.escape(each) for each in pattern), re.DOTALL)
