import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import ContainerClient

from local.extracts.customer_insights import ExportDestination, csv_blocks, put_file, put_table
from local.extracts.people import COLUMNS, People

FOLDER = "CustomerInsights_abcd1234-4312-11f4-93dc-24f72f43e7d5/BlobExport"
URL = "https://stlocal.blob.core.windows.net/customerinsights"
DELIVERED = datetime(2026, 8, 4, 14, 3, 59, tzinfo=UTC)


type Blobs = dict[str, bytes]


def deliver(container: ContainerClient, *, delivered_at: datetime = DELIVERED) -> list[str]:
    people = People(rows=30)
    return put_table(
        container,
        ExportDestination(instance_id="abcd1234-4312-11f4-93dc-24f72f43e7d5", name="BlobExport"),
        table="HighValueCustomers",
        attributes=COLUMNS,
        partitions=[people.slice(0, 12), people.slice(12, 30)],
        delivered_at=delivered_at,
    )


def test_partitions_lie_in_a_folder_named_by_the_minute(container: ContainerClient) -> None:
    assert deliver(container) == [
        f"{FOLDER}/HighValueCustomers/2026/08/04/1403/HighValueCustomers_1.csv",
        f"{FOLDER}/HighValueCustomers/2026/08/04/1403/HighValueCustomers_2.csv",
    ]


def test_partitions_hold_every_row_once_without_a_header(container: ContainerClient, blobs: Blobs) -> None:
    text = "".join(blobs[file].decode() for file in deliver(container))
    assert list(csv.reader(io.StringIO(text, newline=""))) == list(People(rows=30))


def test_every_value_is_quoted() -> None:
    assert b"".join(csv_blocks([["a", "", 'x"y', "1"]])) == b'"a","","x""y","1"\r\n'


def test_rows_of_many_blocks_are_all_written() -> None:
    blocks = list(csv_blocks([str(number)] for number in range(20_001)))
    assert len(blocks) == 3
    assert b"".join(blocks).count(b"\r\n") == 20_001


def test_model_json_names_the_columns_in_the_order_of_the_files(container: ContainerClient, blobs: Blobs) -> None:
    deliver(container)
    (entity,) = json.loads(blobs[f"{FOLDER}/model.json"])["entities"]
    assert entity["name"] == "HighValueCustomers"
    assert entity["$type"] == "LocalEntity"
    assert {each["name"]: each["dataType"] for each in entity["attributes"]} == COLUMNS


def test_model_json_gives_the_full_address_of_every_partition(container: ContainerClient, blobs: Blobs) -> None:
    files = deliver(container)
    (entity,) = json.loads(blobs[f"{FOLDER}/model.json"])["entities"]
    assert [each["location"] for each in entity["partitions"]] == [f"{URL}/{file}" for file in files]


def test_model_json_says_how_the_files_are_written(container: ContainerClient, blobs: Blobs) -> None:
    deliver(container)
    model = json.loads(blobs[f"{FOLDER}/model.json"])
    assert model["version"] == "1.0"
    assert model["entities"][0]["partitions"][0]["fileFormatSettings"] == {
        "$type": "CsvFormatSettings",
        "columnHeaders": False,
        "delimiter": ",",
        "quoteStyle": "QuoteStyle.Csv",
        "csvStyle": "CsvStyle.QuoteAlways",
        "encoding": "UTF-8",
    }


def test_the_model_comes_after_the_files_it_names(container: ContainerClient, blobs: Blobs) -> None:
    files = deliver(container)
    assert list(blobs) == [*files, f"{FOLDER}/model.json"]


def test_a_later_delivery_leaves_the_earlier_files_and_replaces_the_model(
    container: ContainerClient, blobs: Blobs
) -> None:
    earlier = deliver(container)
    later = deliver(container, delivered_at=DELIVERED.replace(hour=15))
    model = blobs[f"{FOLDER}/model.json"].decode()
    assert set(blobs) == {*earlier, *later, f"{FOLDER}/model.json"}
    assert all(file in model for file in later)
    assert not any(file in model for file in earlier)


def test_a_users_own_file_is_uploaded_as_it_is_and_without_a_model(
    container: ContainerClient, blobs: Blobs, tmp_path: Path
) -> None:
    source = tmp_path / "mine.csv"
    source.write_bytes(b"\xef\xbb\xbfMail;Name\nx@y.org;\xc3\x85sa\n")
    file = put_file(
        container,
        ExportDestination(instance_id="1", name="BlobExport"),
        table="HighValueCustomers",
        source=source,
        delivered_at=DELIVERED,
    )
    assert file == "CustomerInsights_1/BlobExport/HighValueCustomers/2026/08/04/1403/HighValueCustomers_1.csv"
    assert blobs == {file: source.read_bytes()}
