"""`model.json`: the Common Data Model's list of tables, their columns and files. Pure but for the reading.

https://learn.microsoft.com/common-data-model/model-json
"""

from __future__ import annotations

import codecs
import io
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import unquote, urlsplit

import ijson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import RunEndError
from shared.extracts.names import MODEL_NAME
from shared.limits import MODEL_BYTES_MAX
from shared.model.definitions import SourceOptions
from shared.model.reasons import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    name: str


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
        for item in blobs.list_blobs(folder + prefix)
        if item.name[len(folder) :].casefold() == MODEL_NAME
    ]


def list_tables(blobs: ReadableBlobs, model: BlobItem) -> list[str]:
    """Names of a model's tables. Raises RunEndError for a model that cannot be read."""
    return [name for entity in _entities(blobs, model) if isinstance(name := entity.get("name"), str)]


def read_table(blobs: ReadableBlobs, model: BlobItem, name: str, *, alone: bool) -> ModelTable | None:
    """The table of that name, if need be in another case; with `alone` the only table whatever it is called.

    Only the table itself is kept of the model. Raises RunEndError for a model that cannot be read.
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
        return _table(found[name], model)
    if len(named) > 1:
        raise _unreadable(model, f"has the tables {' and '.join(sorted(named))}, neither of them called {name}")
    if named:
        return _table(found[named[0]], model)
    return _table(next(iter(found.values())), model) if alone and count == 1 else None


def _entities(blobs: ReadableBlobs, model: BlobItem) -> Iterator[dict[str, Any]]:
    """The tables of a model, one after the other."""
    if model.size > MODEL_BYTES_MAX:
        message = f"{model.name} has {model.size:,} bytes, more than the {MODEL_BYTES_MAX:,} that are read."
        raise RunEndError(ReasonCode.MODEL_TOO_LARGE, message)
    text = blobs.get(model.name).data.removeprefix(codecs.BOM_UTF8)
    try:
        for entity in ijson.items(io.BytesIO(text), "entities.item"):
            if isinstance(entity, dict):
                yield entity
    except (ijson.JSONError, UnicodeDecodeError):
        raise _unreadable(model, "is no JSON") from None


def _table(entity: dict[str, Any], model: BlobItem) -> ModelTable:
    try:
        checked = _Entity.model_validate(entity)
    except ValidationError:
        raise _unreadable(model, "has a table that is not as it should be") from None
    columns = tuple(attribute.name for attribute in checked.attributes)
    folder = model.name.rpartition("/")[0]
    files = tuple(
        ModelFile(
            name=blob_name(partition.location, folder),
            refreshed=partition.refreshed,
            source=partition.format.options(columns),
        )
        for partition in checked.partitions
    )
    source = files[0].source if files else _Format().options(columns)
    return ModelTable(model=model.name, name=checked.name, source=source, files=files)


def blob_name(location: str, folder: str) -> str:
    """The blob that a partition's location means.

    Usually that is `https://{account}.blob.core.windows.net/{container}/{name}`. Hadoop's drivers have the
    container in front of the account, emulators have the account in the path, and some writers give a path
    relative to the model's folder.
    """
    uri = urlsplit(location)
    path = unquote(uri.path).lstrip("/")
    if not uri.scheme:
        return path if not folder or path.startswith(folder + "/") else f"{folder}/{path}"
    if "@" in uri.netloc:
        return path
    return path.split("/", 2 if _is_emulator(uri.hostname or "") else 1)[-1]


def _is_emulator(host: str) -> bool:
    """Whether the account stands in the path."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return True


def _unreadable(model: BlobItem, why: str) -> RunEndError:
    return RunEndError(
        ReasonCode.EXTRACT_UNREADABLE, f"{model.name} is not a model.json of the Common Data Model: it {why}."
    )
