"""The planner's database: in memory, spilling to a bounded folder, and discreet about what it reads."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import duckdb

from shared.errors import RunEndError
from shared.extracts.streams import unreadable
from shared.limits import PLANNER_DISK, PLANNER_MEMORY
from shared.model.reason_codes import ReasonCode
from shared.planning.duckdb_files import PROTOCOL, PlanFiles
from shared.planning.value_rules import MACROS, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.extracts.extract import ExtractFile

MISTAKES: Final = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
"""Errors of ours; their text is that of a query."""
SHUT_IN: Final = f"""
SET enable_progress_bar = false;
SET python_enable_replacements = false;  -- a table that is missing is not looked for among our variables
SET autoload_known_extensions = false;
SET allow_community_extensions = false;
SET allow_persistent_secrets = false;
SET allowed_directories = ['{PROTOCOL}://'];
SET enable_external_access = false;
SET lock_configuration = true;
"""
"""The engine sees the files of its plan, and its own in the folder it spills to; nothing opens it again.

https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""


class QueryError(Exception):
    """A query failed. What it says is kept to itself, for it may hold people's data."""

    def __init__(self, error: duckdb.Error) -> None:
        super().__init__(type(error).__name__)
        self.is_about_input = isinstance(error, duckdb.InvalidInputException)
        self.is_about_memory = isinstance(error, duckdb.OutOfMemoryException)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A connection, and the files it sees.

    Queries raise QueryError, or what a file of ours raised while it was read or written.
    """

    connection: duckdb.DuckDBPyConnection
    files: PlanFiles = field(default_factory=PlanFiles)

    def execute(self, query: str, parameters: object = None) -> None:
        """Run statements."""
        self.rows(query, parameters)

    def rows(self, query: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """What a query gives."""
        try:
            return self.connection.execute(query, parameters).fetchall()
        except MISTAKES:
            raise
        except duckdb.Error as error:
            failure = self.files.take_failure() or QueryError(error)
        raise failure  # here, and not where it would have the engine's error as its context

    def number(self, query: str) -> int:
        """The number that a query gives; of a table's making or change, how many rows."""
        return int(self.rows(query)[0][0])

    def copy(self, query: str, take: Callable[[bytes], object], options: str) -> None:
        """Write what a query gives as CSV, in buffers that begin and end anywhere."""
        name = self.files.add_sink(take)
        self.execute(f"COPY ({query}) TO '{PROTOCOL}://{name}' (FORMAT csv, USE_TMP_FILE false, {options})")

    @contextlib.contextmanager
    def beside(self) -> Iterator[Engine]:
        """The same engine for queries during which others run; temporary tables are each one's own."""
        with contextlib.closing(self.connection.cursor()) as connection:
            yield Engine(connection=connection, files=self.files)

    @contextlib.contextmanager
    def reading(self, file: ExtractFile) -> Iterator[None]:
        """Turn an error of the engine into one about the file."""
        try:
            yield
        except QueryError as error:
            if not error.is_about_memory:
                raise unreadable(file, f"is damaged ({error})") from None
            message = (
                f"Planning ran out of memory and temporary disk at {file.name}; deliver the extract in parts."
            )
            raise RunEndError(ReasonCode.EXTRACT_TOO_LARGE, message) from None


@contextlib.contextmanager
def open_engine(*, memory: str = PLANNER_MEMORY, disk: str = PLANNER_DISK) -> Iterator[Engine]:
    """A new database, shut in. A query runs on the thread that asks for it, so rows keep their order."""
    with tempfile.TemporaryDirectory(prefix="plan-") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "threads": 1,
            "async_threads": 0,  # otherwise what is written piles up in memory while a sink takes its time
            "disable_parquet_prefetching": True,  # it would hold whole row groups, for a while several times
            "preserve_insertion_order": False,  # one thread keeps it anyway, and need not buffer for it
        }
        with contextlib.closing(duckdb.connect(":memory:", config=settings)) as connection:
            engine = Engine(connection=connection)
            connection.register_filesystem(engine.files)
            # at the opening it is taken and not heeded
            connection.execute(f"SET max_temp_directory_size = {quoted(disk)}")
            connection.execute(MACROS + _key_macro() + SHUT_IN)
            yield engine


def _key_macro() -> str:
    """`key_of`, by which addresses are told apart; each engine has keys of its own, so nobody can aim at one."""
    return f"CREATE MACRO key_of(address) AS fingerprint('{secrets.token_hex(4)}' || address);"
