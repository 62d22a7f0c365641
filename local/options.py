"""What demo and `make serve` are asked to do: by environment variables, as `make demo NAME=value` passes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from shared.model.definitions import SourceOptions

DEFAULT_ROWS: Final = 10_000

FIELDS: Final = {
    "EMAIL": "email",
    "FIRST_NAME": "first_name",
    "LAST_NAME": "last_name",
    "COUNTRY": "country",
    "STATE": "state_province_region",
    "CITY": "city",
    "POSTAL_CODE": "postal_code",
}
"""Variable that names a column → SendGrid field that the column feeds."""


SOURCE: Final = TypeAdapter(SourceOptions)


NOTHING_DECLARED: Final = SourceOptions()


class OptionError(Exception):
    """An option that makes no sense; the message says what to give instead."""


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A file of the user's own: CSV, JSON lines or Parquet."""

    path: Path
    mapping: dict[str, str]
    """SendGrid field → column."""
    source: SourceOptions = NOTHING_DECLARED
    """How it is written, where it does not tell itself."""


@dataclass(frozen=True, kw_only=True)
class MadeUpPeople:
    """That many rows, made here."""

    rows: int = DEFAULT_ROWS


def read_options(environment: Mapping[str, str]) -> OwnFile | MadeUpPeople:
    """Read ROWS, or EXTRACT and the variables of `FIELDS`; empty ones count as not given.

    Without EXTRACT the variables of `FIELDS` mean nothing: shells set EMAIL for purposes of their own.
    """
    if not (extract := environment.get("EXTRACT", "")):
        return MadeUpPeople(rows=_rows(environment.get("ROWS") or str(DEFAULT_ROWS)))
    mapping = {field: column for name, field in FIELDS.items() if (column := environment.get(name))}
    if "email" not in mapping:
        raise OptionError("EXTRACT needs EMAIL=…, the name of the column with the e-mail address.")
    path = Path(extract).expanduser()
    if not path.is_file():
        raise OptionError(f"EXTRACT={extract} is no file.")
    return OwnFile(path=path, mapping=mapping, source=read_json(environment, "SOURCE", SOURCE) or NOTHING_DECLARED)


def runs_on_schedule(environment: Mapping[str, str]) -> bool:
    """Whether the second run, which waits for the timer, is wanted: SCHEDULED=0 leaves it out."""
    return environment.get("SCHEDULED", "1") not in {"0", "no", "false"}


def read_authentication(environment: Mapping[str, str]) -> Literal["keys", "entra"]:
    """How callers say who they are: AUTHENTICATION, as the app's own setting is; by keys unless told.

    Raises OptionError.
    """
    match environment.get("AUTHENTICATION") or "keys":
        case "keys":
            return "keys"
        case "entra":
            return "entra"
        case other:
            raise OptionError(f"AUTHENTICATION={other} is neither keys nor entra.")


def read_json[T](environment: Mapping[str, str], name: str, kind: TypeAdapter[T]) -> T | None:
    """What stands in the file that a variable names; None without one. A misspelt member is told.

    Raises OptionError.
    """
    path = environment.get(name)
    if not path:
        return None
    try:
        return kind.validate_json(Path(path).read_bytes(), extra="forbid")
    except OSError:
        raise OptionError(f"{name}={path} cannot be read.") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise OptionError(f"{name}={path} is not as it should be: {problems}.") from None


def _rows(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    rows = int(digits) if digits.isascii() and digits.isdigit() else 0
    if not rows:
        raise OptionError(f"ROWS={text} is no number of rows; try ROWS={DEFAULT_ROWS}.")
    return rows
