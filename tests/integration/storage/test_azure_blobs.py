"""What Azure's listings and labels say of blobs, against Azurite through the real SDK."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import ContentSettings

from shared.storage.azure import AzureBlobs

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from local.cloud import LocalCloud

BLOCK = 4 << 20


@pytest.fixture
def container(cloud: LocalCloud, account: str) -> ContainerClient:
    return cloud.blob_service(account).get_container_client("sendgrid-exports")


@pytest.mark.parametrize(
    "stored",
    [
        gzip.compress(b"EMail\nann@example.com\n"),
        gzip.compress(os.urandom(BLOCK + 100)),
        b"EMail\nann@example.com\n",
    ],
    ids=["small", "of several ranges", "plain text"],
)
def test_a_blob_labelled_gzip_is_given_as_it_is_stored(container: ContainerClient, stored: bytes) -> None:
    container.upload_blob("a.csv.gz", stored, content_settings=ContentSettings(content_encoding="gzip"))
    blobs = AzureBlobs(container)
    (item,) = blobs.list_blobs("a")
    given = b"".join(
        blobs.get_range("a.csv.gz", offset=offset, length=BLOCK, etag=item.etag)
        for offset in range(0, item.size, BLOCK)
    )
    assert given == stored


def test_a_blob_that_stands_for_a_folder_is_told_apart(container: ContainerClient) -> None:
    container.upload_blob("Seg.csv", b"", metadata={"hdi_isfolder": "true"})
    container.upload_blob("Seg.csv/part-0.csv", b"EMail\n")
    container.upload_blob("Segments.csv", b"EMail\n")
    blobs = AzureBlobs(container)
    assert [item.is_folder for item in blobs.list_blobs("Seg")] == [True, False, False]
    level = blobs.list_level("Seg")
    assert (level.folders, [item.name for item in level.blobs]) == (("Seg.csv",), ["Segments.csv"])


def test_an_empty_folder_is_a_folder_all_the_same(container: ContainerClient) -> None:
    container.upload_blob("Seg/2026-02-28", b"", metadata={"hdi_isfolder": "true"})
    container.upload_blob("Seg/2026-02-27/part-0.csv", b"EMail\n")
    level = AzureBlobs(container).list_level("Seg/")
    assert (level.folders, level.blobs) == (("Seg/2026-02-27", "Seg/2026-02-28"), ())
