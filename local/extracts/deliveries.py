"""Delivers extracts for the demo, and tells what must become of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol

from azure.storage.blob import ContainerClient

from local.extracts.changed_people import ChangedPeople
from local.extracts.customer_insights import ExportDestination, put_file, put_table
from local.extracts.expectation import Expectation, expect_file
from local.extracts.people import COLUMNS, People
from local.options import MadeUpPeople, OwnFile
from shared.model.definitions import FieldMapping, SourceOptions

SEGMENT: Final = "HighValueCustomers"
DESTINATION: Final = ExportDestination(instance_id="6b1f1e5c-3f0e-4f7e-9d55-1c1f0c4b8a52", name="SegmentsToBlob")
PARTITIONS: Final = 4
PEOPLE_MAPPING: Final = {
    "email": "EMail",
    "first_name": "FirstName",
    "last_name": "LastName",
    "country": "Country",
    "state_province_region": "State",
    "city": "City",
    "postal_code": "PostalCode",
}
# More than the rows of a hundred that are not sent, so a second extract always has newcomers.
NEWCOMERS_MIN: Final = 20
NEWCOMERS_SHARE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An extract that lies in blob storage."""

    folder: str
    files: int
    expectation: Expectation
    emails: set[str] = field(repr=False)
    """The addresses that a run must get onto the list, in lower case."""


class Source(Protocol):
    """Where a demo's extracts come from."""

    @property
    def mapping(self) -> Mapping[str, str]:
        """SendGrid field → column."""

    @property
    def source(self) -> SourceOptions:
        """How the files are written."""

    def deliver(self, container: ContainerClient) -> Delivery:
        """Put the extract of the last refresh, an hour ago."""

    def deliver_again(self, container: ContainerClient) -> Delivery:
        """Put the extract of a refresh right now."""

    @property
    def changes(self) -> bool:
        """Whether people can leave, join and move in it."""

    def deliver_changed(self, container: ContainerClient) -> Delivery:
        """Put an extract that people have left, joined and moved in, where they can."""


class PeopleSource:
    """Made-up people; the second extract holds the same ones and some newcomers, in the third some have left."""

    mapping = PEOPLE_MAPPING
    source = SourceOptions()
    changes = True

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def deliver(self, container: ContainerClient) -> Delivery:
        """Put the people."""
        return put_people(container, People(rows=self._rows), delivered_at=_an_hour_ago())

    def deliver_again(self, container: ContainerClient) -> Delivery:
        """Put the people and the newcomers."""
        newcomers = max(NEWCOMERS_MIN, self._rows // NEWCOMERS_SHARE)
        delivery = put_people(container, People(rows=self._rows + newcomers), delivered_at=datetime.now(UTC))
        before = People(rows=self._rows).expectation()
        return replace(delivery, expectation=delivery.expectation.after(before))

    def deliver_changed(self, container: ContainerClient) -> Delivery:
        """Put what has become of the people, as of the next minute: folders are named by it."""
        changed = ChangedPeople(before=People(rows=self._rows))
        return put_people(container, changed, delivered_at=datetime.now(UTC) + timedelta(minutes=1))


class FileSource:
    """Somebody's own file, which is delivered unchanged both times."""

    changes = False

    def __init__(self, file: OwnFile) -> None:
        self.mapping = file.mapping
        self._path = file.path
        mapping = FieldMapping.model_validate(file.mapping)
        self._expectation, self._emails = expect_file(file.path, mapping, file.source)
        self.source = file.source

    def deliver(self, container: ContainerClient) -> Delivery:
        """Put the file."""
        return self._put(container, _an_hour_ago())

    def deliver_again(self, container: ContainerClient) -> Delivery:
        """Put the file anew, which makes it another version of the extract."""
        delivery = self._put(container, datetime.now(UTC))
        return replace(delivery, expectation=self._expectation.after(self._expectation))

    def deliver_changed(self, container: ContainerClient) -> Delivery:
        """Put the file anew: nothing changes in it."""
        return self.deliver_again(container)

    def _put(self, container: ContainerClient, delivered_at: datetime) -> Delivery:
        blob = put_file(container, DESTINATION, table=SEGMENT, source=self._path, delivered_at=delivered_at)
        return Delivery(folder=_folder(blob), files=1, expectation=self._expectation, emails=self._emails)


def source_of(options: OwnFile | MadeUpPeople) -> Source:
    """Choose the source.

    Raises:
        UnsuitableFileError: The user's file cannot be used.
    """
    return FileSource(options) if isinstance(options, OwnFile) else PeopleSource(options.rows)


def put_people(container: ContainerClient, people: People | ChangedPeople, *, delivered_at: datetime) -> Delivery:
    """Put people as an extract of several files."""
    bounds = [people.rows * number // PARTITIONS for number in range(PARTITIONS + 1)]
    blobs = put_table(
        container,
        DESTINATION,
        table=SEGMENT,
        attributes=COLUMNS,
        partitions=[people.slice(*pair) for pair in pairwise(bounds)],
        delivered_at=delivered_at,
    )
    return Delivery(
        folder=_folder(blobs[0]),
        files=len(blobs),
        expectation=people.expectation(),
        emails=set(people.emails()),
    )


def _an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def _folder(blob: str) -> str:
    return blob.rpartition("/")[0]
