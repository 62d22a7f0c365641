"""Generations of members: read, compared, and written as Parquet, by the planner's engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.extracts.extract import ExtractFile
from shared.extracts.streams import read_range
from shared.limits import MEMBERS_DISK, MEMBERS_MEMORY, RECORD_BYTES_MAX
from shared.model.runs import MembershipChange
from shared.planning.duckdb_files import PROTOCOL, TEXT
from shared.planning.engine import Engine, open_engine
from shared.planning.value_rules import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shared.model.members import Membership
    from shared.model.runs import ParquetBlob
    from shared.planning.differences import Differences
    from shared.storage.interfaces import ReadableBlobs

NOBODY: Final = "''::VARCHAR AS address, 0::UBIGINT AS hash, '' AS joined, '' AS brought, 0::UTINYINT AS missing"
"""The columns of a generation; what they mean stands at `Membership`."""
JOINED_AT_A_TIME: Final = 2_000_000
"""Contacts that are joined with the members at a time; they are held in memory meanwhile."""
MISSING_MOST: Final = 255
"""Runs in a row are counted up to here."""
ROWS_IN_A_GROUP: Final = 122_880
"""What DuckDB does by itself."""
RAW_LINES: Final = "HEADER false, QUOTE '', ESCAPE '', DELIMITER '{'"
CONTACT: Final = "SELECT '{\"email\":\"' || address || '\"}' FROM missing WHERE due"
"""A leaver as a chunk has it."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """Whom a plan may find to be missing, or to be just as they were sent before."""

    own: Membership
    """Those the export has brought, as its last run left them."""
    others: Sequence[Membership]
    """Of the other exports to the same list: whom they bring stays on it."""
    blobs: ReadableBlobs
    leave_out_unchanged: bool
    after_missing_runs: int
    """In so many runs in a row somebody must have been missing to be a leaver."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A chunk of a run that is over, and who of it did not arrive."""

    lines: bytes = field(repr=False)
    """One contact a line."""
    absent: frozenset[str] = field(repr=False)
    """Addresses that were refused or failed."""
    certain: bool
    """Whether all others have surely arrived just as they are here."""


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What a run tells of the members."""

    run: str
    arrivals: Iterable[Arrivals]
    """Chunks whose contacts SendGrid has taken in."""
    gone: Iterable[bytes]
    """Chunks of contacts that are off the list."""
    missing: ParquetBlob | None
    """Members that were in no extract; None when the run cannot tell."""


def load_known(engine: Engine, members: Members) -> None:
    """Make the table `known`: whom SendGrid has, and how."""
    own = parquet(engine, members.blobs, members.own.generation)
    engine.execute(f"CREATE TABLE known AS SELECT key_of(address) AS key, hash FROM {own} WHERE hash IS NOT NULL")


def begin_differences(engine: Engine, differences: Differences, members: Members | None) -> None:
    """Let the differences to the members be looked at; without members all are new."""
    own = parquet(engine, members.blobs, members.own.generation) if members else f"(SELECT {NOBODY}) WHERE false"
    differences.begin(engine, own)


def find_missing(engine: Engine, members: Members) -> int:
    """Make the table `missing`: members that no row of the plan has brought; how many of them have left.

    The tables `seen` and `present` have the keys of those whom the plan has met. Who has left is `due`.
    """
    own = parquet(engine, members.blobs, members.own.generation)
    engine.execute(
        f"""CREATE TEMP TABLE missing AS
        SELECT address, key, missing >= $runs - 1 AS due FROM (SELECT *, key_of(address) AS key FROM {own})
        ANTI JOIN seen USING (key) ANTI JOIN present USING (key)
        ORDER BY address""",
        {"runs": members.after_missing_runs},
    )
    return _spare(engine, members.others, members.blobs)


def write_missing(engine: Engine) -> bytes:
    """The table `missing` as Parquet."""
    return written(engine, "SELECT address FROM missing")[0]


def not_brought(lines: Iterable[bytes], others: Sequence[Membership], *, blobs: ReadableBlobs) -> bytes:
    """Those of the leavers whom no other export brings now; one contact a line, as they are given."""
    pieces: list[bytes] = []
    with open_engine() as engine:
        engine.execute("CREATE TEMP TABLE missing (key UBIGINT, address VARCHAR, due BOOLEAN)")
        for chunk in lines:
            stage(engine, Arrivals(lines=chunk, absent=frozenset(), certain=False))
            engine.execute("INSERT INTO missing SELECT key, address, true FROM chunk")
        _spare(engine, others, blobs)
        engine.copy(CONTACT, pieces.append, RAW_LINES)
    return b"".join(pieces)


def _spare(engine: Engine, others: Sequence[Membership], blobs: ReadableBlobs) -> int:
    """Let nobody be due in the table `missing` whom another export brings; how many are left."""
    for other in others:
        brought = f"SELECT key_of(address) FROM {parquet(engine, blobs, other.generation)} WHERE missing = 0"
        engine.execute(f"UPDATE missing SET due = false WHERE due AND key IN ({brought})")
    return engine.number("SELECT count(*) FROM missing WHERE due")


def next_generation(
    old: Membership | None, outcome: RunOutcome, *, blobs: ReadableBlobs
) -> tuple[bytes, MembershipChange]:
    """The members after a run as Parquet, and how they changed; `old` is the generation before."""
    with open_engine(memory=MEMBERS_MEMORY, disk=MEMBERS_DISK) as engine:
        source = f"(SELECT {NOBODY}) WHERE false" if old is None else parquet(engine, blobs, old.generation)
        engine.execute(f"CREATE TEMP VIEW old AS SELECT *, key_of(address) AS key FROM {source}")
        engine.execute("CREATE TEMP TABLE gone (key UBIGINT)")
        for lines in outcome.gone:
            stage(engine, Arrivals(lines=lines, absent=frozenset(), certain=False))
            engine.execute("INSERT INTO gone SELECT key FROM chunk")
        engine.execute("CREATE TEMP TABLE arrived (key UBIGINT, address VARCHAR, hash UBIGINT)")
        for chunk in outcome.arrivals:
            stage(engine, chunk)
            engine.execute("INSERT INTO arrived FROM chunk")
        if outcome.missing is None:
            engine.execute("CREATE TEMP TABLE missed (key UBIGINT)")
        else:
            found = parquet(engine, blobs, outcome.missing)
            engine.execute(f"CREATE TEMP TABLE missed AS SELECT key_of(address) AS key FROM {found}")
        before = engine.number("SELECT count(*) FROM old")
        left = engine.number("SELECT count(*) FROM old SEMI JOIN gone USING (key)")
        data, after = _merged(engine, outcome, is_first=old is None)
    return data, MembershipChange(before=before, joined=after - before + left, left=left, after=after)


def load_keys(
    engine: Engine, table: str, membership: Membership, *, blobs: ReadableBlobs, brought_only: bool = False
) -> None:
    """Add the keys of members to a table: of all, or of those whom the last run has brought."""
    source = parquet(engine, blobs, membership.generation)
    brought = "WHERE missing = 0" if brought_only else ""
    engine.execute(f"INSERT INTO {table} SELECT key_of(address) FROM {source} {brought}")


def adopted_generation(
    engine: Engine, old: Membership | None, run: str, *, blobs: ReadableBlobs
) -> tuple[bytes, MembershipChange]:
    """The members after an adoption as Parquet, and how they changed.

    Those of the generation before stay as they are. The table `adopted` has the others, of whom nobody knows how
    SendGrid has them.
    """
    source = f"(SELECT {NOBODY}) WHERE false" if old is None else parquet(engine, blobs, old.generation)
    before, joined = engine.number(f"SELECT count(*) FROM {source}"), engine.number("SELECT count(*) FROM adopted")
    data, after = written(
        engine,
        f"""SELECT address, hash, joined, brought, missing FROM {source}
        UNION ALL SELECT address, NULL::UBIGINT, {quoted(run)}, {quoted(run)}, 0::UTINYINT FROM adopted""",
    )
    return data, MembershipChange(before=before, joined=joined, after=after)


def _merged(engine: Engine, outcome: RunOutcome, *, is_first: bool) -> tuple[bytes, int]:
    """Who is a member after the run, as Parquet, and how many; in parts that can be joined in memory."""
    parts = 1 if is_first else 1 + engine.number("SELECT count(*) FROM arrived") // JOINED_AT_A_TIME
    if parts == 1:
        return written(engine, _merge(outcome, "true"))
    names = []
    for part in range(parts):
        names.append(f"part{part}")
        data, _ = written(engine, _merge(outcome, f"key % {parts} = {part}"))
        engine.files.add_bytes(names[-1], data)
    engine.execute("DROP TABLE arrived")
    files = ", ".join(f"'{PROTOCOL}://{name}'" for name in names)
    return written(engine, f"FROM read_parquet([{files}])")


def _merge(outcome: RunOutcome, of: str) -> str:
    """Who is a member after the run, and how; of the keys for which `of` holds."""
    run = quoted(outcome.run)
    is_missed = "missed.key IS NOT NULL"
    if outcome.missing is None:
        unseen_brought, unseen_missing = "old.brought", "old.missing"
    else:
        unseen_brought = f"CASE WHEN {is_missed} THEN old.brought ELSE {run} END"
        unseen_missing = f"CASE WHEN {is_missed} THEN least(old.missing, {MISSING_MOST - 1}) + 1 ELSE 0 END"
    return f"""
    SELECT coalesce(old.address, arrived.address) AS address,
        CASE WHEN arrived.key IS NULL THEN old.hash ELSE arrived.hash END AS hash,
        coalesce(old.joined, {run}) AS joined,
        CASE WHEN arrived.key IS NULL THEN {unseen_brought} ELSE {run} END AS brought,
        (CASE WHEN arrived.key IS NULL THEN {unseen_missing} ELSE 0 END)::UTINYINT AS missing
    FROM (FROM old ANTI JOIN gone USING (key) WHERE {of}) AS old
        FULL JOIN (FROM arrived WHERE {of}) AS arrived USING (key)
        LEFT JOIN missed ON missed.key = old.key
    """


def stage(engine: Engine, chunk: Arrivals) -> None:
    """Make the table `chunk` of the contacts that are not absent."""
    engine.files.text = [chunk.lines]
    engine.execute(
        f"""CREATE OR REPLACE TEMP TABLE chunk AS
        SELECT key_of(address) AS key, address, CASE WHEN $certain THEN fingerprint(line) END AS hash FROM (
            SELECT line, json_extract_string(line, '$.email') AS address
            FROM read_csv('{PROTOCOL}://{TEXT}', columns = {{line: 'VARCHAR'}}, auto_detect = false,
                header = false, delim = '\x01', quote = '', escape = '', new_line = '\\n', parallel = false,
                max_line_size = {RECORD_BYTES_MAX * 4})
        ) WHERE NOT list_contains($absent::VARCHAR[], address)""",
        {"absent": sorted(chunk.absent), "certain": chunk.certain},
    )


def written(engine: Engine, query: str, *, group: int = ROWS_IN_A_GROUP) -> tuple[bytes, int]:
    """What a query gives as Parquet, and how many rows; `group` of them are read at a time."""
    parts = bytearray()
    name = engine.files.add_sink(parts.extend)
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group}, USE_TMP_FILE false"
    rows = engine.number(f"COPY ({query}) TO '{PROTOCOL}://{name}' ({options})")
    return bytes(parts), rows


def read_members(membership: Membership, *, blobs: ReadableBlobs) -> Iterator[tuple[str, int]]:
    """The members' addresses, and in how many runs in a row each was missing."""
    with open_engine() as engine:
        yield from engine.rows(f"SELECT address, missing FROM {parquet(engine, blobs, membership.generation)}")


def parquet(engine: Engine, blobs: ReadableBlobs, blob: ParquetBlob) -> str:
    """What stands in FROM to read a blob."""
    file = ExtractFile(name=blob.blob, size=blob.size, etag=blob.etag)

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    engine.files.add_pages(file.name, file.size, fetch)
    return f"read_parquet({quoted(f'{PROTOCOL}://{file.name}')})"
