from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError, TransientError
from shared.model.definitions import Connection
from shared.model.runs import RunLock
from shared.sendgrid.rate_limiter import RateLimit
from shared.storage.documents import REPLACE_TRIES, Store, serialize
from shared.storage.layout import (
    RunBlobs,
    connection_blob,
    export_blob,
    export_lock_blob,
    limiter_blob,
    number_of,
    poison_blob,
    request_blob,
    success_blob,
)
from tests.support.factories import NOW, RUN_ID, a_connection
from tests.support.memory_storage import MemoryBlobs

OTHER_RUN = "20260303T063000Z-scheduled"
BLOBS = RunBlobs(export="loyal", run=RUN_ID)


@pytest.fixture
def store() -> Store:
    return Store(MemoryBlobs(lambda: NOW))


# --- documents ----------------------------------------------------------------------------------------------


def test_what_was_created_can_be_read(store: Store) -> None:
    etag = store.create("c", a_connection())
    found = store.get("c", Connection)
    assert (found.document, found.etag) == (a_connection(), etag)


def test_a_document_is_created_once(store: Store) -> None:
    store.create("c", a_connection())
    with pytest.raises(BlobExistsError):
        store.create("c", a_connection())


def test_a_document_that_is_missing_cannot_be_read(store: Store) -> None:
    with pytest.raises(BlobMissingError):
        store.get("c", Connection)


def test_a_document_that_is_missing_is_not_found(store: Store) -> None:
    assert store.find("c", Connection) is None


def test_a_document_that_is_there_is_found(store: Store) -> None:
    store.create("c", a_connection())
    assert store.find("c", Connection) == store.get("c", Connection)


def test_of_two_who_create_the_same_the_first_counts_for_both(store: Store) -> None:
    first, second = RunLock(export="x", run=RUN_ID), RunLock(export="x", run=OTHER_RUN)
    assert store.create_or_get("t", first) == first
    assert store.create_or_get("t", second) == first
    assert store.get("t", RunLock).document == first


def test_only_the_version_that_was_read_is_replaced(store: Store) -> None:
    etag = store.create("t", RunLock(export="x", run=RUN_ID))
    store.replace("t", RunLock(export="x", run=OTHER_RUN), etag=etag)
    with pytest.raises(BlobChangedError):
        store.replace("t", RunLock(export="x", run=RUN_ID), etag=etag)


def test_an_upsert_writes_either_way(store: Store) -> None:
    store.upsert("t", RunLock(export="x", run=RUN_ID))
    store.upsert("t", RunLock(export="x", run=OTHER_RUN))
    assert store.get("t", RunLock).document.run == OTHER_RUN


def test_what_is_absent_is_not_written() -> None:
    assert b"null" not in serialize(a_connection(consent=None))


# --- updates ------------------------------------------------------------------------------------------------


def test_an_update_writes_the_change(store: Store) -> None:
    store.create("t", RunLock(export="x", run=RUN_ID))
    changed = store.update("t", RunLock, lambda _: RunLock(export="x", run=OTHER_RUN))
    assert changed == store.get("t", RunLock).document == RunLock(export="x", run=OTHER_RUN)


def test_an_update_that_changes_nothing_writes_nothing(store: Store) -> None:
    etag = store.create("t", RunLock(export="x", run=RUN_ID))
    store.update("t", RunLock, lambda document: document)
    assert store.get("t", RunLock).etag == etag


def test_an_update_of_nothing_says_so(store: Store) -> None:
    with pytest.raises(BlobMissingError):
        store.update("t", RunLock, lambda document: document)


@given(rivals=st.integers(min_value=0, max_value=REPLACE_TRIES - 1))
def test_no_update_is_lost_to_a_rival(rivals: int) -> None:
    store = Store(MemoryBlobs(lambda: NOW))
    store.create("r", RateLimit(limit=0))
    left = iter(range(rivals))

    def change(state: RateLimit) -> RateLimit:
        if next(left, None) is not None:
            store.upsert("r", RateLimit(limit=state.limit + 1))
        return RateLimit(limit=state.limit + 100)

    store.update("r", RateLimit, change)
    assert store.get("r", RateLimit).document.limit == rivals + 100


def test_an_update_gives_up_on_a_document_that_never_stands_still(store: Store) -> None:
    store.create("r", RateLimit(limit=0))

    def change(state: RateLimit) -> RateLimit:
        store.upsert("r", RateLimit(limit=state.limit + 1))
        return RateLimit(limit=-1)

    with pytest.raises(TransientError):
        store.update("r", RateLimit, change)
    assert store.get("r", RateLimit).document.limit == REPLACE_TRIES


# --- names --------------------------------------------------------------------------------------------------


def test_no_two_things_share_a_name() -> None:
    names = [
        connection_blob("loyal"),
        export_blob("loyal"),
        export_lock_blob("loyal"),
        success_blob("loyal"),
        request_blob("loyal", "ab"),
        limiter_blob("loyal", "upsert"),
        poison_blob("runs", "m1"),
        BLOBS.marker,
        BLOBS.document,
        BLOBS.plan,
        BLOBS.chunk("a1", 1),
        BLOBS.rejected("a1", 1),
        BLOBS.delivery(1),
        BLOBS.result(1),
        BLOBS.error_file(1, "job-1"),
    ]
    assert len(set(names)) == len(names)


def test_everything_of_a_run_but_its_marker_lies_in_its_folder() -> None:
    names = [
        BLOBS.document,
        BLOBS.plan,
        BLOBS.chunk("a1", 1),
        BLOBS.rejected("a1", 1),
        BLOBS.delivery(1),
        BLOBS.result(1),
        BLOBS.error_file(1, "job-1"),
    ]
    assert all(name.startswith(f"runs/loyal/{RUN_ID}/") for name in names)


@given(number=st.integers(min_value=1, max_value=99_999))
def test_the_number_of_a_chunk_is_found_in_its_names(number: int) -> None:
    assert number_of(BLOBS.delivery(number)) == number_of(BLOBS.result(number)) == number


@given(numbers=st.lists(st.integers(min_value=1, max_value=99_999)))
def test_results_are_listed_in_the_order_of_their_chunks(numbers: list[int]) -> None:
    names = sorted(BLOBS.result(number) for number in numbers)
    assert [number_of(name) for name in names] == sorted(numbers)
