"""What must become of a CSV file's rows, found without the product's code."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from local.extracts.expectation import Expectation, UnsuitableFileError

EMAIL_MAX: Final = 254
LOCAL_PART_MAX: Final = 64
ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
EMAIL: Final = re.compile(rf"{ATOM}(\.{ATOM})*@({LABEL}\.)+(?![0-9]){LABEL}")


def expect_file(path: Path, email_column: str) -> tuple[Expectation, set[str]]:
    """Read a CSV file with a header; what is in it, and the addresses that must get onto the list.

    Raises:
        UnsuitableFileError: It is no UTF-8 text with a header that has the column.
    """
    addresses: set[str] = set()
    counts: Counter[str] = Counter()
    for email in _emails(path, email_column):
        counts["rows"] += 1
        if not is_valid(email):
            counts["rejected"] += 1
        elif email in addresses:
            counts["duplicates"] += 1
        else:
            addresses.add(email)
    found = Expectation(
        rows=counts["rows"],
        contacts=len(addresses),
        duplicates=counts["duplicates"],
        rejected=counts["rejected"],
    )
    return found, addresses


def is_valid(email: str) -> bool:
    """Say whether a trimmed, lower-case text is an e-mail address; a simple rule that suits common files."""
    local_part = email.partition("@")[0]
    return len(email) <= EMAIL_MAX and len(local_part) <= LOCAL_PART_MAX and EMAIL.fullmatch(email) is not None


def _emails(path: Path, column: str) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if column not in (rows.fieldnames or ()):
                names = ", ".join(rows.fieldnames or ())
                raise UnsuitableFileError(f"{path} has no column {column!r}; it has: {names}")
            yield from _trimmed(rows, column)
    except OSError as error:
        raise UnsuitableFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnsuitableFileError(f"{path} is not UTF-8 text") from error
    except csv.Error as error:
        raise UnsuitableFileError(f"{path} is not CSV: {error}") from error


def _trimmed(rows: Iterable[Mapping[str | None, object]], column: str) -> Iterator[str]:
    """The addresses; none for a row with too few or too many values, which cannot be trusted."""
    for row in rows:
        is_whole = None not in row and None not in row.values()
        yield _with_ascii_domain(str(row[column]).strip().lower()) if is_whole else ""


def _with_ascii_domain(email: str) -> str:
    local_part, at, domain = email.rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{local_part}{at}{domain}"
