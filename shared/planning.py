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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import duckdb

from shared.chunking import Chunker, PartWriter
from shared.csv_records import BLANK, Marks
from shared.duckdb_files import PROTOCOL, PlanFiles
from shared.emails import to_ascii
from shared.errors import RunEndError
from shared.extract_tables import open_table
from shared.limits import ALTERNATE_EMAILS_MAX, PLANNER_DISK, PLANNER_MEMORY
from shared.model import Counts, Reason, RunStatus
from shared.extract_streams import unreadable
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
    from shared.storage import Blobs

CUSTOMER_ID: Final = "CustomerId"
"""Column whose value names a rejected row in rejected.csv, if the extract has it."""
SLASHED: Final = {"auto": "", "day_first": "%d/%m/%Y", "month_first": "%m/%d/%Y"}
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
        threads: of the engine; by default one for each core.
        rows: read so many rows only, as a preview.

    Raises RunEndError, and ExtractChangedError when a file was replaced in the meantime.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as folder, _engine(folder, threads) as connection:
        planner = _Planner(connection, extracts, mapping, blobs, custom_fields or {}, rows)
        return planner.run(sink, max_contacts)


@contextlib.contextmanager
def _engine(folder: str, threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into `folder`."""
    settings = {
        "memory_limit": PLANNER_MEMORY,
        "max_temp_directory_size": PLANNER_DISK,
        "temp_directory": folder,
        "autoinstall_known_extensions": "false",
    }
    if threads:
        settings["threads"] = str(threads)
    with contextlib.closing(duckdb.connect(":memory:", config=settings)) as connection:
        connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = true;" + MACROS)
        yield connection


class _Background:
    """Calls a function on a thread of its own, in order; an error comes out at the next call, or at the end."""

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


@dataclass(kw_only=True)
class _Source:
    """A table to be planned, and what pass one learnt about it."""

    segment: str
    table: Table
    columns: dict[str, int]
    """Alias in the queries → position of the column."""
    base: int = 0
    damaged: bool = False


class _Planner:
    """One plan in the making."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        extracts: Sequence[Extract],
        mapping: FieldMapping,
        blobs: Blobs,
        custom_fields: Mapping[str, CustomField],
        most: int | None,
    ) -> None:
        self._connection = connection
        self._extracts = extracts
        self._mapping = mapping
        self._blobs = blobs
        self._fields = fields_of(mapping, custom_fields)
        self._alternates = [f"alternate_{number}" for number, _ in enumerate(mapping.alternate_emails, 1)]
        self._most = most
        self._marks = Marks(token="\x1a" + secrets.token_hex(8))
        self._files = PlanFiles()
        self._rejected_header_written = False
        connection.register_filesystem(self._files)
        connection.execute(create_tables(self._fields))

    def run(self, sink: PlanSink, max_contacts: int | None) -> PlanOutcome:
        """Both passes."""
        rejected = PartWriter(sink.write_rejected)
        self._files.sinks["rejected"] = rejected.take
        sources = self._judge_all()
        rejected.close()
        self._drop_duplicates()
        counts = self._counts()
        if max_contacts is not None and counts.sent > max_contacts:
            raise _too_many(counts.sent, max_contacts)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-chunks") as pool:
            write = _Background(pool, sink.write_chunk)
            chunker = Chunker(write)
            self._files.sinks["contacts"] = chunker.take
            for source in sources:
                self._write_contacts(source)
            chunker.close()
            write.finish()
        return PlanOutcome(
            chunks=tuple(chunker.chunks),
            counts=counts.model_copy(update={"cut": dict(sorted(chunker.cut.items()))}),
        )

    # --- pass one -------------------------------------------------------------------------------------------

    def _judge_all(self) -> list[_Source]:
        sources = []
        base = 0
        for extract in self._extracts:
            for file in sorted(extract.files, key=lambda file: file.name):
                if file.size == 0 or self._most is not None and base >= self._most:
                    continue
                source = self._open(extract, file)
                source.base = base
                base += self._judge(source)
                sources.append(source)
        return sources

    def _open(self, extract: Extract, file: ExtractFile) -> _Source:
        with self._translated(file):
            table = open_table(self._connection, self._files, self._blobs, file)
        wanted = {"email": ("email", self._mapping.email)}
        wanted |= {field.alias: (field.name, field.column) for field in self._fields}
        wanted |= {
            alias: ("alternate_emails", column)
            for alias, column in zip(self._alternates, self._mapping.alternate_emails, strict=True)
        }
        columns = {
            alias: find_column(table.names, column, field=name, file=file.name)
            for alias, (name, column) in wanted.items()
        }
        customer_id = optional_column(table.names, CUSTOMER_ID)
        if customer_id is not None:
            columns["customer_id"] = customer_id
        return _Source(segment=extract.segment, table=table, columns=columns)

    def _rows(self, source: _Source) -> Rows:
        table, options = source.table, source.table.file.source
        values = {alias: table.value(position) for alias, position in source.columns.items()}
        values["email"] = table.email(source.columns["email"], self._marks)
        left = None if self._most is None else self._most - source.base
        return Rows(
            relation=table.relation(self._files, self._blobs, self._marks, repair=source.damaged),
            values=values,
            mark=self._marks.token,
            base=source.base,
            slashed_date=SLASHED[options.date_order],
            decimal_comma=options.decimal_separator == "comma",
            most=left,
        )

    def _judge(self, source: _Source) -> int:
        """Give the file's rows their verdicts; how many rows there are."""
        file = source.table.file
        source.damaged = source.table.is_text and self._most is not None
        with self._translated(file):
            if not self._insert_verdicts(source):
                source.damaged = True
                if not self._insert_verdicts(source):
                    raise unreadable(file, "cannot be told into rows")
            self._convert_domains(source.base)
            self._write_rejected(source)
            return self._last_row(source.base) - source.base

    def _insert_verdicts(self, source: _Source) -> bool:
        """Whether the file could be read without losing a row; otherwise nothing is left of the attempt."""
        self._connection.begin()
        try:
            self._connection.execute(judge(self._rows(source), self._fields, self._alternates))
            complete = not source.table.is_text or self._most is not None or self._is_complete(source)
        except duckdb.Error:
            self._connection.rollback()
            if self._files.failure or not source.table.is_text or source.damaged:
                raise
            return False
        if complete:
            self._connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
            self._connection.commit()
        else:
            self._connection.rollback()
        return complete

    def _is_complete(self, source: _Source) -> bool:
        """Whether the reader refused one line only, the end mark, and no line went missing before it."""
        line = self._last_row(source.base) - source.base + 1
        refused = self._connection.execute("SELECT csv_line, line FROM reject_errors LIMIT 2").fetchall()
        return len(refused) == 1 and refused[0][0].startswith(self._marks.token) and refused[0][1] == line

    def _last_row(self, base: int) -> int:
        found = self._connection.execute("SELECT max(row) FROM judged").fetchone()
        return max(base, (found and found[0]) or 0)

    def _convert_domains(self, base: int) -> None:
        """Resolve the interim verdicts on addresses whose domain is not ASCII."""
        waiting = self._connection.execute(
            "SELECT row, email FROM judged WHERE row > ? AND verdict = ?", [base, INTERNATIONAL]
        ).fetchall()
        if not waiting:
            return
        converted = [(row, *to_ascii(address)) for row, address in waiting]
        columns = [list(column) for column in zip(*converted, strict=True)]
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE converted AS "
            "SELECT unnest(?::BIGINT[]) AS row, unnest(?::VARCHAR[]) AS email, unnest(?::VARCHAR[]) AS verdict",
            columns,
        )
        self._connection.execute("""
            UPDATE judged SET email = converted.email, verdict = converted.verdict::verdict
            FROM converted WHERE judged.row = converted.row;
            INSERT INTO international SELECT row, email FROM converted WHERE email IS NOT NULL;
        """)

    def _write_rejected(self, source: _Source) -> None:
        query = rejected_rows(
            segment=source.segment,
            file=source.table.file.name,
            base=source.base,
            first_row=source.table.first_row,
            email_column=self._mapping.email,
            fields=self._fields,
        )
        if self._connection.execute(f"SELECT count(*) FROM ({query})").fetchone() != (0,):
            header = "false" if self._rejected_header_written else "true"
            self._rejected_header_written = True
            self._connection.execute(
                f"COPY ({query}) TO '{PROTOCOL}://rejected' (FORMAT csv, HEADER {header}, USE_TMP_FILE false)"
            )

    # --- between the passes ---------------------------------------------------------------------------------

    def _drop_duplicates(self) -> None:
        found = self._connection.execute(f"{EXCLUDE_REJECTED}; SELECT count(*) FROM judged").fetchone()
        parts = 1 + (found[0] if found else 0) // ROWS_PER_DUPLICATE_SEARCH
        for part in range(parts):
            self._connection.execute(find_duplicates(part, parts))
        if self._alternates:
            self._connection.execute(choose_alternates(ALTERNATE_EMAILS_MAX))

    def _counts(self) -> Counts:
        verdicts = dict(
            self._connection.execute("SELECT verdict::VARCHAR, count(*) FROM judged GROUP BY ALL").fetchall()
        )
        blank = verdicts.pop(BLANK, 0)
        excluded = self._connection.execute("SELECT count(*) FROM excluded").fetchone()
        left_out = (excluded[0] if excluded else 0) - blank
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
            found = self._connection.execute("SELECT count(*) FROM international").fetchone()
            query = contacts(
                self._rows(source),
                self._fields,
                international=found != (0,),
                alternates=bool(self._alternates),
                odd=source.table.odd,
            )
            # every line begins with the delimiter, so the writer stops looking for it at once
            self._connection.execute(
                f"COPY ({query}) TO '{PROTOCOL}://contacts' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', "
                "DELIMITER '{', USE_TMP_FILE false)"
            )
            self._connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")

    @contextlib.contextmanager
    def _translated(self, file: ExtractFile) -> Iterator[None]:
        """Turn an error of the engine, whose text may hold people's data, into one of ours."""
        try:
            yield
        except duckdb.Error as error:
            failure, self._files.failure = self._files.failure, None
            raise (failure or _engine_failure(error, file)) from None


def _engine_failure(error: duckdb.Error, file: ExtractFile) -> RunEndError:
    if isinstance(error, duckdb.OutOfMemoryException):
        message = f"Planning ran out of memory and temporary disk at {file.name}; deliver the extract in parts."
        return RunEndError(RunStatus.FAILED, Reason(code="extract_too_large", message=message))
    return unreadable(file, f"is damaged ({type(error).__name__})")


def _too_many(contacts_planned: int, max_contacts: int) -> RunEndError:
    message = (
        f"The extract has {contacts_planned:,} contacts, more than the export's max_contacts of {max_contacts:,}; "
        "nothing was sent. Raise max_contacts if that is meant to be."
    )
    return RunEndError(RunStatus.SKIPPED, Reason(code="too_many_contacts", message=message))
