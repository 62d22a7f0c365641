"""Delivers extracts to blob storage exactly as Customer Insights' blob export does.

Where the files lie: https://learn.microsoft.com/dynamics365/customer-insights/data/export-azure-blob-storage
What stands in model.json: https://learn.microsoft.com/common-data-model/model-json
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Final

from azure.storage.blob import ContainerClient

ROWS_PER_BLOCK: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class ExportDestination:
    """An export of one Customer Insights instance: the folder that its tables are delivered to."""

    instance_id: str
    name: str

    @property
    def folder(self) -> str:
        """Where model.json and the tables' folders lie, without a slash at the end."""
        return f"CustomerInsights_{self.instance_id}/{self.name}"

    def file(self, table: str, partition: int, *, delivered_at: datetime) -> str:
        """Name the blob of one partition, which are counted from 1."""
        return f"{self.folder}/{table}/{delivered_at:%Y/%m/%d/%H%M}/{table}_{partition}.csv"


def put_table(
    container: ContainerClient,
    destination: ExportDestination,
    *,
    table: str,
    attributes: Mapping[str, str],
    partitions: Sequence[Iterable[Sequence[str]]],
    delivered_at: datetime,
) -> list[str]:
    """Upload a table in partitions, then the model.json that names them; the partitions' blob names.

    Rows are streamed; no more than a few blocks are in memory at a time.

    Args:
        container: The container of the export.
        destination: The folder of the export.
        table: Name of the table, which for a segment is the segment's.
        attributes: Column name → CDM data type, in the order of the rows' values.
        partitions: The rows of each file.
        delivered_at: The time in the folder's name; a delivery replaces another one of the same minute.
    """
    files = [
        destination.file(table, number, delivered_at=delivered_at) for number in range(1, len(partitions) + 1)
    ]
    for file, rows in zip(files, partitions, strict=True):
        container.upload_blob(file, csv_blocks(rows), overwrite=True)
    locations = {Path(file).stem: container.get_blob_client(file).url for file in files}
    entity = _entity(table, attributes, locations, delivered_at)
    _put_model(container, destination, entity, delivered_at)
    return files


def put_file(
    container: ContainerClient,
    destination: ExportDestination,
    *,
    table: str,
    source: Path,
    delivered_at: datetime,
) -> str:
    """Upload somebody's own CSV file as it is, as the only partition of a table; the blob's name.

    There is no model.json, since nothing is known of the file but what stands in it: its header names the
    columns.
    """
    file = destination.file(table, 1, delivered_at=delivered_at)
    with source.open("rb") as data:
        container.upload_blob(file, data, overwrite=True)
    return file


def csv_blocks(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Write rows as CSV without a header, every value quoted, in UTF-8; a block at a time."""
    for batch in batched(rows, ROWS_PER_BLOCK, strict=False):
        block = io.StringIO()
        csv.writer(block, quoting=csv.QUOTE_ALL).writerows(batch)
        yield block.getvalue().encode()


def _put_model(
    container: ContainerClient,
    destination: ExportDestination,
    entity: Mapping[str, object],
    delivered_at: datetime,
) -> None:
    model = {
        "name": destination.name,
        "version": "1.0",
        "culture": "en-US",
        "modifiedTime": delivered_at.isoformat(),
        "entities": [entity],
    }
    container.upload_blob(f"{destination.folder}/model.json", json.dumps(model, indent=2), overwrite=True)


def _entity(
    table: str, attributes: Mapping[str, str], locations: Mapping[str, str], delivered_at: datetime
) -> dict[str, object]:
    return {
        "$type": "LocalEntity",
        "name": table,
        "attributes": [{"name": name, "dataType": data_type} for name, data_type in attributes.items()],
        "partitions": [
            {
                "name": name,
                "refreshTime": delivered_at.isoformat(),
                "location": location,
                "fileFormatSettings": CSV_FORMAT,
            }
            for name, location in locations.items()
        ],
    }


CSV_FORMAT: Final = {
    "$type": "CsvFormatSettings",
    "columnHeaders": False,
    "delimiter": ",",
    "quoteStyle": "QuoteStyle.Csv",
    "csvStyle": "CsvStyle.QuoteAlways",
    "encoding": "UTF-8",
}
