"""The ids of leavers, from SendGrid's export of the list: found for all of them at once, and read for some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.limits import LOOK_UP_MEMORY
from shared.planning.engine import open_engine
from shared.planning.list_file import damaged, read_list
from shared.planning.members import Arrivals, parquet, stage, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.model.runs import ParquetBlob
    from shared.storage.interfaces import ReadableBlobs

GROUP: Final = 4_096
"""Rows that are read at a time: those of a chunk are neighbours, and should not cost the whole file."""
TABLES: Final = """
CREATE TEMP TABLE leavers (key UBIGINT);
CREATE TEMP TABLE found (address VARCHAR, contact_id VARCHAR);
"""
FIND: Final = """
INSERT INTO found SELECT address, contact_id FROM listed SEMI JOIN leavers USING (key)
WHERE regexp_full_match(contact_id, '[0-9a-fA-F-]{1,64}')
"""
FOUND: Final = "SELECT address, contact_id FROM found ORDER BY address"
READ: Final = """
SELECT contact_id FROM {found} WHERE address BETWEEN $first AND $last
    AND list_contains($addresses::VARCHAR[], address)
"""


def find_ids(leavers: Iterable[bytes], files: Iterable[Iterable[bytes]], *, contacts: int | None) -> bytes:
    """Find the ids of those leavers who are on the list, as Parquet: address and contact_id.

    Args:
        leavers: one a line, as chunks have them.
        files: of SendGrid's export of the list.
        contacts: in the files, by SendGrid's count; with fewer, they are not whole.

    Raises RunEndError when a file is damaged, and what reading it raises.
    """
    with open_engine() as engine:
        engine.execute(TABLES)
        for lines in leavers:
            stage(engine, Arrivals(lines=lines, absent=frozenset(), certain=False))
            engine.execute("INSERT INTO leavers SELECT key FROM chunk")
        read = sum(read_list(engine, file, lambda: engine.execute(FIND)) for file in files)
        if contacts is not None and read < contacts:
            raise damaged(f"has {read:,} contacts of {contacts:,}")
        return written(engine, FOUND, group=GROUP)[0]


def read_ids(found: ParquetBlob, addresses: Sequence[str], *, blobs: ReadableBlobs) -> list[str]:
    """The ids of those of the addresses that were found."""
    with open_engine(memory=LOOK_UP_MEMORY) as engine:
        query = READ.format(found=parquet(engine, blobs, found))
        bounds = {"first": min(addresses), "last": max(addresses), "addresses": list(addresses)}
        return [contact_id for (contact_id,) in engine.rows(query, bounds)]
