"""The planner's work in plain Python: a careful loop over the csv module that writes with orjson.

It does what the planner does for a well-formed CSV file of UTF-8 with a header and texts only: values tidied
and cut, addresses validated by the same rule, the first row of each address sent, chunks within both limits,
rejected rows listed. A value is looked at twice only if it is not plainly good.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import orjson

from shared.limits import CONTACTS_PER_REQUEST, EMAIL_MAX, FIELD_LENGTHS
from shared.model.rejections import Rejected
from shared.planning.chunks import CHUNK_BYTES
from shared.planning.international_domains import with_ascii_domain
from shared.planning.value_rules import ADDRESS, LONG_PART

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

RULE: Final = re.compile(ADDRESS)
TOO_LONG: Final = re.compile(LONG_PART)
SHORT: Final = 64
"""No part of an address of so many characters can be out of bounds."""
BLANKS: Final = re.compile("[\t-\r\x85]")
CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]+")


def plan_plainly(path: Path, mapping: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """Plan the file; the chunks are dropped. Return the rows by outcome, and the values cut by field."""
    with path.open(encoding="utf-8", newline="") as text:
        reader = csv.reader(text, strict=True)
        header = next(reader)
        rows = _Rows(header, mapping)
        chunks = [size for size, _ in _chunks(rows.lines(reader))]
    return {"chunks": len(chunks), "bytes": sum(chunks), **rows.outcomes}, dict(rows.cut)


def _chunks(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    pending: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > CHUNK_BYTES or len(pending) == CONTACTS_PER_REQUEST:
            yield size, b"".join(pending)
            pending, size = [], 0
        pending.append(line)
        size += len(line)
    if pending:
        yield size, b"".join(pending)


class _Rows:
    """The rows of one file, and what became of them."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        self.cut: Counter[str] = Counter()
        self.rejected: list[tuple[int, str, Rejected]] = []
        self.outcomes: dict[str, int] = {}
        self._width = len(header)
        self._email = header.index(mapping["email"])
        self._customer = header.index("CustomerId")
        self._fields = [
            (name, header.index(column), FIELD_LENGTHS[name])
            for name, column in mapping.items()
            if name != "email"
        ]

    def lines(self, reader: Iterator[list[str]]) -> Iterator[bytes]:
        """A line of JSON for every row that is sent."""
        fields, width, email, dumps = self._fields, self._width, self._email, orjson.dumps
        match, tidied = RULE.fullmatch, self._tidied
        seen: set[str] = set()
        number = duplicates = 0
        for number, row in enumerate(reader, 1):
            if len(row) != width:
                self._reject(number, row, Rejected.ROW_MALFORMED)
                continue
            address = row[email].strip().lower()
            if not match(address) or len(address) > SHORT:
                usable, why = _judged(address)
                if usable is None:
                    self._reject(number, row, why)
                    continue
                address = usable
            if address in seen:
                duplicates += 1
                continue
            seen.add(address)
            contact = {"email": address}
            for name, position, limit in fields:
                value = row[position]
                if value:
                    if len(value) > limit or not value.isprintable() or value[0] == " " or value[-1] == " ":
                        value = tidied(name, value, limit)
                    if value:
                        contact[name] = value
            yield dumps(contact, option=orjson.OPT_APPEND_NEWLINE)
        self.outcomes = {
            "rows_read": number,
            "sent": len(seen),
            "duplicate": duplicates,
            "rejected": len(self.rejected),
        }

    def _reject(self, number: int, row: Sequence[str], why: Rejected | None) -> None:
        customer = row[self._customer] if len(row) == self._width else ""
        self.rejected.append((number, customer, why or Rejected.EMAIL_INVALID))

    def _tidied(self, name: str, value: str, limit: int) -> str:
        tidy = _tidy(value)
        if len(tidy) > limit:
            self.cut[name] += 1
        return tidy[:limit].strip()


def _tidy(value: str) -> str:
    return CONTROLS.sub("", BLANKS.sub(" ", value)).strip()


def _judged(raw: str) -> tuple[str | None, Rejected | None]:
    """The address, if the row may be sent after all, or why it may not."""
    address = _tidy(raw)
    if not address:
        return None, Rejected.EMAIL_MISSING
    if not address.isascii():
        address = with_ascii_domain(address)
    if len(address) > EMAIL_MAX:
        return None, Rejected.EMAIL_TOO_LONG
    if RULE.fullmatch(address) and not TOO_LONG.search(address):
        return address, None
    return None, Rejected.EMAIL_INVALID
