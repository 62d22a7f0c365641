"""Extracts in a Data Lake Storage Gen2: folders are there themselves, also empty ones, and are no files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import pytest

from shared.errors import RunEndError
from shared.extracts.discovery import find_extract, list_extracts
from shared.model.definitions import SourceOptions
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW: Final = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
HOME: Final = "CustomerInsights_0bfc4568/Blob/Seg"
MODEL: Final = {
    "name": "x",
    "entities": [
        {
            "name": "Seg",
            "attributes": [{"name": "EMail", "dataType": "string"}],
            "partitions": [{"location": f"https://st.blob.core.windows.net/c/{HOME}/2026/02/27/0630/Seg_1.csv"}],
        }
    ],
}
DELIVERED: Final = {
    "as the blob export does": (f"{HOME}/2026/02/26/0630/Seg_1.csv", f"{HOME}/2026/02/27/0630/Seg_1.csv"),
    "in dated folders": ("Seg/2026-02-26/part-0.csv", "Seg/2026-02-27/part-0.csv"),
    "in a folder named like a file": ("Seg_2026-02-26.csv/part-0.csv", "Seg_2026-02-27.csv/part-0.csv"),
    "by the day of a table": ("Seg/dt=2026-02-26/part-0.csv", "Seg/dt=2026-02-27/part-0.csv"),
}


def namespace(names: Iterable[str], folders: Iterable[str] = ()) -> MemoryBlobs:
    """Files and each folder above them, and folders with nothing in them."""
    blobs = MemoryBlobs(lambda: NOW)
    for name in (*names, *(f"{folder}/x" for folder in folders)):
        for folder in [*PurePosixPath(name).parents][:-1]:
            blobs.add_folder(str(folder))
    for name in names:
        blobs.upsert(name, b"EMail\nann@example.com\n")
    return blobs


def read(blobs: MemoryBlobs, source: SourceOptions | None = None) -> list[str]:
    return [file.name for file in find_extract(blobs, "Seg", source=source).files]


@pytest.mark.parametrize("names", DELIVERED.values(), ids=DELIVERED)
def test_the_newest_delivery_is_read_and_no_folder(names: tuple[str, str]) -> None:
    assert read(namespace(names)) == [names[1]]


@pytest.mark.parametrize("names", DELIVERED.values(), ids=DELIVERED)
def test_a_folder_that_was_made_for_the_next_delivery_is_passed_over(names: tuple[str, str]) -> None:
    newer = str(PurePosixPath(names[1]).parent).replace("27", "28")
    assert read(namespace(names, folders=[newer])) == [names[1]]


@pytest.mark.parametrize("names", DELIVERED.values(), ids=DELIVERED)
def test_folders_whose_files_were_forgotten_do_not_count(names: tuple[str, str]) -> None:
    blobs = namespace(names)
    blobs.delete(names[0])
    assert read(blobs) == [names[1]]


@pytest.mark.parametrize("names", DELIVERED.values(), ids=DELIVERED)
def test_when_all_was_forgotten_there_is_no_extract_and_not_an_empty_one(names: tuple[str, str]) -> None:
    blobs = namespace(names)
    for name in names:
        blobs.delete(name)
    with pytest.raises(RunEndError) as refused:
        read(blobs)
    assert refused.value.reason.code == "extract_missing"


def test_a_model_is_believed_beside_the_folders_of_its_deliveries() -> None:
    names = DELIVERED["as the blob export does"]
    blobs = namespace(names, folders=[f"{HOME}/2026/03/01/0630"])
    blobs.upsert("CustomerInsights_0bfc4568/Blob/model.json", json.dumps(MODEL).encode())
    assert read(blobs) == [names[1]]


def test_a_declared_layout_reads_files_only() -> None:
    names = ["Seg/2026-02-28.csv/a.csv", "Seg/2026-02-27.csv/a.csv"]
    blobs = namespace(names, folders=["Seg/2026-03-01.csv"])
    assert read(blobs, SourceOptions(layout="{segment}/{date:%Y-%m-%d}.csv/{part}.csv")) == [names[0]]


def test_segments_are_listed_once_each_and_folders_without_files_are_none() -> None:
    blobs = namespace(["Seg/2026-02-28/part-0.csv", "Other/2026-02-28/part-0.csv"], folders=["Empty/2026-02-28"])
    listed = {each.segment: each.extract is not None for each in list_extracts(blobs)}
    assert {name for name, found in listed.items() if found} == {"Other", "Seg"}
