"""What is done with every piece of every file of a plan."""

from __future__ import annotations

import secrets
from codecs import BOM_UTF8
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.extracts.csv_records import BLANK, END
from shared.extracts.streams import unreadable
from shared.limits import ALTERNATE_EMAILS_MAX
from shared.model.runs import Counts
from shared.planning.engine import QueryError
from shared.planning.international_domains import with_ascii_domain
from shared.planning.query import (
    CONVERT_ADDRESSES,
    CUTS,
    FORGET_DUPLICATES,
    INTERNATIONAL_ADDRESSES,
    LINES,
    OUTCOMES,
    REMEMBER,
    TABLES,
    choose_alternates,
    offer_alternates,
    read_piece,
    rejected_rows,
)
from shared.planning.sources import Source, alternate_aliases, find_columns
from shared.planning.tables import open_table
from shared.planning.text_pieces import PIECE_BYTES, Pieces, UntellableError
from shared.planning.value_rules import INTERNATIONAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.extracts.extract import Extract, ExtractFile
    from shared.model.definitions import FieldMapping
    from shared.planning.engine import Engine
    from shared.planning.fields import Field
    from shared.storage.interfaces import Blobs

LOOK_BYTES: Final = 1 << 20
"""Bytes of a piece when a few rows are enough."""


@dataclass(frozen=True, kw_only=True)
class Sinks:
    """Where a plan goes."""

    lines: Callable[[bytes], None]
    """Takes contacts, one a line."""
    rejected: Callable[[bytes], None]
    """Takes the list of rejected rows."""
    max_contacts: int | None
    """With more of them, no contact is passed on any more."""


@dataclass(kw_only=True)
class Tally:
    """What became of the rows so far."""

    sent: int = 0
    duplicate: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def counts(self) -> Counts:
        """The same, as a run's document tells it."""
        rejected = self.reasons.total()
        return Counts(
            rows_read=self.sent + self.duplicate + rejected,
            sent=self.sent,
            duplicate=self.duplicate,
            rejected=rejected,
            rejected_by_reason=dict(sorted(self.reasons.items())),
            cut=dict(sorted(self.cut.items())),
        )


@dataclass(kw_only=True)
class Planner:
    """One plan in the making."""

    engine: Engine
    blobs: Blobs
    mapping: FieldMapping
    fields: Sequence[Field]
    most: int | None
    """PieceQuery to read at most; blank lines count."""
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    """Begins what says that a record of a text is no row."""
    tally: Tally = field(default_factory=Tally)
    sinks: Sinks | None = None
    header_written: bool = False
    """Of the list of rejected rows."""

    def __post_init__(self) -> None:
        self.alternates = alternate_aliases(self.mapping)
        self.engine.execute(TABLES)

    def collect_alternates(self, extracts: Sequence[Extract]) -> None:
        """Find out who offers which alternate addresses, and who gets a contact."""
        self._read(extracts)

    def choose_alternates(self) -> None:
        """Decide which alternate addresses are sent."""
        self.engine.execute(choose_alternates(ALTERNATE_EMAILS_MAX))
        self.engine.execute("DELETE FROM offers; DELETE FROM seen")

    def plan(self, extracts: Sequence[Extract], sinks: Sinks) -> Counts:
        """Pass contacts and rejected rows on."""
        self.sinks = sinks
        self.tally = Tally()
        self._read(extracts)
        return self.tally.counts()

    # --- files ----------------------------------------------------------------------------------------------

    def _read(self, extracts: Sequence[Extract]) -> None:
        rows = 0
        for extract in extracts:
            for file in sorted(extract.files, key=lambda file: file.name):
                if file.size and (self.most is None or rows < self.most):
                    with self.engine.reading(file):
                        rows = self._read_file(extract.segment, file, rows)

    def _read_file(self, segment: str, file: ExtractFile, rows_before: int) -> int:
        """How many rows there are with those of this file."""
        table = open_table(self.engine, self.blobs, file)
        if table is None:
            return rows_before
        columns = find_columns(table, self.mapping, self.fields)
        sentinels = table.sentinels(self.token, columns["email"])
        source = Source(
            segment=segment, table=table, sentinels=sentinels, columns=columns, rows_before=rows_before
        )
        self._read_pieces(source)
        return source.base

    def _read_pieces(self, source: Source) -> None:
        pieces = Pieces(
            lambda texts: self._run_pieces(source, texts),
            sentinels=source.sentinels,
            size=PIECE_BYTES if self.most is None else LOOK_BYTES,
        )

        def take(block: bytes) -> bool:
            pieces.take(block)
            return not self._has_enough(source)

        try:
            source.table.read(
                self.blobs, take, positions=frozenset(source.columns.values()), rows=self._wanted(source)
            )
            pieces.close()
        except UntellableError:
            raise unreadable(source.table.file, "cannot be told into rows") from None

    def _wanted(self, source: Source) -> int | None:
        return None if self.most is None else self.most - source.base

    def _has_enough(self, source: Source) -> bool:
        return self.most is not None and source.base >= self.most

    # --- pieces ---------------------------------------------------------------------------------------------

    def _run_pieces(self, source: Source, pieces: Sequence[bytes]) -> bool:
        """Whether the pieces were read up to the end mark behind them; if so, they were dealt with."""
        if self._has_enough(source):
            return True
        # the reader takes a byte order mark for none of the text's own, so it gets one of ours
        self.engine.files.text = [BOM_UTF8, *pieces, source.sentinels.line(END).encode()]
        try:
            rows = self.engine.number(read_piece(source.rows(pieces), self.fields, self.alternates))
        except QueryError as error:
            if error.is_about_input:
                return False
            raise
        outcomes = self._outcomes()
        if END not in outcomes:
            return False
        self._account_for(source, outcomes)
        source.rows_done += rows - 1
        return True

    def _outcomes(self) -> dict[str | None, int]:
        """Rows of the table `piece` by verdict."""
        return dict(self.engine.rows(OUTCOMES))

    def _account_for(self, source: Source, outcomes: dict[str | None, int]) -> None:
        """Account for the rows of the table `piece`, and pass on what they give."""
        if (wanted := self._wanted(source)) is not None:
            self.engine.execute(f"DELETE FROM piece WHERE row > {wanted}")
            outcomes = self._outcomes()
        if INTERNATIONAL in outcomes:
            self._convert_domains()
            outcomes = self._outcomes()
        usable = outcomes.pop(None, 0)
        duplicate = self.engine.number(FORGET_DUPLICATES) if usable else 0
        self.engine.execute(REMEMBER)
        self.tally.sent += usable - duplicate
        self.tally.duplicate += duplicate
        rejected = [verdict for verdict in outcomes if verdict not in {BLANK, END}]
        for verdict in rejected:
            self.tally.reasons[str(verdict).partition(" ")[0]] += outcomes[verdict]
        if self.sinks is None:
            self.engine.execute(offer_alternates(source.base))
            return
        if rejected:
            self._pass_rejected(source, self.sinks)
        if usable > duplicate:
            self._pass_contacts(self.sinks)

    def _convert_domains(self) -> None:
        """Resolve the interim verdicts on addresses whose domain is not ASCII."""
        found = self.engine.rows(INTERNATIONAL_ADDRESSES)
        rows = [row for row, _ in found]
        addresses = [with_ascii_domain(address) for _, address in found]
        self.engine.execute(CONVERT_ADDRESSES, {"rows": rows, "addresses": addresses})

    def _pass_rejected(self, source: Source, sinks: Sinks) -> None:
        query = rejected_rows(
            segment=source.segment,
            file=source.table.file.name,
            row_before=source.rows_done + source.table.first_row - 1,
            email_column=self.mapping.email,
            fields=self.fields,
        )
        self.engine.copy(query, sinks.rejected, f"HEADER {not self.header_written}")
        self.header_written = True

    def _pass_contacts(self, sinks: Sinks) -> None:
        for names, rows in self.engine.rows(CUTS):
            self.tally.cut.update(dict.fromkeys(names.split(" "), rows))
        if sinks.max_contacts is None or self.tally.sent <= sinks.max_contacts:
            # every line begins with the delimiter, so the writer stops looking for it at once
            self.engine.copy(LINES, sinks.lines, "HEADER false, QUOTE '', ESCAPE '', DELIMITER '{'")
