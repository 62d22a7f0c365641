import csv
import io
import json
from pathlib import Path

from azure.storage.blob import ContainerClient

from local.extracts.changed_people import ELSEWHERE
from local.extracts.deliveries import DESTINATION, PARTITIONS, FileSource, PeopleSource, source_of
from local.options import MadeUpPeople, OwnFile

type Blobs = dict[str, bytes]


def read_back(blobs: Blobs, folder: str) -> list[list[str]]:
    """The rows of all files of one delivery, in order."""
    text = "".join(blobs[name].decode() for name in sorted(blobs) if name.startswith(f"{folder}/"))
    return list(csv.reader(io.StringIO(text, newline="")))


def test_people_come_in_several_files(container: ContainerClient, blobs: Blobs) -> None:
    delivery = PeopleSource(rows=210).deliver(container)
    assert delivery.files == PARTITIONS == len([name for name in blobs if name.startswith(delivery.folder)])
    assert len(read_back(blobs, delivery.folder)) == delivery.expectation.rows == 210


def test_the_second_extract_holds_the_same_people_and_newcomers(container: ContainerClient, blobs: Blobs) -> None:
    source = PeopleSource(rows=3_000)
    first, second = source.deliver(container), source.deliver_again(container)
    assert second.expectation.rows == 3_030
    assert first.emails < second.emails
    assert read_back(blobs, second.folder)[:3_000] == read_back(blobs, first.folder)


def test_the_third_extract_is_what_has_become_of_the_people(container: ContainerClient, blobs: Blobs) -> None:
    source = PeopleSource(rows=4_000)
    first, third = source.deliver(container), source.deliver_changed(container)
    rows, before = read_back(blobs, third.folder), read_back(blobs, first.folder)
    assert len(rows) == third.expectation.rows == 3_800 + 80
    moved = [row for row, old in zip(rows[:3_800], before[:3_800], strict=True) if row != old]
    assert [ELSEWHERE in row for row in moved] == [True] * 3 * 38
    assert len(third.emails - first.emails) == 80
    assert len(first.emails - third.emails) == 2 * 88
    assert third.expectation.contacts == 3 * 38 + 80
    assert third.expectation.contacts + third.expectation.unchanged == len(third.emails)


def test_the_second_extract_lies_in_a_later_folder(container: ContainerClient) -> None:
    source = PeopleSource(rows=10)
    assert source.deliver(container).folder < source.deliver_again(container).folder


def test_a_single_row_is_enough(container: ContainerClient) -> None:
    delivery = PeopleSource(rows=1).deliver(container)
    assert delivery.expectation.contacts == len(delivery.emails) == 1


def test_model_json_names_the_newest_extract(container: ContainerClient, blobs: Blobs) -> None:
    source = PeopleSource(rows=10)
    source.deliver(container)
    newest = source.deliver_again(container)
    (entity,) = json.loads(blobs[f"{DESTINATION.folder}/model.json"])["entities"]
    assert all(newest.folder in partition["location"] for partition in entity["partitions"])


def test_a_users_own_file_is_delivered_unchanged_both_times(
    container: ContainerClient, blobs: Blobs, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Name,Mail\nA,A@x.org\nB,b@x.org\n")
    source = source_of(OwnFile(path=path, mapping={"email": "Mail"}))
    first, second = source.deliver(container), source.deliver_again(container)
    assert first.emails == second.emails == {"a@x.org", "b@x.org"}
    assert list(blobs.values()) == [path.read_bytes()] * 2
    assert first.folder != second.folder


def test_the_source_follows_the_options(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Mail\nann@example.com\n")
    assert isinstance(source_of(OwnFile(path=path, mapping={"email": "Mail"})), FileSource)
    assert isinstance(source_of(MadeUpPeople()), PeopleSource)
