"""Makes up customers, good and bad, and knows what must become of each of them.

Every row follows from the seed and its number alone, so any slice of a million rows can be made without
holding the others, and a longer extract with the same seed holds the same people and some newcomers.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Final

from local.extracts.expectation import Expectation
from local.extracts.names import CULTURES

COLUMNS: Final = {
    "CustomerId": "GUID",
    "FirstName": "string",
    "LastName": "string",
    "EMail": "string",
    "Country": "string",
    "State": "string",
    "City": "string",
    "PostalCode": "string",
    "Score": "double",
}
"""Column → data type, in the order of a row's values."""

CUSTOMER_ID, FIRST_NAME, LAST_NAME, EMAIL, COUNTRY, STATE, CITY, POSTAL_CODE, SCORE = range(len(COLUMNS))

# Domains that RFC 2606 reserves, so nobody's address is ever made.
DOMAINS = ("example.com", "example.org", "example.net", "post.example", "mail.example.com")

type Row = list[str]


class Kind(StrEnum):
    """What is special about a row."""

    PLAIN = "plain"
    NICKNAME = "nickname"
    """Double quotes in the first name."""
    COMMA = "comma"
    """Commas in last name and city."""
    LINE_BREAK = "line_break"
    """A line break in the city."""
    EMOJI = "emoji"
    """A character beyond the basic plane in the first name."""
    LONG_NAME = "long_name"
    """First and last name longer than SendGrid takes: both get cut."""
    LONG_CITY = "long_city"
    """A city longer than SendGrid takes: it gets cut."""
    DUPLICATE = "duplicate"
    """An earlier person again, the e-mail address in other case or between blanks."""
    MISSING = "missing"
    """No e-mail address, or only blanks."""
    MALFORMED = "malformed"
    """Something that is no e-mail address."""


SHARES: Final = {
    Kind.PLAIN: 78,
    Kind.NICKNAME: 2,
    Kind.COMMA: 2,
    Kind.LINE_BREAK: 2,
    Kind.EMOJI: 2,
    Kind.LONG_NAME: 1,
    Kind.LONG_CITY: 1,
    Kind.DUPLICATE: 6,
    Kind.MISSING: 3,
    Kind.MALFORMED: 3,
}
"""Rows of each kind in every hundred."""

CYCLE: Final = sum(SHARES.values())
NOT_SENT: Final = {Kind.DUPLICATE, Kind.MISSING, Kind.MALFORMED}
CUT_FIELDS: Final = {Kind.LONG_NAME: ("first_name", "last_name"), Kind.LONG_CITY: ("city",)}

SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.title,
    str.capitalize,
    "  {}".format,
    "{} ".format,
)
BLANKS = ("", " ", "   ")
MALFORMATIONS: tuple[Callable[[str], str], ...] = (
    "{}".format,
    "{}@".format,
    "@{}.example.com".format,
    "{}@@example.com".format,
    "{}@example..com".format,
    "{}@.example.com".format,
    "first {}@example.com".format,
    "{}@exam ple.com".format,
    "{0}@example.com, {0}@example.org".format,
    "<{}@example.com".format,
    "{}example.com".format,
    ("{}@" + "long-name." * 30 + "example.com").format,
)


@dataclass(frozen=True, kw_only=True)
class People:
    """`rows` customers; the same ones for the same seed."""

    rows: int
    seed: int = 1

    def __iter__(self) -> Iterator[Row]:
        return self.slice(0, self.rows)

    def slice(self, start: int, stop: int) -> Iterator[Row]:
        """Make the rows from number `start` up to, not including, `stop`."""
        return (self.row(number) for number in range(start, stop))

    def row(self, number: int) -> Row:
        """Make one row, its values in the order of `COLUMNS`."""
        kind = self.kind(number)
        draws = self._draws(number)
        if kind is Kind.DUPLICATE:
            return self._duplicate(number, draws)
        row = _person(number, draws)
        if change := _CHANGES.get(kind):
            change(row, draws)
        return row

    def emails(self) -> Iterator[str]:
        """Every address that must be on the list, once, as SendGrid keeps it: in lower case."""
        return (self.email(number) for number in range(self.rows) if self.kind(number) not in NOT_SENT)

    def email(self, number: int) -> str:
        """The address of a row that has one of its own."""
        return _email(number, self._draws(number))

    def kind(self, number: int) -> Kind:
        """What is special about a row."""
        return self._kinds[self.place(number)]

    def place(self, number: int) -> int:
        """Where a row is in its cycle."""
        return number % CYCLE

    def places(self, kind: Kind) -> Iterator[int]:
        """Where rows of that kind are in each cycle."""
        return (place for place, each in enumerate(self._kinds) if each is kind)

    def cuts(self, numbers: Iterable[int]) -> dict[str, int]:
        """SendGrid field → values of these rows that are too long for it."""
        return dict(Counter(name for number in numbers for name in CUT_FIELDS.get(self.kind(number), ())))

    def expectation(self) -> Expectation:
        """Count what was made, by how it was made."""
        return Expectation(
            rows=self.rows,
            contacts=sum(self.count(kind) for kind in Kind if kind not in NOT_SENT),
            duplicates=self.count(Kind.DUPLICATE),
            rejected=self.count(Kind.MISSING) + self.count(Kind.MALFORMED),
            cut={field: many for kind in CUT_FIELDS for field in CUT_FIELDS[kind] if (many := self.count(kind))},
        )

    def count(self, kind: Kind) -> int:
        """Say how many rows are of this kind."""
        cycles, rest = divmod(self.rows, CYCLE)
        return cycles * SHARES[kind] + self._kinds[:rest].count(kind)

    @cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        """The kind of each row of a cycle; the first is plain, so a duplicate always finds an original."""
        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        first, others = kinds[0], kinds[1:]
        random.Random(self.seed).shuffle(others)
        return (first, *others)

    @cached_property
    def _originals(self) -> tuple[tuple[int, ...], ...]:
        """For each place in a cycle, the places before it whose rows are sent."""
        sent = [place for place, kind in enumerate(self._kinds) if kind not in NOT_SENT]
        return tuple(tuple(place for place in sent if place < end) for end in range(CYCLE))

    def _draws(self, number: int) -> bytes:
        """Sixteen random bytes that belong to this row."""
        return blake2b(b"%d %d" % (self.seed, number), digest_size=16).digest()

    def _duplicate(self, number: int, draws: bytes) -> Row:
        cycle, place = divmod(number, CYCLE)
        earlier = self._originals[place]
        first = int.from_bytes(draws[:4]) % (cycle + 1) * CYCLE + earlier[draws[4] % len(earlier)]
        row = self.row(first)
        row[CUSTOMER_ID] = _guid(draws)
        row[EMAIL] = SPELLINGS[draws[5] % len(SPELLINGS)](_email(first, self._draws(first)))
        return row


def _person(number: int, draws: bytes) -> Row:
    culture = CULTURES[draws[0] % len(CULTURES)]
    city, state, postal_code = culture.places[draws[3] % len(culture.places)]
    email = _email(number, draws)
    return [
        _guid(draws),
        culture.given[draws[1] % len(culture.given)][0],
        culture.family[draws[2] % len(culture.family)][0],
        email.title() if draws[6] % 8 == 0 else email,
        culture.country,
        state,
        city,
        postal_code,
        f"{draws[7] / 255:.4f}",
    ]


def _email(number: int, draws: bytes) -> str:
    """The row's number makes the address one of a kind."""
    culture = CULTURES[draws[0] % len(CULTURES)]
    given = culture.given[draws[1] % len(culture.given)][1]
    family = culture.family[draws[2] % len(culture.family)][1]
    return f"{given}.{family}{number}@{DOMAINS[draws[4] % len(DOMAINS)]}"


def _guid(draws: bytes) -> str:
    digits = draws.hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _nickname(row: Row, draws: bytes) -> None:
    row[FIRST_NAME] += (' "Bob"', ' "The ""Cat"""', ' "')[draws[8] % 3]


def _comma(row: Row, _: bytes) -> None:
    row[LAST_NAME] += ", Jr."
    row[CITY] = f"{row[CITY]}, {row[COUNTRY]}"


def _line_break(row: Row, draws: bytes) -> None:
    row[CITY] += ("\nCentrum", "\r\nBox 12")[draws[8] % 2]


def _emoji(row: Row, draws: bytes) -> None:
    row[FIRST_NAME] += (" 🌻", " 👩‍🚀", " 🇺🇦")[draws[8] % 3]


def _long_name(row: Row, draws: bytes) -> None:
    row[FIRST_NAME] = "-".join([row[FIRST_NAME]] * 60)
    row[LAST_NAME] = f"{row[LAST_NAME]} " + "𠮷" * (50 + draws[8] % 40)


def _long_city(row: Row, _: bytes) -> None:
    row[CITY] += "-am-langen-Fluss-unter-den-sieben-Bergen-hinter-den-sieben-Zwergen"


def _missing(row: Row, draws: bytes) -> None:
    row[EMAIL] = BLANKS[draws[8] % len(BLANKS)]


def _malformed(row: Row, draws: bytes) -> None:
    name = row[EMAIL].partition("@")[0]
    row[EMAIL] = MALFORMATIONS[draws[8] % len(MALFORMATIONS)](name)


_CHANGES: Final[dict[Kind, Callable[[Row, bytes], None]]] = {
    Kind.NICKNAME: _nickname,
    Kind.COMMA: _comma,
    Kind.LINE_BREAK: _line_break,
    Kind.EMOJI: _emoji,
    Kind.LONG_NAME: _long_name,
    Kind.LONG_CITY: _long_city,
    Kind.MISSING: _missing,
    Kind.MALFORMED: _malformed,
}
