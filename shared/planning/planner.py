"""What is done with every piece of every file of a plan."""

from __future__ import annotations

import contextlib
import secrets
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.csv_records import BLANK, END
from shared.extracts.encodings import undecodable
from shared.extracts.streams import unreadable
from shared.limits import ALTERNATE_EMAILS_MAX, REJECTED_LISTED_MAX, UNDECODABLE_SHARE_MAX
from shared.model.rejections import Rejected
from shared.planning.fields import missing_column
from shared.planning.international_domains import with_ascii_domain
from shared.planning.ledger import Located, Parts, Tally, require_few
from shared.planning.meter import TextMeter
from shared.planning.piece_queries import (
    CONVERT_ADDRESSES,
    FIRST_UNDECODABLE,
    FORGET_DUPLICATES,
    FORGET_UNCHANGED,
    FOUND,
    INTERNATIONAL_ADDRESSES,
    LINES,
    LOOKS_EMPTY,
    NOTES,
    OUTCOMES,
    REJECTED_INTERNATIONAL,
    REMEMBER,
    REMEMBER_CONVERTED,
    REMEMBER_REJECTED,
    SOUGHT,
    choose_alternates,
    offer_alternates,
    rejected_rows,
    seen_in_piece,
)
from shared.planning.query import TABLES, UNUSABLE_MARK, read_piece
from shared.planning.readers import cores_to_use, open_readers
from shared.planning.sources import Source, alternate_aliases, find_columns, is_ahead, refuse_feed, wanted_columns
from shared.planning.tables import JsonTable, open_table
from shared.planning.text_pieces import PIECE_BYTES, Pieces, Reading, UntellableError, has_empty_record
from shared.planning.value_rules import INTERNATIONAL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from shared.extracts.extract import Extract, ExtractFile
    from shared.model.definitions import FieldMapping
    from shared.model.runs import Counts
    from shared.planning.differences import Differences
    from shared.planning.engine import Engine
    from shared.planning.fields import Field
    from shared.planning.ledger import Sinks
    from shared.planning.readers import PieceTable, Readers
    from shared.planning.tables import Table
    from shared.storage.interfaces import ReadableBlobs

LOOK_BYTES: Final = 1 << 20
"""Bytes of a piece when a few rows are enough."""


@dataclass(kw_only=True)
class Planner:
    """One plan in the making."""

    engine: Engine
    blobs: ReadableBlobs
    mapping: FieldMapping
    fields: Sequence[Field]
    most: int | None
    """Rows to read at most; blank lines count."""
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    """Begins what says that a record of a text is no row."""
    tally: Tally = field(default_factory=Tally)
    sinks: Sinks | None = None
    header_written: bool = False
    """Of the list of rejected rows."""
    undecodable: RunEndError | None = None
    """About the first row that could not be decoded."""
    sought: set[str] | None = None
    """Addresses whose rows are looked for and were not found yet; None while a plan is made."""
    finds_leavers: bool = False
    """Whether it matters who is in rows that are rejected for a value."""
    differences: Differences | None = None
    """Looks at the contacts to be sent."""
    leave_out_unchanged: bool = False
    """Whether contacts are left out that the table `known` has just so."""
    located: list[Located] = field(default_factory=list)
    readers: Readers = field(init=False)
    """While files are read."""

    def __post_init__(self) -> None:
        self.alternates = alternate_aliases(self.mapping)
        self.wanted = wanted_columns(self.mapping, self.fields)
        self.engine.execute(TABLES)

    def collect_alternates(self, extracts: Sequence[Extract]) -> None:
        """Find out who offers which alternate addresses, and who gets a contact."""
        self._read(extracts)

    def choose_alternates(self) -> None:
        """Decide which alternate addresses are sent."""
        self.engine.execute(choose_alternates(ALTERNATE_EMAILS_MAX))
        self.engine.execute("DELETE FROM offers; DELETE FROM seen")

    def plan(self, extracts: Sequence[Extract], sinks: Sinks) -> Counts:
        """Pass contacts and rejected rows on. Raises RunEndError with what was read until then."""
        self.sinks = sinks
        self.tally = Tally()
        try:
            self._read(extracts)
        except RunEndError as end:
            end.counts = self.tally.counts()
            raise
        return self.tally.counts()

    def locate(self, extracts: Sequence[Extract], addresses: Collection[str]) -> list[Located]:
        """The row that brings each of the addresses, as far as one does."""
        self.sought = set(addresses)
        self.engine.execute(SOUGHT, {"addresses": sorted(self.sought)})
        self._read(extracts)
        return self.located

    # --- files ----------------------------------------------------------------------------------------------

    def _read(self, extracts: Sequence[Extract]) -> None:
        rows = 0
        with open_readers(self.engine, ahead=self._readings_ahead()) as self.readers:
            for extract in extracts:
                files = sorted((file for file in extract.files if file.size), key=lambda file: file.name)
                parts = Parts(segment=extract.segment, files=files)
                meter = TextMeter()
                for file in files:
                    if self.most is None or rows < self.most:
                        with self.engine.reading(file):
                            rows = self._read_file(parts, file, rows, meter)
                if parts.missing and (self.most is None or rows < self.most):
                    raise next(iter(parts.missing.values()))

    def _readings_ahead(self) -> int:
        """How many tables are read ahead.

        None for a look at a few rows, nor if rows are joined by their numbers, which only those before them tell.
        """
        by_number = self.alternates and self.sinks is not None
        return 0 if by_number or self.most is not None else cores_to_use() - 1

    def _read_file(self, parts: Parts, file: ExtractFile, rows_before: int, meter: TextMeter) -> int:
        """How many rows there are with those of this file."""
        names = [each.column for each in self.wanted]
        table = open_table(self.engine, self.blobs, file, wanted=names, before=parts.header)
        if table is None:
            return rows_before
        refuse_feed(table)
        if table.has_header and not parts.header:
            parts.header = table.names
        columns, watched = self._find_columns(parts, table)
        sentinels = table.sentinels(self.token, columns.get("email"))
        source = Source(
            segment=parts.segment,
            table=table,
            sentinels=sentinels,
            columns=columns,
            rows_before=rows_before,
            watched=set(watched),
        )
        self._read_pieces(source, meter)
        for alias in watched - source.watched:
            parts.found.add(alias)
            parts.missing.pop(alias, None)
        self._require_decodable()
        return source.base

    def _find_columns(self, parts: Parts, table: Table) -> tuple[dict[str, int], set[str]]:
        """Where the mapped columns are in a part, and which may be there without being known.

        Raises RunEndError for a column that no part can have.
        """
        told = table.names
        columns = find_columns(table, self.wanted)
        absent = [each for each in self.wanted if each.alias not in columns]
        if isinstance(table, JsonTable):
            table.add_names([each.column for each in absent])
            columns = find_columns(table, self.wanted)
        parts.found.update(set(columns) - {each.alias for each in absent})
        for each in absent:
            if each.alias not in parts.found and each.alias not in parts.missing:
                names = told if table.names_are_told else None
                error = missing_column(each.column, field=each.field, file=table.file.name, names=names)
                if not table.may_have_more and not is_ahead(self.engine, self.blobs, parts, table, each):
                    raise error
                parts.missing[each.alias] = error
        for alias in parts.found:
            parts.missing.pop(alias, None)
        return columns, {each.alias for each in absent if each.alias in columns and each.alias in parts.missing}

    def _require_decodable(self) -> None:
        """Raise RunEndError when so many rows cannot be decoded that the encoding must be wrong."""
        undecodable = self.tally.reasons[Rejected.ROW_UNDECODABLE]
        if self.undecodable is not None and undecodable > UNDECODABLE_SHARE_MAX * self.tally.rows:
            raise self.undecodable

    def _read_pieces(self, source: Source, meter: TextMeter) -> None:
        pieces = Pieces(
            partial(self._begin_pieces, source),
            sentinels=source.sentinels,
            size=PIECE_BYTES if self.most is None else LOOK_BYTES,
            ahead=self._readings_ahead(),
        )

        def take(block: bytes) -> bool:
            meter.count(source.table.file, len(block))
            pieces.take(block)
            return not self._has_enough(source)

        try:
            self._read_text(source, pieces, take)
            pieces.close()
        except UntellableError:
            raise unreadable(source.table.file, "cannot be told into rows") from None
        finally:
            self._note_undecodable(source, pieces)

    def _read_text(self, source: Source, pieces: Pieces, take: Callable[[bytes], bool]) -> None:
        """Give the text to `take`. An error in pieces that are under way comes before one of what follows."""
        positions = frozenset(source.columns.values())
        try:
            source.table.read(self.blobs, take, positions=positions, rows=self._wanted(source))
        except Exception:
            pieces.settle()
            if not self._has_enough(source):
                raise

    def _note_undecodable(self, source: Source, pieces: Pieces) -> None:
        """Keep the error about the first row that cannot be decoded, should there be too many."""
        if self.undecodable is None and source.first_undecodable is not None:
            what = f"row {source.first_undecodable:,}"
            self.undecodable = undecodable(source.table.file, pieces.undecodable, what=what)

    def _wanted(self, source: Source) -> int | None:
        return None if self.most is None else self.most - source.base

    def _has_enough(self, source: Source) -> bool:
        return self.sought == set() or (self.most is not None and source.base >= self.most)

    # --- pieces ---------------------------------------------------------------------------------------------

    def _begin_pieces(self, source: Source, pieces: Sequence[bytes]) -> Reading:
        """Have the table `piece` made of some pieces."""
        # the reader takes a byte order mark for none of the text's own, so it gets one of ours
        texts = [BOM_UTF8, *pieces, source.sentinels.line(END).encode()]
        table = self.readers.begin(self._query(source, pieces), texts)
        return Reading(finish=partial(self._finish_pieces, source, pieces, table), drop=table.close)

    def _finish_pieces(self, source: Source, pieces: Sequence[bytes], table: PieceTable) -> bool:
        """Whether the pieces were read up to the end mark behind them; if so, they were dealt with."""
        with contextlib.closing(table):
            if self._has_enough(source):
                return True
            rows, engine = table.rows(), table.engine
            if rows is None:
                return False
            outcomes = self._outcomes(engine)
            if END not in outcomes:
                return False
            if self._has_empty_records(engine, source, pieces, outcomes):
                return False  # those lines are no rows; they are marked as such when each piece is read alone
            self._account_for(engine, source, outcomes)
        source.rows_done += rows - 1
        require_few(
            self.tally,
            source.base,
            source.table.file,
            max_contacts=self.sinks.max_contacts if self.sinks else None,
        )
        return True

    def _has_empty_records(
        self, engine: Engine, source: Source, pieces: Sequence[bytes], outcomes: Collection[str | None]
    ) -> bool:
        """Whether some rows are none: lines of nothing but delimiters."""
        looks_so = Rejected.EMAIL_MISSING in outcomes and engine.number(LOOKS_EMPTY) > 0
        return looks_so and has_empty_record(source.sentinels, pieces)

    def _query(self, source: Source, pieces: Sequence[bytes]) -> str:
        return read_piece(source.rows(pieces), self.fields, self.alternates, every_id=self.sought is not None)

    def _outcomes(self, engine: Engine) -> dict[str | None, int]:
        """Rows of the table `piece` by verdict."""
        return dict(engine.rows(OUTCOMES))

    def _account_for(self, engine: Engine, source: Source, outcomes: dict[str | None, int]) -> None:
        """Account for the rows of the table `piece`, and pass on what they give."""
        if (wanted := self._wanted(source)) is not None:
            engine.execute(f"DELETE FROM piece WHERE row > {wanted}")
            outcomes = self._outcomes(engine)
        if INTERNATIONAL in outcomes:
            self._convert_domains(engine)
            outcomes = self._outcomes(engine)
        if source.watched:
            self._watch(engine, source)
        if self.sought is not None:
            self._look_up(engine, source, self.sought)
            return
        if Rejected.ROW_UNDECODABLE in outcomes and source.first_undecodable is None:
            source.first_undecodable = source.row(engine.number(FIRST_UNDECODABLE))
        to_send = self._forget_known(engine, outcomes.pop(None, 0))
        rejected = self._count_rejected(outcomes)
        if self.sinks is None:
            engine.execute(offer_alternates(source.base))
            return
        if rejected:
            if self.finds_leavers:
                self._remember_rejected(engine)
            self._pass_rejected(engine, source, self.sinks, rejected)
        if to_send:
            self._pass_contacts(engine, self.sinks)

    def _count_rejected(self, outcomes: dict[str | None, int]) -> int:
        """Count the rejected rows by reason; how many there are."""
        rejected = {verdict: rows for verdict, rows in outcomes.items() if verdict not in {BLANK, END}}
        for verdict, rows in rejected.items():
            reason, _, field_name = str(verdict).partition(" ")
            self.tally.reasons[reason] += rows
            if field_name:
                self.tally.rejected_by_field[field_name] += rows
        return sum(rejected.values())

    def _forget_known(self, engine: Engine, usable: int) -> int:
        """Leave only those of the usable rows that are to be sent; how many."""
        duplicate = engine.number(FORGET_DUPLICATES) if usable else 0
        engine.execute(REMEMBER)
        left = usable - duplicate
        unchanged = engine.number(FORGET_UNCHANGED) if self.leave_out_unchanged and left else 0
        self.tally.duplicate += duplicate
        self.tally.unchanged += unchanged
        self.tally.sent += left - unchanged
        return left - unchanged

    def _look_up(self, engine: Engine, source: Source, sought: set[str]) -> None:
        """Note the rows that bring what is sought; of several with one address the first."""
        for row, address, customer_id in engine.rows(FOUND):
            if address in sought:
                sought.remove(address)
                place = (source.segment, source.table.file.name, source.row(row))
                self.located.append(Located(*place, address, customer_id))

    def _watch(self, engine: Engine, source: Source) -> None:
        """Take note of the columns of which a row has a value."""
        aliases = sorted(source.watched)
        (seen,) = engine.rows(seen_in_piece(aliases))
        source.watched -= {alias for alias, has in zip(aliases, seen, strict=True) if has}

    def _convert_domains(self, engine: Engine) -> None:
        """Resolve the interim verdicts on addresses whose domain is not ASCII."""
        found = engine.rows(INTERNATIONAL_ADDRESSES)
        rows = [row for row, _ in found]
        addresses = [with_ascii_domain(address) for _, address in found]
        engine.execute(CONVERT_ADDRESSES, {"rows": rows, "addresses": addresses})

    def _remember_rejected(self, engine: Engine) -> None:
        """Note who is in the extract although the row is rejected for a value."""
        engine.execute(REMEMBER_REJECTED)
        if international := engine.rows(REJECTED_INTERNATIONAL):
            addresses = [with_ascii_domain(address) for (address,) in international]
            engine.execute(REMEMBER_CONVERTED, {"addresses": addresses})

    def _pass_rejected(self, engine: Engine, source: Source, sinks: Sinks, rejected: int) -> None:
        most = REJECTED_LISTED_MAX - self.tally.listed
        if most <= 0:
            return
        query = rejected_rows(
            segment=source.segment,
            file=source.table.file.name,
            row_before=source.row(0),
            email_column=self.mapping.email,
            fields=self.fields,
            most=most,
        )
        engine.copy(query, sinks.rejected, f"HEADER {not self.header_written}")
        self.header_written = True
        self.tally.listed += min(most, rejected)

    def _pass_contacts(self, engine: Engine, sinks: Sinks) -> None:
        if self.differences:
            self.differences.look(engine)
        for notes, rows in engine.rows(NOTES):
            for note in notes.split(" "):
                kind = self.tally.unusable if note.startswith(UNUSABLE_MARK) else self.tally.cut
                kind[note.removeprefix(UNUSABLE_MARK)] += rows
        if sinks.max_contacts is None or self.tally.sent <= sinks.max_contacts:
            # every line begins with the delimiter, so the writer stops looking for it at once
            engine.copy(LINES, sinks.lines, "HEADER false, QUOTE '', ESCAPE '', DELIMITER '{'")
