"""The files of an export: CSV or JSON, cut where they grow too long, and packed.

The columns and how they are quoted are those of a file that SendGrid wrote in 2021, whose rows stand in no order
and whose absent values are not even quoted:
https://github.com/airbytehq/airbyte, source-sendgrid/unit_tests/decompressed_response.csv.
That columns of custom fields follow by their names, and that JSON has a contact a line, is our choice.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import orjson

from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.exports import ExportFile, ExportFiles, ExportWish

RECORDED_COLUMNS: Final = (
    "email",
    "first_name",
    "last_name",
    "address_line_1",
    "address_line_2",
    "city",
    "state_province_region",
    "postal_code",
    "country",
    "alternate_emails",
    "phone_number",
    "whatsapp",
    "line",
    "facebook",
    "unique_name",
    "created_at",
    "updated_at",
    "contact_id",
)
NEWER_COLUMNS: Final = ("phone_number_id", "external_id", "anonymous_id")
"""Identifiers that are younger than the recorded file; that they follow its columns is our choice."""
GZIP_LEVEL: Final = 1

type Line = Callable[[Json], bytes]


def write_files(
    contacts: Iterable[Json], wish: ExportWish, *, custom_fields: list[str], most_rows: int, compressed: bool
) -> ExportFiles:
    """Writes contacts as the API shows them into as many files as it takes; one without rows if there are none.

    A file that is not compressed has the same name as one that is: so SendGrid was seen to do now and then,
    https://github.com/airbytehq/airbyte/pull/35343.
    """
    head, line = _csv(custom_fields) if wish.file_type == "csv" else (b"", _json_line)
    files: list[ExportFile] = []
    count = 0
    for rows, content in _pages(map(line, contacts), head, most_rows, wish.max_file_bytes):
        packed = gzip.compress(content, GZIP_LEVEL, mtime=0) if compressed else content
        files.append(ExportFile(name=f"contacts_{len(files) + 1}.{wish.file_type}.gz", content=packed))
        count += rows
    return ExportFiles(files=files, contact_count=count)


def _pages(lines: Iterable[bytes], head: bytes, most_rows: int, most_bytes: int) -> Iterator[tuple[int, bytes]]:
    rows, page = 0, bytearray(head)
    for line in lines:
        if rows and (rows == most_rows or len(page) + len(line) > most_bytes):
            yield rows, bytes(page)
            rows, page = 0, bytearray(head)
        page += line
        rows += 1
    yield rows, bytes(page)


def _csv(custom_fields: list[str]) -> tuple[bytes, Line]:
    columns = (*RECORDED_COLUMNS, *NEWER_COLUMNS)
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NOTNULL, lineterminator="\n")

    def write(values: Iterable[object]) -> bytes:
        text.seek(0)
        text.truncate()
        writer.writerow([_text(value) or None for value in values])
        return text.getvalue().encode()

    def line(contact: Json) -> bytes:
        custom = contact["custom_fields"]
        shown = contact | {"contact_id": contact["id"]}
        return write([*(shown.get(name) for name in columns), *(custom.get(name) for name in custom_fields)])

    return write(name.upper() for name in (*columns, *custom_fields)), line


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _json_line(contact: Json) -> bytes:
    shown = {name: value for name, value in contact.items() if name not in {"id", "_metadata"}}
    return orjson.dumps({"contact_id": contact["id"]} | shown, option=orjson.OPT_APPEND_NEWLINE)
