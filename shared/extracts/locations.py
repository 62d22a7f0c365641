"""Where a model.json says that a file lies, read as the name of a blob. Pure.

https://learn.microsoft.com/common-data-model/model-json has whole addresses; writers also give paths relative to
the model. Nothing is ever fetched from an address: the blob of that name in the extracts' own container is read.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

WEB: Final = frozenset({"http", "https"})
HADOOP: Final = frozenset({"abfs", "abfss", "wasb", "wasbs"})
"""Hadoop's drivers have the container in front of the account."""
LOCATION_MAX: Final = 4_096
"""Longest location, in characters; names of blobs have 1,024 at most, of which each may be escaped."""
ODD: Final = re.compile(r"[\x00-\x1f\x7f\\]")
"""What no name of a file has that a source writes: some of it is dropped or changed on the way to storage."""


class LocationError(Exception):
    """A location is none; the message goes on after "a location that"."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """A file of a table."""

    name: str
    """Of the blob."""
    place: str | None
    """Account and container, as `account/container` in small letters; None for a relative path."""


def read_location(location: str, folder: str) -> Location:
    """The blob that a partition's location means.

    Usually that is `https://{account}.blob.core.windows.net/{container}/{name}`. Hadoop's drivers have the
    container in front of the account, emulators have the account in the path, and some writers give a path
    relative to the model's folder. Dots that lead upwards are followed, for storage does so, too.

    Raises LocationError.
    """
    if len(location) > LOCATION_MAX or ODD.search(unquote(location)):
        raise LocationError("is too long, or has characters that stand in no name")
    try:
        uri = urlsplit(location)
        host = uri.hostname or ""
    except ValueError:
        raise LocationError("is no address") from None
    path = unquote(uri.path).lstrip("/")
    if not uri.scheme and not uri.netloc:
        is_whole = not folder or path.startswith(folder + "/")
        return Location(name=_resolved(path if is_whole else f"{folder}/{path}"), place=None)
    return _of_address(uri, host, path)


def _of_address(uri: SplitResult, host: str, path: str) -> Location:
    account = host.partition(".")[0]
    if uri.scheme in HADOOP:
        container, _, _ = uri.netloc.rpartition("@")
        return Location(name=_resolved(path), place=f"{account}/{container}".lower())
    if uri.scheme not in WEB or "@" in uri.netloc:
        raise LocationError("is no address in Azure Storage")
    if _is_emulator(host):
        account, _, path = path.partition("/")
    container, _, name = path.partition("/")
    return Location(name=_resolved(name), place=f"{account}/{container}".lower())


def _resolved(path: str) -> str:
    """The path without dots as its steps. Raises LocationError when it leads out of the container, or nowhere."""
    if {".", ".."} & set(path.split("/")):
        path = posixpath.normpath(path)
    if not path or path == "." or path.split("/")[0] == "..":
        raise LocationError("names no file of the container")
    return path


def _is_emulator(host: str) -> bool:
    """Whether the account stands in the path."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return True
