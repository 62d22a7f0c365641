"""What the domain relies on, held against Azurite through the real SDKs and against the storage in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError
from shared.extracts.discovery import list_extracts
from shared.storage.azure import AzureBlobs
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from local.cloud import LocalCloud
    from shared.storage.interfaces import Blobs


@pytest.fixture(params=["memory", "azurite"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs(lambda: datetime.now(UTC))
    cloud: LocalCloud = request.getfixturevalue("cloud")
    account: str = request.getfixturevalue("account")
    return AzureBlobs(cloud.blob_service(account).get_container_client("sendgrid-exports"))


def test_a_created_blob_is_read_back_with_its_etag(blobs: Blobs) -> None:
    etag = blobs.create("a/b.json", b"one")
    found = blobs.get("a/b.json")
    assert (found.data, found.etag) == (b"one", etag)


def test_creating_twice_is_refused_and_changes_nothing(blobs: Blobs) -> None:
    blobs.create("a", b"one")
    with pytest.raises(BlobExistsError):
        blobs.create("a", b"two")
    assert blobs.get("a").data == b"one"


def test_replacing_needs_the_version_that_is_there(blobs: Blobs) -> None:
    first = blobs.create("a", b"one")
    second = blobs.replace("a", b"two", etag=first)
    with pytest.raises(BlobChangedError):
        blobs.replace("a", b"three", etag=first)
    assert (blobs.get("a").data, blobs.get("a").etag) == (b"two", second)


def test_replacing_what_is_gone_is_refused(blobs: Blobs) -> None:
    etag = blobs.create("a", b"one")
    blobs.delete("a")
    with pytest.raises(BlobChangedError):
        blobs.replace("a", b"two", etag=etag)


def test_upserting_writes_in_any_case(blobs: Blobs) -> None:
    blobs.upsert("a", b"one")
    assert blobs.upsert("a", b"two") == blobs.get("a").etag
    assert blobs.get("a").data == b"two"


def test_a_missing_blob_is_named_as_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissingError):
        blobs.get("nothing")
    with pytest.raises(BlobChangedError):
        blobs.get_range("nothing", offset=0, length=1, etag="0x1")


def test_deleting_is_done_when_it_is_gone_already(blobs: Blobs) -> None:
    blobs.upsert("a", b"one")
    blobs.delete("a")
    blobs.delete("a")
    assert list(blobs.list_blobs()) == []


def test_deleting_a_version_leaves_a_newer_one(blobs: Blobs) -> None:
    old = blobs.upsert("a", b"one")
    new = blobs.upsert("a", b"two")
    with pytest.raises(BlobChangedError):
        blobs.delete("a", etag=old)
    blobs.delete("a", etag=new)
    assert list(blobs.list_blobs()) == []


def test_listings_are_by_name_and_tell_size_and_version(blobs: Blobs) -> None:
    etag = blobs.upsert("x/2", b"22")
    blobs.upsert("x/1", b"1")
    blobs.upsert("y/1", b"1")
    items = list(blobs.list_blobs("x/"))
    assert [(item.name, item.size) for item in items] == [("x/1", 1), ("x/2", 2)]
    assert items[1].etag == etag


def test_time_is_told_by_the_clock_that_tells_when_blobs_were_changed(blobs: Blobs) -> None:
    before = blobs.now()
    blobs.upsert("a", b"one")
    (item,) = blobs.list_blobs()
    assert before <= item.modified <= blobs.now() <= before + timedelta(minutes=1)


def test_an_empty_container_tells_the_time_too(blobs: Blobs) -> None:
    assert abs(blobs.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_folders_are_those_directly_below(blobs: Blobs) -> None:
    for name in ("r/b/1/run.json", "r/a/2/run.json", "r/a/3/run.json", "r/file"):
        blobs.upsert(name, b"")
    assert blobs.list_level("r/").folders == ("r/a", "r/b")


@pytest.mark.parametrize(
    ("offset", "length", "expected"), [(0, 3, b"abc"), (4, 99, b"ef"), (6, 5, b""), (60, 5, b"")]
)
def test_a_range_is_short_only_at_the_end(blobs: Blobs, offset: int, length: int, expected: bytes) -> None:
    etag = blobs.upsert("a", b"abcdef")
    assert blobs.get_range("a", offset=offset, length=length, etag=etag) == expected


def test_a_range_of_another_version_is_refused(blobs: Blobs) -> None:
    old = blobs.upsert("a", b"abcdef")
    blobs.upsert("a", b"ghijkl")
    with pytest.raises(BlobChangedError):
        blobs.get_range("a", offset=0, length=3, etag=old)


def test_folders_are_by_name_also_where_one_begins_like_another(blobs: Blobs) -> None:
    """Storage lists them as `A-b/` and `A/`, which is another order."""
    for name in ("r/A-b/1.csv", "r/A/1.csv", "r/A.csv/1.csv", "r/A-b.csv", "r/A.csv.gz"):
        blobs.upsert(name, b"")
    level = blobs.list_level("r/")
    assert level.folders == ("r/A", "r/A-b", "r/A.csv")
    assert [item.name for item in level.blobs] == ["r/A-b.csv", "r/A.csv.gz"]


def test_a_segment_is_listed_beside_one_that_begins_like_it(blobs: Blobs) -> None:
    for segment in ("A", "A-b"):
        blobs.upsert(f"{segment}/2026-02-28/part-0.csv", b"EMail\n")
    assert [each.segment for each in list_extracts(blobs)] == ["A", "A-b"]
