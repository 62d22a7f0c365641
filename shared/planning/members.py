"""Generations of members: read, compared, and written as Parquet, by the planner's engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.extracts.extract import ExtractFile
from shared.extracts.streams import read_range
from shared.limits import RECORD_BYTES_MAX
from shared.model.runs import MembershipChange
from shared.planning.duckdb_files import PROTOCOL, TEXT
from shared.planning.engine import Engine, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.model.members import Membership
    from shared.storage.interfaces import ReadableBlobs

NAME: Final = "members"
CONTACT: Final = "SELECT '{\"email\":\"' || address || '\"}' FROM leavers"
"""A leaver as a chunk has it."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """Whom a plan may find to have left, or to be just as they were sent before."""

    own: Membership
    """Those the export has brought, as its last run left them."""
    blobs: ReadableBlobs
    leave_out_unchanged: bool
    find_leavers: bool


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A chunk of a run that is over, and who of it did not arrive."""

    lines: bytes = field(repr=False)
    """One contact a line."""
    absent: frozenset[str] = field(repr=False)
    """Addresses that were refused or failed."""
    certain: bool
    """Whether all others have surely arrived just as they are here."""


def load_known(engine: Engine, members: Members) -> None:
    """Make the table `known`: whom SendGrid has, and how."""
    own = _parquet(engine, members.blobs, members.own)
    engine.execute(f"CREATE TABLE known AS SELECT key_of(address) AS key, hash FROM {own} WHERE hash IS NOT NULL")


def find_leavers(engine: Engine, members: Members) -> int:
    """Make the table `leavers`: members that no row of the plan has brought; how many.

    The tables `seen` and `present` have the keys of those whom the plan has met.
    """
    own = _parquet(engine, members.blobs, members.own)
    engine.execute(
        f"""CREATE TEMP TABLE leavers AS
        SELECT address FROM (SELECT address, key_of(address) AS key FROM {own})
        ANTI JOIN seen USING (key) ANTI JOIN present USING (key)
        ORDER BY address"""
    )
    return engine.number("SELECT count(*) FROM leavers")


def next_generation(
    old: Membership | None, arrivals: Iterable[Arrivals], gone: Iterable[bytes], *, blobs: ReadableBlobs
) -> tuple[bytes, MembershipChange]:
    """The members after a run as Parquet, and how they changed.

    Args:
        old: the generation before; None where there is none.
        arrivals: chunks whose contacts SendGrid has taken in.
        gone: chunks of contacts that are off the list.
        blobs: where the generation before lies.
    """
    with open_engine() as engine:
        for table in ("members", "gone", "arrived"):
            engine.execute(f"CREATE TEMP TABLE {table} (address VARCHAR, hash UBIGINT)")
        if old is not None:
            engine.execute(f"INSERT INTO members SELECT address, hash FROM {_parquet(engine, blobs, old)}")
        before = engine.number("SELECT count(*) FROM members")
        for lines in gone:
            _insert(engine, "gone", Arrivals(lines=lines, absent=frozenset(), certain=False))
        engine.execute("DELETE FROM members WHERE address IN (SELECT address FROM gone)")
        kept = engine.number("SELECT count(*) FROM members")
        for chunk in arrivals:
            _insert(engine, "arrived", chunk)
        joined = engine.number("SELECT count(DISTINCT address) FROM arrived ANTI JOIN members USING (address)")
        engine.execute("DELETE FROM members WHERE address IN (SELECT address FROM arrived)")
        engine.execute("INSERT INTO members SELECT address, any_value(hash) FROM arrived GROUP BY address")
        change = MembershipChange(before=before, joined=joined, left=before - kept, after=kept + joined)
        return _written(engine), change


def _insert(engine: Engine, table: str, chunk: Arrivals) -> None:
    engine.files.text = [chunk.lines]
    engine.execute(
        f"""INSERT INTO {table}
        SELECT address, CASE WHEN $certain THEN fingerprint(line) END FROM (
            SELECT line, json_extract_string(line, '$.email') AS address
            FROM read_csv('{PROTOCOL}://{TEXT}', columns = {{line: 'VARCHAR'}}, auto_detect = false,
                header = false, delim = '\x01', quote = '', escape = '', new_line = '\\n', parallel = false,
                max_line_size = {RECORD_BYTES_MAX * 4})
        ) WHERE NOT list_contains($absent::VARCHAR[], address)""",
        {"absent": sorted(chunk.absent), "certain": chunk.certain},
    )


def _written(engine: Engine) -> bytes:
    parts = bytearray()
    name = engine.files.add_sink(parts.extend)
    engine.execute(
        f"COPY (FROM members ORDER BY address) TO '{PROTOCOL}://{name}' "
        "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
    )
    return bytes(parts)


def read_members(membership: Membership, *, blobs: ReadableBlobs) -> Iterator[str]:
    """The members' addresses, in their order."""
    with open_engine() as engine:
        yield from (
            address for (address,) in engine.rows(f"SELECT address FROM {_parquet(engine, blobs, membership)}")
        )


def _parquet(engine: Engine, blobs: ReadableBlobs, membership: Membership) -> str:
    file = ExtractFile(name=membership.blob, size=membership.size, etag=membership.etag)

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    engine.files.add_pages(NAME, file.size, fetch)
    return f"read_parquet('{PROTOCOL}://{NAME}')"
