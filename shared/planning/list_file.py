"""SendGrid's export of a list as a table, piece by piece: CSV, mostly packed, with names in capitals.

A value may hold line breaks, so a piece ends at a line break that an even number of quotation marks precedes.

https://github.com/airbytehq/airbyte, source-sendgrid/unit_tests/decompressed_response.csv, and pull request 35343
for files that are not packed although they should be.
"""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.extract import ExtractFile
from shared.extracts.streams import plain_text, unpacked
from shared.limits import RECORD_BYTES_MAX
from shared.model.reason_codes import ReasonCode
from shared.planning.duckdb_files import PROTOCOL, TEXT
from shared.planning.engine import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.planning.engine import Engine

PIECE_BYTES: Final = 8 << 20
"""Of the text of a file, read at a time."""
BUFFER_BYTES: Final = 4 << 20
FILE: Final = ExtractFile(name="SendGrid's export", size=0, etag="")
"""Stands for the file where it is unpacked."""
MAGIC_BYTES: Final = 4
ADDRESS_COLUMN: Final = "EMAIL"
ID_COLUMN: Final = "CONTACT_ID"


def read_list(engine: Engine, file: Iterable[bytes], take: Callable[[], None]) -> int:
    """Read one file of an export; how many contacts it has.

    While `take` is called the table `listed` has a piece of the file: `address`, as the app writes addresses, and
    null where the contact has none; `contact_id`; and `key`, by which addresses are told apart.

    Raises RunEndError when the file is damaged, and what reading it raises.
    """
    contacts = 0
    columns: tuple[str, ...] = ()
    for piece in _pieces(_text(file)):
        begin = 0
        if not columns:
            columns, begin = _header(piece)
        engine.files.text = [piece[begin:]]
        contacts += _load(engine, columns)
        take()
    return contacts


def damaged(why: str) -> RunEndError:
    """The run ends because the file is not what it should be; `why` goes on after "it"."""
    return RunEndError(
        ReasonCode.LIST_EXPORT_DAMAGED, f"SendGrid's export of the list cannot be read: its file {why}."
    )


def _text(file: Iterable[bytes]) -> Iterator[bytes]:
    r"""The text of the file as UTF-8 with `\n` as its only line break, packed or not."""
    problem: RunEndError | None = None
    try:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for block in plain_text(unpacked(_with_magic(file), FILE), "utf-8"):
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except RunEndError as error:
        problem = error
    if problem is not None:
        raise damaged("is packed, and damaged or cut off")


def _with_magic(file: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks of a file, of which the first tells whether it is packed."""
    blocks = iter(file)
    first = b""
    for block in blocks:
        first += block
        if len(first) >= MAGIC_BYTES:
            break
    yield first
    yield from blocks


def _pieces(text: Iterable[bytes]) -> Iterator[bytes]:
    """The text in pieces of whole records."""
    held = bytearray()
    for block in text:
        held += block
        if len(held) < PIECE_BYTES:
            continue
        end = _end_of_records(held)
        if end == 0 and len(held) > PIECE_BYTES + RECORD_BYTES_MAX:
            raise damaged("has a record that does not end")
        if end:
            yield bytes(held[:end])
            del held[:end]
    if held.count(b'"') % 2:
        raise damaged("ends within a value")
    if held:
        yield bytes(held)


def _end_of_records(text: bytearray) -> int:
    """Where the last whole record of a text ends that begins with one."""
    quotes = text.count(b'"')
    end = len(text)
    while (newline := text.rfind(b"\n", 0, end)) >= 0:
        quotes -= text.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


def _header(piece: bytes) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and where the first contact begins; names hold no line breaks."""
    line, _, _ = piece.partition(b"\n")
    names = tuple(name.strip().upper() for name in next(csv.reader([line.decode()]), []))
    if not {ADDRESS_COLUMN, ID_COLUMN} <= set(names):
        raise damaged(f"has no columns {ADDRESS_COLUMN} and {ID_COLUMN}")
    return names, len(line) + 1


def _load(engine: Engine, columns: tuple[str, ...]) -> int:
    """Make the table `listed` of the text of the engine's files; how many rows it has."""
    kinds = ", ".join(f"c{position}: 'VARCHAR'" for position in range(len(columns)))
    address, contact_id = (f"c{columns.index(name)}" for name in (ADDRESS_COLUMN, ID_COLUMN))
    if not any(engine.files.text):
        source = f"(SELECT '' AS {address}, '' AS {contact_id}) WHERE false"
    else:
        source = f"""read_csv('{PROTOCOL}://{TEXT}', columns = {{{kinds}}}, auto_detect = false, header = false,
            delim = ',', quote = '"', escape = '"', new_line = '\\n', parallel = false,
            max_line_size = {RECORD_BYTES_MAX + 1}, buffer_size = {BUFFER_BYTES})"""
    problem: RunEndError | None = None
    try:
        return engine.number(
            f"""CREATE OR REPLACE TEMP TABLE listed AS
            SELECT address, contact_id, key_of(address) AS key FROM (
                SELECT nullif(lower_address(bare({address})), '') AS address, {contact_id} AS contact_id
                FROM {source}
            )"""
        )
    except QueryError as error:
        problem = _problem(error)
    raise problem  # here, and not where it would have the engine's error as its context


def _problem(error: QueryError) -> RunEndError:
    if error.is_about_memory:
        message = "Reading SendGrid's export of the list ran out of memory and temporary disk."
        return RunEndError(ReasonCode.EXTRACT_TOO_LARGE, message)
    return damaged(f"is no CSV of {ADDRESS_COLUMN}, {ID_COLUMN} and other columns")
