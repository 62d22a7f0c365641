"""`model.json`: the Common Data Model's list of tables, their columns and files. Pure but for the reading.

https://learn.microsoft.com/common-data-model/model-json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import RunEndError
from shared.extracts.listed_blobs import ListedBlobs
from shared.extracts.locations import Location, LocationError, read_location
from shared.extracts.names import MODEL_NAME
from shared.limits import DECLARED_COLUMNS_MAX, MODEL_BYTES_MAX, MODEL_FILES_MAX, MODEL_TABLES_MAX
from shared.model.definitions import Column, SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from shared.storage.interfaces import BlobItem, ReadableBlobs

MODEL_PREFIXES: Final = ("MODEL", "Model", "model")
"""Writers disagree about the case of the name; https://github.com/microsoft/CDM/issues/33."""

DELIMITERS: Final[dict[str, Literal["comma", "semicolon", "tab", "pipe"]]] = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
}
ENCODINGS: Final = {"unicode": "utf-16", "ansi": "cp1252", "1252": "cp1252"}
"""What writers call encodings, where Python has another name."""


NAME_MAX: Final = 127
"""Longest name of a segment."""


class _Member(BaseModel):
    """Whatever else stands in a model.json is of no interest here; null means the default."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, content: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(content, dict):
            return {name: value for name, value in content.items() if value is not None}
        return content


class _Format(_Member):
    column_headers: Annotated[bool, Field(alias="columnHeaders")] = False
    delimiter: str = ","
    encoding: str = "UTF-8"
    quote_style: Annotated[str, Field(alias="quoteStyle")] = "QuoteStyle.Csv"

    def options(self, columns: tuple[str, ...]) -> SourceOptions:
        """Say the same in our words. `columnHeaders: false` may be a mere default, so it is verified."""
        return SourceOptions(
            header="present" if self.column_headers else "auto",
            delimiter=DELIMITERS.get(self.delimiter, "auto"),
            encoding=_known_encoding(self.encoding),
            quoting="none" if self.quote_style.endswith("None") else "auto",
            columns=columns,
        )


def _known_encoding(name: str) -> str:
    """Python's name for what a model says; `auto` if it has none."""
    named = ENCODINGS.get(name.casefold(), name)
    try:
        return SourceOptions(encoding=named).encoding
    except ValidationError:
        return "auto"


class _Attribute(_Member):
    name: Column


class _Partition(_Member):
    location: str = ""
    refreshed: Annotated[AwareDatetime | None, Field(alias="refreshTime")] = None
    format: Annotated[_Format, Field(alias="fileFormatSettings")] = _Format()


class _Entity(_Member):
    name: str
    attributes: tuple[_Attribute, ...] = ()
    partitions: tuple[_Partition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A partition of a table."""

    name: str
    """Of the blob."""
    refreshed: datetime | None
    """When it was last written, by the model; None if that is not told."""
    source: SourceOptions
    place: str | None = None
    """Account and container by the model, as `account/container`; None if it does not say."""


class ModelUnreadableError(RunEndError):
    """A whole model.json cannot be read, so nobody knows which tables it lists."""


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """A table of a model."""

    model: str
    """Name of the model's blob."""
    name: str
    source: SourceOptions
    """Its columns, and the format of its first file."""
    files: tuple[ModelFile, ...]


def list_models(blobs: ReadableBlobs, folder: str) -> list[BlobItem]:
    """The models that lie directly in `folder`."""
    return [
        item
        for prefix in MODEL_PREFIXES
        for item in blobs.list_level(folder + prefix).blobs
        if item.name[len(folder) :].casefold() == MODEL_NAME
    ]


def list_tables(blobs: ReadableBlobs, model: BlobItem) -> list[str]:
    """Names of a model's tables, as far as they may name segments. Raises ModelUnreadableError."""
    names = [entity.get("name") for entity in _entities(blobs, model)]
    return [name for name in names if isinstance(name, str) and len(name) <= NAME_MAX and name.isprintable()]


def read_table(
    blobs: ReadableBlobs, model: BlobItem, name: str, *, alone: bool, wall: str = ""
) -> ModelTable | None:
    """The table of that name, if need be in another case; with `alone` the only table whatever it is called.

    Its files must lie below `wall`.

    Raises ModelUnreadableError, and RunEndError for a table that cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    count = 0
    for entity in _entities(blobs, model):
        count += 1
        called = str(entity.get("name"))
        if called.casefold() == name.casefold() or (alone and count == 1):
            found[called] = entity
    named = [called for called in found if called.casefold() == name.casefold()]
    if name in found:
        return _table(found[name], model, wall)
    if len(named) > 1:
        raise _unreadable(model, f"has the tables {' and '.join(sorted(named))}, neither of them called {name}")
    if named:
        return _table(found[named[0]], model, wall)
    return _table(next(iter(found.values())), model, wall) if alone and count == 1 else None


def _entities(blobs: ReadableBlobs, model: BlobItem) -> list[dict[str, Any]]:
    """The tables of a model. Raises ModelUnreadableError."""
    if not isinstance(blobs, ListedBlobs):
        return _read_entities(blobs, model)
    known = blobs.keep(model, partial(_entities_or_reason, blobs, model))
    if isinstance(known, Reason):
        raise ModelUnreadableError(known.code, known.message)
    return known


def _entities_or_reason(blobs: ReadableBlobs, model: BlobItem) -> list[dict[str, Any]] | Reason:
    try:
        return _read_entities(blobs, model)
    except ModelUnreadableError as error:
        return error.reason


def _read_entities(blobs: ReadableBlobs, model: BlobItem) -> list[dict[str, Any]]:
    if model.size > MODEL_BYTES_MAX:
        raise _too_large(model, f"has {model.size:,} bytes, more than the {MODEL_BYTES_MAX:,} that are read")
    try:
        document = json.loads(blobs.get(model.name).data)
    except (ValueError, RecursionError):
        raise _no_model(model, "is no JSON") from None
    entities = document.get("entities", []) if isinstance(document, dict) else None
    if not isinstance(entities, list):
        raise _no_model(model, "has no list of entities")
    if len(entities) > MODEL_TABLES_MAX:
        raise _too_large(model, f"lists more than {MODEL_TABLES_MAX:,} tables")
    return [entity for entity in entities if isinstance(entity, dict)]


def _no_model(model: BlobItem, why: str) -> ModelUnreadableError:
    error = _unreadable(model, why)
    return ModelUnreadableError(error.reason.code, error.reason.message)


def _too_large(model: BlobItem, why: str) -> ModelUnreadableError:
    return ModelUnreadableError(ReasonCode.MODEL_TOO_LARGE, f"{model.name} {why}.")


def _table(entity: dict[str, Any], model: BlobItem, wall: str) -> ModelTable:
    for member, most in {"partitions": MODEL_FILES_MAX, "attributes": DECLARED_COLUMNS_MAX}.items():
        listed = entity.get(member)
        if isinstance(listed, list) and len(listed) > most:
            message = f"{model.name} lists a table with more than {most:,} {member}."
            raise RunEndError(ReasonCode.MODEL_TOO_LARGE, message)
    try:
        json.dumps(entity, ensure_ascii=False).encode()  # half a character may be escaped, and stands in no name
        checked = _Entity.model_validate(entity)
    except (ValidationError, UnicodeEncodeError, RecursionError):
        raise _unreadable(model, "has a table that is not as it should be") from None
    columns = tuple(attribute.name for attribute in checked.attributes)
    files = tuple(_file(partition, columns, model, wall) for partition in checked.partitions)
    source = files[0].source if files else _Format().options(columns)
    return ModelTable(model=model.name, name=checked.name, source=source, files=files)


def _file(partition: _Partition, columns: tuple[str, ...], model: BlobItem, wall: str) -> ModelFile:
    try:
        location = read_location(partition.location, model.name.rpartition("/")[0])
    except LocationError as error:
        raise _unreadable(model, f"has a location that {error}") from None
    _require_inside(location, model, wall)
    return ModelFile(
        name=location.name,
        refreshed=partition.refreshed,
        source=partition.format.options(columns),
        place=location.place,
    )


def _require_inside(location: Location, model: BlobItem, wall: str) -> None:
    if not location.name.startswith(wall):
        message = (
            f"{model.name} lists a file that does not lie below {wall}, the EXTRACT_PREFIX beyond which nothing "
            "is read. Have the source write its locations below it, or set EXTRACT_PREFIX to a folder that holds "
            "model and files."
        )
        raise RunEndError(ReasonCode.EXTRACT_OUTSIDE_PREFIX, message)


def _unreadable(model: BlobItem, why: str) -> RunEndError:
    return RunEndError(
        ReasonCode.EXTRACT_UNREADABLE, f"{model.name} is not a model.json of the Common Data Model: it {why}."
    )
