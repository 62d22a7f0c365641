"""`model.json`: the Common Data Model's list of tables, their columns and files. Pure but for the reading.

https://learn.microsoft.com/common-data-model/model-json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import RunEndError
from shared.model.definitions import SourceOptions
from shared.model.reasons import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.storage.interfaces import Blobs

MODEL_NAME: Final = "model.json"
MODEL_PREFIXES: Final = ("MODEL", "Model", "model")
"""Writers disagree about the case of the name; https://github.com/microsoft/CDM/issues/33."""

DELIMITERS: Final[dict[str, Literal["comma", "semicolon", "tab", "pipe"]]] = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
}
ENCODINGS: Final[dict[str, Literal["utf-8", "utf-16", "windows-1252"]]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "unicode": "utf-16",
    "windows-1252": "windows-1252",
    "1252": "windows-1252",
}


class _Part(BaseModel):
    """Whatever else stands in a model.json is of no interest here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Format(_Part):
    column_headers: Annotated[bool, Field(alias="columnHeaders")] = False
    delimiter: str = ","
    encoding: str = "UTF-8"
    quote_style: Annotated[str, Field(alias="quoteStyle")] = "QuoteStyle.Csv"

    def options(self, columns: tuple[str, ...]) -> SourceOptions:
        """Say the same in our words. `columnHeaders: false` may be a mere default, so it is verified."""
        return SourceOptions(
            header="present" if self.column_headers else "auto",
            delimiter=DELIMITERS.get(self.delimiter, "auto"),
            encoding=ENCODINGS.get(self.encoding.lower(), "auto"),
            quoting="none" if self.quote_style.endswith("None") else "auto",
            columns=columns,
        )


class _Attribute(_Part):
    name: str


class _Partition(_Part):
    location: str = ""
    format: Annotated[_Format, Field(alias="fileFormatSettings")] = _Format()


class _Entity(_Part):
    name: str
    attributes: tuple[_Attribute, ...] = ()
    partitions: tuple[_Partition, ...] = ()


class _Model(_Part):
    entities: tuple[_Entity, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A partition of a table."""

    candidates: tuple[str, ...]
    """Names the blob may have, likeliest first: the URI does not say where the container's name ends."""
    source: SourceOptions


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """A table of the model."""

    source: SourceOptions
    """Its columns, and the format of its first file."""
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A `model.json` and the folder it lies in."""

    folder: str
    tables: dict[str, ModelTable]

    def table(self, name: str, *, alone: bool) -> ModelTable | None:
        """The table of that name, in any case; with `alone` the only table whatever it is called."""
        for table_name, table in self.tables.items():
            if table_name.casefold() == name.casefold():
                return table
        return next(iter(self.tables.values())) if alone and len(self.tables) == 1 else None


def list_models(blobs: Blobs, folder: str) -> Iterator[Model]:
    """The models lying directly in `folder`. Raises RunEndError for one that cannot be read."""
    for prefix in MODEL_PREFIXES:
        for item in blobs.list_blobs(folder + prefix):
            if item.name[len(folder) :].casefold() == MODEL_NAME:
                yield parse_model(blobs.get(item.name).data, item.name)


def parse_model(data: bytes, name: str) -> Model:
    """Read a `model.json` that lies at `name`. Raises RunEndError."""
    folder = name.rpartition("/")[0]
    try:
        model = _Model.model_validate(json.loads(data.decode("utf-8-sig")))
    except (ValueError, ValidationError):
        raise RunEndError(
            ReasonCode.EXTRACT_UNREADABLE, f"{name} is not a model.json of the Common Data Model."
        ) from None
    return Model(folder=folder, tables={entity.name: _table(entity, folder) for entity in model.entities})


def _table(entity: _Entity, folder: str) -> ModelTable:
    columns = tuple(attribute.name for attribute in entity.attributes)
    files = tuple(
        ModelFile(candidates=_candidates(partition.location, folder), source=partition.format.options(columns))
        for partition in entity.partitions
    )
    return ModelTable(source=files[0].source if files else _Format().options(columns), files=files)


def _candidates(location: str, folder: str) -> tuple[str, ...]:
    """Blob names that a partition's location may mean.

    Usually `https://{account}.blob.core.windows.net/{container}/{name}`; emulators put the account into the
    path, and some writers give a path relative to the model.
    """
    uri = urlsplit(location)
    path = unquote(uri.path).lstrip("/")
    if not uri.scheme:
        return (f"{folder}/{path}" if folder else path, path)
    parts = path.split("/")
    return tuple("/".join(parts[skipped:]) for skipped in (1, 2, 0) if len(parts) > skipped)
