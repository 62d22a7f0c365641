"""What names of files and folders say of themselves: data, its format, or something to pass over. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DATA_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
PACKED_SUFFIXES: Final = (".gz", ".zst")
_CODECS: Final = re.compile(r"\.(?:snappy|gz|gzip|zstd|zst|lz4|brotli|uncompressed)$", re.IGNORECASE)
"""What Parquet writers put in front of the suffix."""
_SPLIT: Final = re.compile(
    r"(?P<stem>.+)(?P<suffix>\.(?:csv|tsv|txt|jsonl|ndjson))(?P<part>[._-]?(?:\d{2,7}|[a-z]{2,4}))"
)
"""`split` counts behind the suffix: `Seg.csv.aa`, `Seg.csv00`."""
_UNSUFFIXED: Final = re.compile(r".*?(?:\d{4}_part_\d{2,}|\d{6}_\d+|x[a-z]{2,3})")
"""Redshift, Hive and `split` leave the suffix out."""
_UNFINISHED: Final = re.compile(
    r"\._copying_|\.(?:tmp|temp|part|partial|filepart|crdownload|inprogress|in-progress|uploading|swp|lock)$"
    r"|^~|^attempt_",
    re.IGNORECASE,
)
_DEFINITION: Final = re.compile(
    r"\.cdm\.json$|manifest|(?:^|[._-])schema\.json$|^metadata\.json$|\.(?:sql|ddl|yml|yaml|xml|xsd|avsc)$",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(
    r"^(?:read[ _-]?me|licen[cs]e|changelog|notes?)\b"
    r"|\.(?:md|crc|md5|sha\d*|asc|sig|done|ok|ready|success|log|err|pdf|docx?)$",
    re.IGNORECASE,
)
_ARCHIVE: Final = re.compile(
    r"(?:archived?|backups?|bak|old|previous|prev|history|te?mp|trash|deleted|obsolete|staging|logs?|errors?"
    r"|rejected|quarantine|copy)(?![^\W_])",
    re.IGNORECASE,
)
MODEL_NAME: Final = "model.json"


@dataclass(frozen=True, kw_only=True)
class DataName:
    """The name of a file with data."""

    stem: str
    """Without folders and suffixes; a count behind the suffix is moved to the end."""
    suffix: str
    """In small letters, such as `.csv.gz`; empty if there is none."""


def read_data_name(name: str, *, any_suffix: bool) -> DataName | None:
    """What the name of a file, without folders, says if it is one of data; with `any_suffix` any other is, too."""
    packed = next((suffix for suffix in PACKED_SUFFIXES if name.casefold().endswith(suffix)), "")
    plain = name[: len(name) - len(packed)]
    for suffix in DATA_SUFFIXES:
        if plain.casefold().endswith(suffix):
            return DataName(stem=_CODECS.sub("", plain[: -len(suffix)]), suffix=suffix + packed)
    if match := _SPLIT.fullmatch(plain):
        joint = "" if match["part"][0] in "._-" else "_"
        return DataName(stem=match["stem"] + joint + match["part"], suffix=match["suffix"].casefold() + packed)
    if any_suffix or _UNSUFFIXED.fullmatch(plain):
        return DataName(stem=plain, suffix=packed)
    return None


def why_no_data(name: str) -> str | None:
    """Why a file of that name, without folders, holds no rows of a delivery; None if it may."""
    if name.startswith((".", "_")):
        return "is hidden: it begins with a dot or an underscore"
    if _UNFINISHED.search(name):
        return "is unfinished"
    if name.casefold() == MODEL_NAME or _DEFINITION.search(name):
        return "is a definition"
    return "is a note" if _NOTE.search(name) else None


def why_no_delivery(folder: str) -> str | None:
    """Why a folder of that name holds no delivery; None if it may."""
    if folder.startswith((".", "_")):
        return "is hidden: it begins with a dot or an underscore"
    if _UNFINISHED.search(folder):
        return "is unfinished"
    return "is an archive, or put aside" if _ARCHIVE.match(folder) else None
