"""Imports of CSV files: from the bytes of an upload to contacts as an upsert would have them.

https://www.twilio.com/docs/sendgrid/api-reference/contacts/import-contacts: a row of headings, then a contact a
row, each column mapped to a field or skipped; gzip or not. A row that cannot be taken fails by itself; a file
whose width is not that of the mapping fails as a whole, https://github.com/sendgrid/sendgrid-java/issues/692.
That empty cells change nothing, and that alternate e-mails are parted by commas, is our choice.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.faults import Fault

GZIP_MAGIC: Final = b"\x1f\x8b"


type Columns = Sequence[str | None]
"""The field that each column is for: its name if reserved, its id if custom, none to skip it."""


@dataclass(frozen=True, kw_only=True)
class ImportWish:
    """What a client asked for before it uploads the file."""

    columns: Columns
    list_ids: tuple[str, ...]
    signature: str
    """What the address of the upload carries in place of a key."""
    fault: Fault | None


class UnprocessableFileError(Exception):
    """Nothing of the file can be imported."""


def read_contacts(content: bytes, columns: Columns, custom_fields: Container[str]) -> Iterator[Json]:
    """Yields the rows as contacts; raises UnprocessableFileError, at the row that spoils the file."""
    rows = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    try:
        heading = next(rows, None)
        if heading is None or len(heading) != len(columns):
            raise UnprocessableFileError("field mapping doesn't match the CSV")
        for number, row in enumerate(rows):
            if number == limits.MAX_IMPORTED_CONTACTS:
                raise UnprocessableFileError("the file has too many rows")
            if row:
                yield _contact(row, columns, custom_fields)
    except csv.Error as problem:
        raise UnprocessableFileError("the file is no CSV") from problem


def _text(content: bytes) -> str:
    try:
        unpacked = gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
        return unpacked.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as problem:
        raise UnprocessableFileError("the file is neither UTF-8 nor gzip of it") from problem


def _contact(row: Sequence[str], columns: Columns, custom_fields: Container[str]) -> Json:
    contact: Json = {}
    custom: Json = {}
    for name, value in zip(columns, row, strict=False):
        if name is None or not value.strip():
            continue
        if name in custom_fields:
            custom[name] = value.strip()
        elif name == "alternate_emails":
            contact[name] = [each.strip() for each in value.split(",")]
        else:
            contact[name] = value.strip()
    return contact | ({"custom_fields": custom} if custom else {})
