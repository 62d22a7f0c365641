"""Take over a list that another tool has filled: who on it is in the extracts becomes a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.model.definitions import FieldMapping
from shared.planning.chunks import PartWriter
from shared.planning.engine import open_engine
from shared.planning.ledger import Sinks
from shared.planning.list_file import read_list
from shared.planning.members import adopted_generation, load_keys
from shared.planning.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shared.extracts.extract import Extract
    from shared.model.members import Membership
    from shared.model.runs import Counts, MembershipChange
    from shared.planning.engine import Engine
    from shared.storage.interfaces import ReadableBlobs

OTHERS_HEADER: Final = b"email,contact_id\n"
TABLES: Final = """
CREATE TEMP TABLE own (key UBIGINT);
CREATE TEMP TABLE elsewhere (key UBIGINT);
CREATE TEMP TABLE adopted (key UBIGINT, address VARCHAR);
"""
NEW_MEMBERS: Final = """
INSERT INTO adopted
SELECT DISTINCT ON (key) key, address FROM listed SEMI JOIN seen USING (key) ANTI JOIN adopted USING (key)
"""
OTHERS: Final = "SELECT as_cell(address) AS email, as_cell(contact_id) AS contact_id FROM listed"


@dataclass(frozen=True, kw_only=True)
class ListToAdopt:
    """A list, and what is known of who is on it."""

    files: Iterable[Iterable[bytes]]
    """Of SendGrid's export."""
    own: Membership | None
    """Whom the export has brought."""
    others: Sequence[Membership]
    """Of the other exports to the same list."""
    blobs: ReadableBlobs
    """Where members lie."""


@dataclass(frozen=True, kw_only=True)
class AdoptedList:
    """Who was on the list: made + known + others."""

    made: int
    known: int
    others: int
    counts: Counts
    """Of the extracts' rows; `sent` are those with an address of their own."""
    generation: bytes = field(repr=False)
    """The members as Parquet."""
    change: MembershipChange


def adopt(
    extracts: Sequence[Extract],
    email: str,
    to_adopt: ListToAdopt,
    *,
    run: str,
    blobs: ReadableBlobs,
    write_others: Callable[[bytes], None],
) -> AdoptedList:
    """Find out who on the list is in the extracts.

    Args:
        extracts: as a run would read them.
        email: the column with their addresses. What else is in a row does not matter here.
        to_adopt: the list.
        run: the one that adopts it.
        blobs: where the extracts lie.
        write_others: takes parts of the list of those whom nobody brings; they count if this function returns.

    Raises RunEndError, ExtractChangedError, and what reading the files raises.
    """
    with open_engine() as engine:
        planner = Planner(engine=engine, blobs=blobs, mapping=FieldMapping(email=email), fields=(), most=None)
        counts = planner.plan(extracts, Sinks(lines=_drop, rejected=_drop, max_contacts=None))
        engine.execute(TABLES)
        if to_adopt.own is not None:
            load_keys(engine, "own", to_adopt.own, blobs=to_adopt.blobs)
        for other in to_adopt.others:
            load_keys(engine, "elsewhere", other, blobs=to_adopt.blobs, brought_only=True)
        writer = PartWriter(write_others)
        writer.take(OTHERS_HEADER)
        judge = _Judge(engine, writer)
        for file in to_adopt.files:
            read_list(engine, file, judge)
        writer.close()
        generation, change = adopted_generation(engine, to_adopt.own, run, blobs=to_adopt.blobs)
    return AdoptedList(
        made=change.joined,
        known=judge.known,
        others=judge.others,
        counts=counts,
        generation=generation,
        change=change,
    )


def _drop(_data: bytes) -> None:
    """Nothing is sent."""


class _Judge:
    """Says of each piece of the list who is a member, becomes one, or is brought by nobody."""

    def __init__(self, engine: Engine, writer: PartWriter) -> None:
        self._engine = engine
        self._writer = writer
        self.known = 0
        self.others = 0

    def __call__(self) -> None:
        self.known += self._take_out("own")
        self._engine.execute(NEW_MEMBERS)
        self._take_out("adopted")
        self.known += self._take_out("elsewhere")
        self._engine.copy(OTHERS, self._writer.take, "HEADER false")
        self.others += self._engine.number("SELECT count(*) FROM listed")

    def _take_out(self, known: str) -> int:
        """Take those out of the table `listed` whose keys a table has; how many they were."""
        return self._engine.number(
            f"DELETE FROM listed WHERE key IN (SELECT key FROM listed SEMI JOIN {known} USING (key))"
        )
