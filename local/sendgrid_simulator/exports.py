"""Exports of contacts: what was asked for, what became of it, and the files behind its addresses.

The states are those of the schema `ContactExport`: other words than those of import jobs. How long files can be
fetched is published (72 hours); that an export shows its contacts as they are when it is ready is our choice.
"""

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from local.sendgrid_simulator.faults import Fault, Outcome

LIFETIME_SECONDS = 72 * 3600
"""How long the files of an export can be fetched."""


class ExportStatus(StrEnum):
    """How far an export is."""

    PENDING = "pending"
    READY = "ready"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True)
class ExportFile:
    """One file of an export."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ExportFiles:
    """What an export came to."""

    files: list[ExportFile]
    contact_count: int


@dataclass(frozen=True, kw_only=True)
class ExportWish:
    """What a client asked for."""

    list_ids: tuple[str, ...] = ()
    """None means every contact of the account."""
    file_type: str = "csv"
    max_file_bytes: int = 5_000_000_000


type Render = Callable[[], ExportFiles]


@dataclass(kw_only=True, eq=False)
class Export:
    """One accepted request."""

    id: str
    wish: ExportWish
    render: Render
    created: float
    due: float
    fault: Fault | None
    signature: str
    """What the addresses of its files carry in place of a key."""
    completed: float | None = None
    result: ExportFiles | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that a fault asks for, if any."""
        return self.fault.outcome if self.fault else None

    @property
    def status(self) -> ExportStatus:
        """How far it is."""
        if self.completed is None:
            return ExportStatus.PENDING
        return ExportStatus.FAILURE if self.result is None else ExportStatus.READY

    @property
    def expires(self) -> float:
        """From when on its files are gone."""
        return self.created + LIFETIME_SECONDS

    def file(self, name: str) -> ExportFile | None:
        """Finds a file."""
        files = self.result.files if self.result else []
        return next((each for each in files if each.name == name), None)


class Exports:
    """All exports of one account; an export is written by the first `settle` after it is due."""

    def __init__(self) -> None:
        self._exports: dict[str, Export] = {}

    def submit(
        self, wish: ExportWish, render: Render, *, now: float, due: float, fault: Fault | None = None
    ) -> Export:
        """Accepts an export that is to be written when it is due."""
        export = Export(
            id=str(uuid.uuid4()),
            wish=wish,
            render=render,
            created=now,
            due=due,
            fault=fault,
            signature=secrets.token_hex(32),
        )
        self._exports[export.id] = export
        return export

    def settle(self, now: float) -> None:
        """Writes every export that is due."""
        for export in self._exports.values():
            if export.completed is not None or export.due > now or export.outcome is Outcome.PENDING_FOREVER:
                continue
            export.completed = export.due
            export.result = None if export.outcome is Outcome.FAILED else export.render()

    def get(self, export_id: str) -> Export | None:
        """Finds an export, unless it has vanished."""
        export = self._exports.get(export_id)
        return None if export is None or export.outcome is Outcome.VANISHES else export

    def list_all(self) -> Iterator[Export]:
        """Yields the exports, newest first, without those that have vanished."""
        return (each for each in reversed(self._exports.values()) if each.outcome is not Outcome.VANISHES)
