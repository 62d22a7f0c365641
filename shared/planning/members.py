"""Generations of members: read, compared, and written as Parquet, by the planner's engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.extracts.extract import ExtractFile
from shared.extracts.streams import read_range
from shared.model.runs import MembershipChange
from shared.planning.duckdb_files import PROTOCOL
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
    """Whom a plan may find to have left."""

    own: Membership
    """Those the export has brought, as its last run left them."""
    blobs: ReadableBlobs


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A chunk of a run that is over, and who of it did not arrive."""

    lines: bytes = field(repr=False)
    """One contact a line."""
    absent: frozenset[str] = field(repr=False)
    """Addresses that were refused or failed."""


def find_leavers(engine: Engine, members: Members) -> int:
    """Make the table `leavers`: members that no row of the plan has brought; how many.

    The tables `seen` and `present` have the keys of those whom the plan has met.
    """
    own = _parquet(engine, members.blobs, members.own)
    engine.execute(
        f"""CREATE TEMP TABLE leavers AS
        SELECT address FROM (SELECT address, hash(address) AS key FROM {own})
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
        engine.execute("CREATE TEMP TABLE members (address VARCHAR)")
        if old is not None:
            engine.execute(f"INSERT INTO members SELECT address FROM {_parquet(engine, blobs, old)}")
        before = engine.number("SELECT count(*) FROM members")
        engine.execute("CREATE TEMP TABLE gone (address VARCHAR)")
        for lines in gone:
            _insert(engine, "gone", lines, frozenset())
        engine.execute("DELETE FROM members WHERE address IN (SELECT address FROM gone)")
        kept = engine.number("SELECT count(*) FROM members")
        engine.execute("CREATE TEMP TABLE arrived (address VARCHAR)")
        for chunk in arrivals:
            _insert(engine, "arrived", chunk.lines, chunk.absent)
        engine.execute(
            "INSERT INTO members SELECT DISTINCT address FROM arrived ANTI JOIN members USING (address)"
        )
        after = engine.number("SELECT count(*) FROM members")
        change = MembershipChange(before=before, joined=after - kept, left=before - kept, after=after)
        return _written(engine), change


def _insert(engine: Engine, table: str, lines: bytes, absent: frozenset[str]) -> None:
    engine.files.text = [lines]
    engine.execute(
        f"INSERT INTO {table} SELECT address FROM ("
        f"SELECT email AS address FROM read_json('{PROTOCOL}://text', format = 'newline_delimited', "
        "columns = {email: 'VARCHAR'})) WHERE NOT list_contains($absent::VARCHAR[], address)",
        {"absent": sorted(absent)},
    )


def _written(engine: Engine) -> bytes:
    parts = bytearray()
    name = engine.files.add_sink(parts.extend)
    engine.execute(
        f"COPY (SELECT address FROM members ORDER BY address) TO '{PROTOCOL}://{name}' "
        "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
    )
    return bytes(parts)


def read_members(membership: Membership, *, blobs: ReadableBlobs) -> Iterator[str]:
    """The members' addresses, in their order."""
    with open_engine() as engine:
        yield from (address for (address,) in engine.rows(f"FROM {_parquet(engine, blobs, membership)}"))


def _parquet(engine: Engine, blobs: ReadableBlobs, membership: Membership) -> str:
    file = ExtractFile(name=membership.blob, size=membership.size, etag=membership.etag)

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    engine.files.add_pages(NAME, file.size, fetch)
    return f"read_parquet('{PROTOCOL}://{NAME}')"
