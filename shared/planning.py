"""From extracts to chunks, rejections and counts.

One contact per e-mail address: of several rows with the same address the first one that may be sent wins, in the
order of the segments in the export, of the files by name, and of the rows in the file. Neither the order in which
files are listed nor the number of threads has a say.

Every row that is read has exactly one outcome: it is sent, a duplicate, or rejected with a reason.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import duckdb

from shared.chunking import Chunker, PartWriter
from shared.csv_records import BLANK, Marks, Repair
from shared.duckdb_files import PROTOCOL, PlanFiles
from shared.emails import to_ascii
from shared.errors import RunEndError
from shared.extract_streams import exact_pieces, is_utf8, read_ahead, unreadable, whole_lines
from shared.extract_tables import TextTable, open_table, register_pages
from shared.limits import ALTERNATE_EMAILS_MAX, PLANNER_DISK, PLANNER_MEMORY
from shared.model import Counts, Reason, RunStatus
from shared.plan_fields import fields_of, find_column, optional_column
from shared.plan_query import (
    EXCLUDE_REJECTED,
    INTERNATIONAL,
    MACROS,
    Rows,
    choose_alternates,
    contacts,
    create_tables,
    find_duplicates,
    judge,
    rejected_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from shared.extract_tables import Table
    from shared.extracts import Extract, ExtractFile
    from shared.model import ChunkInfo, CustomField, FieldMapping
    from shared.plan_fields import Field
    from shared.storage import Blobs

CUSTOMER_ID: Final = "CustomerId"
"""Column whose value names a rejected row in rejected.csv, if the extract has it."""
SLASHED: Final = {"auto": "-", "day_first": "%d/%m/%Y", "month_first": "%m/%d/%Y"}
"""Format of a date with slashes; one that none has, where it may be either."""
PIECE_BYTES: Final = 32 << 20
"""A text is worked on in pieces of about this size; bounds memory."""
PREVIEW_BYTES: Final = 2 << 20
"""Size of a piece when only a few rows are asked for."""
ROWS_PER_DUPLICATE_SEARCH: Final = 2_000_000
"""Addresses compared at a time; bounds memory."""
WRITES_AHEAD: Final = 2
"""Chunks that may wait to be written while planning goes on."""


class PlanSink(Protocol):
    """Where a plan goes. Called from one thread at a time."""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Take a chunk: NDJSON, one contact a line."""

    def write_rejected(self, csv_part: bytes) -> None:
        """Take a piece of rejected.csv, whole lines; the first one begins with the header."""


@dataclass(frozen=True, kw_only=True)
class PlanOutcome:
    """What was planned."""

    chunks: tuple[ChunkInfo, ...]
    counts: Counts
    """`sent` is what the chunks hold."""


def plan(
    extracts: Sequence[Extract],
    mapping: FieldMapping,
    *,
    blobs: Blobs,
    sink: PlanSink,
    custom_fields: Mapping[str, CustomField] | None = None,
    max_contacts: int | None = None,
    threads: int | None = None,
    rows: int | None = None,
) -> PlanOutcome:
    """Plan what the extracts send.

    Args:
        extracts: in order of precedence.
        mapping: which column feeds which field.
        blobs: where the extracts lie.
        sink: takes chunks and rejections while planning goes on.
        custom_fields: SendGrid's custom fields by the names used in the mapping.
        max_contacts: a plan of more contacts ends the run as skipped before any chunk is written.
        threads: of the engine; one if not given, for an instance has one core.
        rows: read so many rows only, as a preview.

    Raises RunEndError, and ExtractChangedError when a file was replaced in the meantime.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as folder, _engine(folder, threads or 1) as connection:
        planner = _Planner(
            connection=connection,
            mapping=mapping,
            blobs=blobs,
            fields=fields_of(mapping, custom_fields or {}),
            most=rows,
        )
        return planner.run(extracts, sink, max_contacts)


@contextlib.contextmanager
def _engine(folder: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into `folder`."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": PLANNER_MEMORY,
        "max_temp_directory_size": PLANNER_DISK,
        "temp_directory": folder,
        "autoinstall_known_extensions": False,
        "threads": threads,
    }
    with contextlib.closing(duckdb.connect(":memory:", config=settings)) as connection:
        connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = true;" + MACROS)
        yield connection


class _Background:
    """Calls a function on a thread of its own, in order; an error comes out at a later call, or at the end."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[..., None]) -> None:
        self._pool = pool
        self._function = function
        self._waiting: deque[Future[None]] = deque()

    def __call__(self, *args: object) -> None:
        while len(self._waiting) >= WRITES_AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._function, *args))

    def finish(self) -> None:
        """Wait until everything is done."""
        while self._waiting:
            self._waiting.popleft().result()


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A part of a text as pass one read it, so that pass two reads it alike."""

    size: int
    """Bytes."""
    rows_before: int
    """Of this and all files before."""
    rows: int
    repaired: bool
    final: bool


@dataclass(kw_only=True)
class _Source:
    """A table to be planned."""

    segment: str
    table: Table
    columns: dict[str, int]
    """Alias in the queries → position of the column."""
    rows_before: int
    """Of the files before this one."""
    pieces: list[_Piece] = field(default_factory=list)
    """Of a text; known after pass one."""


@dataclass(kw_only=True)
class _Planner:
    """One plan in the making."""

    connection: duckdb.DuckDBPyConnection
    mapping: FieldMapping
    blobs: Blobs
    fields: Sequence[Field]
    most: int | None
    """Rows to read at most."""
    marks: Marks = field(default_factory=lambda: Marks(token="\x1a" + secrets.token_hex(8)))
    files: PlanFiles = field(default_factory=PlanFiles)
    header_written: bool = False
    """Of the list of rejected rows."""

    def __post_init__(self) -> None:
        self.alternates = [f"alternate_{number}" for number, _ in enumerate(self.mapping.alternate_emails, 1)]
        self.connection.register_filesystem(self.files)
        self.connection.execute(create_tables(self.fields))

    def run(self, extracts: Sequence[Extract], sink: PlanSink, max_contacts: int | None) -> PlanOutcome:
        """Both passes, and what is between them."""
        rejected = PartWriter(sink.write_rejected)
        self.files.sinks["rejected"] = rejected.take
        sources = list(self._judge_all(extracts))
        rejected.close()
        self._exclude()
        counts = self._counts()
        if max_contacts is not None and counts.sent > max_contacts:
            raise _too_many(counts.sent, max_contacts)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-chunks") as pool:
            write = _Background(pool, sink.write_chunk)
            chunker = Chunker(write)
            self.files.sinks["contacts"] = chunker.take
            for source in sources:
                self._write_contacts(source)
            chunker.close()
            write.finish()
        cut = dict(sorted(chunker.cut.items()))
        return PlanOutcome(chunks=tuple(chunker.chunks), counts=counts.model_copy(update={"cut": cut}))

    # --- pass one -------------------------------------------------------------------------------------------

    def _judge_all(self, extracts: Sequence[Extract]) -> Iterator[_Source]:
        for extract in extracts:
            for file in sorted(extract.files, key=lambda file: file.name):
                if file.size and (self.most is None or self._last_row() < self.most):
                    with self._translated(file):
                        source = self._open(extract.segment, file)
                        self._judge(source)
                        self._convert_domains(source)
                        self._write_rejected(source)
                    yield source

    def _open(self, segment: str, file: ExtractFile) -> _Source:
        table = open_table(self.connection, self.files, self.blobs, file)
        wanted = {"email": ("email", self.mapping.email)}
        wanted |= {field.alias: (field.name, field.column) for field in self.fields}
        wanted |= {
            alias: ("alternate_emails", column)
            for alias, column in zip(self.alternates, self.mapping.alternate_emails, strict=True)
        }
        columns = {
            alias: find_column(table.names, column, field=name, file=file.name)
            for alias, (name, column) in wanted.items()
        }
        customer_id = optional_column(table.names, CUSTOMER_ID)
        if customer_id is not None:
            columns["customer_id"] = customer_id
        return _Source(segment=segment, table=table, columns=columns, rows_before=self._last_row())

    def _judge(self, source: _Source) -> None:
        """Give the file's rows their verdicts."""
        if isinstance(source.table, TextTable):
            for piece in self._judge_pieces(source, source.table):
                source.pieces.append(piece)
                if self.most is not None and self._last_row() >= self.most:
                    break
        else:
            register_pages("source", self.files, self.blobs, source.table.file)
            self.connection.execute(judge(self._rows(source, source.rows_before), self.fields, self.alternates))

    def _judge_pieces(self, source: _Source, table: TextTable) -> Iterator[_Piece]:
        """Read the text piece by piece, and again with repairs where it is damaged."""
        repair = Repair(table.syntax, table.columns, self.marks)
        size = PIECE_BYTES if self.most is None else PREVIEW_BYTES
        rest = b""
        for read, final in read_ahead(whole_lines(table.text(self.blobs), size)):
            text = rest + read
            rows_before = self._last_row()
            sound = self.most is None and not repair.overflowing and (final or text.endswith(b"\n"))
            # the engine checks only the columns it is asked for
            sound = sound and is_utf8(text) and self._judge_text(source, table, _without_end(text, final=final))
            if sound:
                rest = b""
            else:
                fixed, rest = repair.repair(_without_end(text, final=final), final=final)
                if not self._judge_text(source, table, fixed):
                    raise unreadable(table.file, "cannot be told into rows")
            yield _Piece(
                size=len(text) - len(rest),
                rows_before=rows_before,
                rows=self._last_row() - rows_before,
                repaired=not sound,
                final=final,
            )

    def _judge_text(self, source: _Source, table: TextTable, text: bytes) -> bool:
        """Whether `text` could be read without losing a row; otherwise nothing is left of the attempt."""
        rows_before = self._last_row()
        query = judge(self._rows(source, rows_before), self.fields, self.alternates)
        self._lay_out(table, text)
        self.connection.begin()
        try:
            self.connection.execute(query)
            complete = self.most is not None or self._is_complete(self._last_row() - rows_before)
        except duckdb.InvalidInputException:
            complete = False
        if complete:
            self._forget_refused()
            self.connection.commit()
        else:
            self.connection.rollback()
        return complete

    def _lay_out(self, table: TextTable, text: bytes) -> None:
        self.files.add_text("source", text + self.marks.end(table.syntax, table.columns))

    def _is_complete(self, rows: int) -> bool:
        """Whether the reader refused one line only, the end mark, and nothing went missing before it."""
        refused = self.connection.execute("SELECT csv_line, line FROM reject_errors LIMIT 2").fetchall()
        return len(refused) == 1 and refused[0][0].startswith(self.marks.token) and refused[0][1] == rows + 1

    def _forget_refused(self) -> None:
        self.connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")

    def _rows(self, source: _Source, rows_before: int) -> Rows:
        table, options = source.table, source.table.file.source
        values = {alias: table.value(position) for alias, position in source.columns.items()}
        if isinstance(table, TextTable):
            values["email"] = table.email(source.columns["email"], self.marks)
        return Rows(
            relation=table.relation("source"),
            values=values,
            mark=self.marks.token,
            base=rows_before,
            slashed_date=SLASHED[options.date_order],
            decimal_comma=options.decimal_separator == "comma",
            most=None if self.most is None else self.most - rows_before,
        )

    def _last_row(self) -> int:
        return self._number("SELECT coalesce(max(row), 0) FROM judged")

    def _number(self, query: str) -> int:
        found = self.connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _convert_domains(self, source: _Source) -> None:
        """Resolve the interim verdicts on addresses whose domain is not ASCII."""
        waiting = self.connection.execute(
            "SELECT row, email FROM judged WHERE row > ? AND verdict = ?", [source.rows_before, INTERNATIONAL]
        ).fetchall()
        if not waiting:
            return
        converted = [(row, *to_ascii(address)) for row, address in waiting]
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE converted AS "
            "SELECT unnest(?::BIGINT[]) AS row, unnest(?::VARCHAR[]) AS email, unnest(?::VARCHAR[]) AS verdict",
            [list(column) for column in zip(*converted, strict=True)],
        )
        self.connection.execute("""
            UPDATE judged SET email = converted.email, verdict = converted.verdict::verdict
            FROM converted WHERE judged.row = converted.row;
            INSERT INTO international SELECT row, email FROM converted WHERE email IS NOT NULL;
        """)

    def _write_rejected(self, source: _Source) -> None:
        query = rejected_rows(
            segment=source.segment,
            file=source.table.file.name,
            base=source.rows_before,
            first_row=source.table.first_row,
            email_column=self.mapping.email,
            fields=self.fields,
        )
        if self._number(f"SELECT count(*) FROM ({query})"):
            header = "false" if self.header_written else "true"
            self.header_written = True
            self.connection.execute(
                f"COPY ({query}) TO '{PROTOCOL}://rejected' (FORMAT csv, HEADER {header}, USE_TMP_FILE false)"
            )

    # --- between the passes ---------------------------------------------------------------------------------

    def _exclude(self) -> None:
        """Decide which rows are not sent, and which alternate addresses are."""
        self.connection.execute(EXCLUDE_REJECTED)
        parts = 1 + self._number("SELECT count(*) FROM judged") // ROWS_PER_DUPLICATE_SEARCH
        for part in range(parts):
            self.connection.execute(find_duplicates(part, parts))
        if self.alternates:
            self.connection.execute(choose_alternates(ALTERNATE_EMAILS_MAX))

    def _counts(self) -> Counts:
        verdicts = dict(
            self.connection.execute("SELECT verdict::VARCHAR, count(*) FROM judged GROUP BY ALL").fetchall()
        )
        left_out = self._number("SELECT count(*) FROM excluded") - verdicts.pop(BLANK, 0)
        read = sum(verdicts.values())
        verdicts.pop(None, None)
        reasons: Counter[str] = Counter()
        for verdict, rows in verdicts.items():
            reasons[verdict.partition(" ")[0]] += rows
        return Counts(
            rows_read=read,
            sent=read - left_out,
            duplicate=left_out - reasons.total(),
            rejected=reasons.total(),
            rejected_by_reason=dict(sorted(reasons.items())),
        )

    # --- pass two -------------------------------------------------------------------------------------------

    def _write_contacts(self, source: _Source) -> None:
        with self._translated(source.table.file):
            if isinstance(source.table, TextTable):
                self._write_pieces(source, source.table)
            else:
                register_pages("source", self.files, self.blobs, source.table.file)
                self._copy_contacts(source, source.rows_before)

    def _write_pieces(self, source: _Source, table: TextTable) -> None:
        repair = Repair(table.syntax, table.columns, self.marks)
        texts = read_ahead(exact_pieces(table.text(self.blobs), [piece.size for piece in source.pieces]))
        for piece, read in zip(source.pieces, texts, strict=True):
            text = _without_end(read, final=piece.final)
            if piece.repaired:
                text, _ = repair.repair(text, final=True)
            self._lay_out(table, text)
            self._copy_contacts(source, piece.rows_before)
            if self.most is None and not self._is_complete(piece.rows):
                raise unreadable(table.file, "reads differently the second time")
            self._forget_refused()

    def _copy_contacts(self, source: _Source, rows_before: int) -> None:
        query = contacts(
            self._rows(source, rows_before),
            self.fields,
            international=self._number("SELECT count(*) FROM international") > 0,
            alternates=bool(self.alternates),
            odd=source.table.odd,
        )
        # every line begins with the delimiter, so the writer stops looking for it at once
        self.connection.execute(
            f"COPY ({query}) TO '{PROTOCOL}://contacts' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', "
            "DELIMITER '{', USE_TMP_FILE false)"
        )

    @contextlib.contextmanager
    def _translated(self, file: ExtractFile) -> Iterator[None]:
        """Turn an error of the engine, whose text may hold people's data, into one of ours."""
        try:
            yield
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
            raise  # a mistake of ours; the text is that of a query
        except duckdb.Error as error:
            failure, self.files.failure = self.files.failure, None
            raise (failure or _engine_failure(error, file)) from None


def _without_end(text: bytes, *, final: bool) -> bytes:
    """`text` with exactly one line break at the end of the file; blank lines there are no rows."""
    if not final:
        return text
    body = text.rstrip(b"\n")
    return body + b"\n" if body else b""


def _engine_failure(error: duckdb.Error, file: ExtractFile) -> RunEndError:
    if isinstance(error, duckdb.OutOfMemoryException):
        message = f"Planning ran out of memory and temporary disk at {file.name}; deliver the extract in parts."
        return RunEndError(RunStatus.FAILED, Reason(code="extract_too_large", message=message))
    return unreadable(file, f"is damaged ({type(error).__name__})")


def _too_many(planned: int, max_contacts: int) -> RunEndError:
    message = (
        f"The extract has {planned:,} contacts, more than the export's max_contacts of {max_contacts:,}; "
        "nothing was sent. Raise max_contacts if that is meant to be."
    )
    return RunEndError(RunStatus.SKIPPED, Reason(code="too_many_contacts", message=message))
