"""What people define: connections and exports.

Every document is frozen, refuses unknown members, and is the JSON that rests in the store.
The words are those of docs/architecture.md.
"""

from __future__ import annotations

import codecs
import functools
import re
from datetime import timedelta
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from shared.limits import (
    ALTERNATE_EMAILS_MAX,
    COLUMNS_MAX,
    CRON_MAX,
    CUSTOM_FIELDS_MAX,
    DECLARED_COLUMNS_MAX,
    DEFAULT_MAX_CONTACTS,
    EXPECT_EVERY_MAX,
    EXPECT_EVERY_MIN,
    EXTRACT_WAIT,
    MAPPED_FIELDS_MAX,
    NAME_MAX,
    NULLS_MAX,
    REJECTED_SHARE_MAX,
    REMOVAL_SHARE_MAX,
    RESEND_EVERY_DAYS,
    ROWS_MAX,
    SEGMENTS_MAX,
    SETTLE,
    SETTLE_MAX,
    UNPACKED_GB_MAX,
    UNPACKED_RATIO_MAX,
    USERS_MAX,
)
from shared.model.cron import check_cron
from shared.model.documents import Document
from shared.model.durations import Duration, between
from shared.model.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

UUID_FORM: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LAYOUT_NAMES_SEGMENT: Final = "must have {segment}, and neither {run} nor {part} right beside it"
NO_ENCODINGS_OF_FILES: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7"})


@functools.cache
def _time_zones() -> frozenset[str]:
    """The names of IANA's time zones, the same on every instance: an operating system has more, or fewer."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return frozenset(names) - {"Factory"}


def _known_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("must be an IANA time zone, such as Europe/Stockholm")
    return name


def _text_encoding(name: str) -> str:
    if name == "auto":
        return name
    try:
        codec = codecs.lookup(name)
        "a".encode(name)
        b"a".decode(name)
    except (LookupError, ValueError, UnicodeError):
        raise ValueError("must be an encoding of text, such as utf-8, cp1252, shift_jis or gb18030") from None
    if codec.name in NO_ENCODINGS_OF_FILES:
        raise ValueError(f"must be an encoding that files are written in; {name} is none")
    return name


def _valid_layout(template: str) -> str:
    Layout(template)
    return template


def unique[T](values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, each of which must be there once."""
    if len(set(values)) != len(values):
        raise ValueError("must not name anything twice")
    return values


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
"""Name of a connection or export in URLs and blob names: lower-case letters, digits and inner hyphens."""

RunId = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}Z-[a-z0-9]{1,16}$")]
"""`{due or request time, UTC}-{scheduled | arrival… | random}`: sorts by time."""

SegmentName = Annotated[str, StringConstraints(pattern=r"^\w[\w .-]{0,126}$")]
"""Name of a segment in the source; no path separators."""

Column = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""Name of a column of the extract."""

NullValue = Annotated[str, StringConstraints(max_length=100)]
"""Whole value of a cell that means nothing."""

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""Name of a field at SendGrid, reserved or custom."""

SecretName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,127}$")]
"""Name of a secret in Key Vault."""

NAME_FORM: Final = ("^[^{out}]*[^{blank}{out}][^{out}]*$").format(
    out=r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069",
    blank=r"\s\u200b-\u200f\u2060\ufeff",
)
"""One line with something to see. No character of it turns the direction of what is beside it (UAX #9)."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, pattern=NAME_FORM)]
Cron = Annotated[str, StringConstraints(max_length=CRON_MAX), AfterValidator(check_cron)]
TimeZone = Annotated[str, StringConstraints(max_length=100), AfterValidator(_known_time_zone)]


def _as_known(names: tuple[str, ...]) -> tuple[str, ...]:
    """Object IDs in lower case, as callers are known by them; names of keys as they are."""
    return tuple(name.lower() if UUID_FORM.fullmatch(name) else name for name in names)


class Actor(Document):
    """Somebody who did something, as kept in documents."""

    id: str
    """What they are known by: the object ID of a person or an application in the tenant, or a key's name."""
    name: str
    """For people to read."""
    is_administrator: bool = False
    """Whether they were one then."""


class ConsentText(Document):
    """What somebody agrees to."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    version: Text = "1"
    """Of the text; another one is a consent of its own."""


class Consent(ConsentText):
    """That people's data may go to SendGrid, and who has agreed to it."""

    given_by: Actor
    given_at: AwareDatetime


class Region(StrEnum):
    """Where the SendGrid account lives; decides the API host."""

    GLOBAL = "global"
    EU = "eu"


class ConnectionDraft(Document):
    """A connection as an administrator writes it down."""

    display_name: Text
    secret_name: SecretName
    """Name of the Key Vault secret that holds the API key; never the key."""
    region: Region = Region.GLOBAL
    consent: ConsentText | None = None
    """Without it no run starts."""
    contact_limit: Annotated[int, Field(ge=1, strict=True)] | None = None
    """How many contacts the account may hold by its plan at SendGrid; a dry run warns when there could be more."""
    users: Annotated[
        tuple[Text, ...], Field(max_length=USERS_MAX), AfterValidator(_as_known), AfterValidator(unique)
    ] = ()
    """Object IDs of people and applications, or names of keys, who may use it beside its maker."""
    segments: Annotated[tuple[SegmentName, ...], Field(max_length=SEGMENTS_MAX), AfterValidator(unique)] | None = (
        None
    )
    """Which segments may be exported through it; None: all."""


class Connection(ConnectionDraft):
    """A SendGrid account that may be written to."""

    consent: Consent | None = None

    def missing_segments(self, segments: Iterable[str]) -> list[str]:
        """Those that may not be exported through it."""
        return [] if self.segments is None else sorted(set(segments) - set(self.segments))

    def may_read(self, source: SourceOptions) -> bool:
        """Whether files that are found so are surely of a segment that may be exported through it."""
        return self.segments is None or source.names_segment


class FollowRefresh(Document):
    """The export runs with every scheduled refresh of the environment."""

    kind: Literal["refresh"] = "refresh"


class OwnSchedule(Document):
    """The export runs on its own cron expression."""

    kind: Literal["cron"]
    cron: Cron
    time_zone: TimeZone = "UTC"


class OnArrival(Document):
    """The export runs when its extract has arrived."""

    kind: Literal["arrival"]


class Off(Document):
    """The export runs on demand only."""

    kind: Literal["off"]


Schedule = Annotated[FollowRefresh | OwnSchedule | OnArrival | Off, Field(discriminator="kind")]


class SourceLimits(Document):
    """What an extract may grow to before a run ends; more is a mistake or an attack."""

    unpacked_gb: Annotated[int, Field(ge=1, le=10_000, strict=True)] = UNPACKED_GB_MAX
    """Gigabytes (10⁹) of text in all files of an extract."""
    ratio: Annotated[int, Field(ge=2, le=100_000, strict=True)] = UNPACKED_RATIO_MAX
    """Bytes of text for one that is stored, once there are many."""
    rows: Annotated[int, Field(ge=1, strict=True)] = ROWS_MAX
    columns: Annotated[int, Field(ge=1, le=100_000, strict=True)] = COLUMNS_MAX


class SourceOptions(Document):
    """How the files of the extract are written, where they or their model.json do not say it themselves.

    Whatever is set here is believed; `auto` means: find out from what is there.
    """

    format: Literal["auto", "csv", "jsonl", "parquet"] = "auto"
    header: Literal["auto", "present", "absent"] = "auto"
    """Whether the first record of a CSV file names the columns."""
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto"
    quoting: Literal["auto", "none"] = "auto"
    """`none`: a quotation mark is a character like any other."""
    escape: Literal["auto", "none", "backslash"] = "auto"
    """What stands in front of a quotation mark within quotation marks; `none`: it is doubled."""
    encoding: Annotated[str, StringConstraints(max_length=100), AfterValidator(_text_encoding)] = "auto"
    """By Python's names; `auto` tells UTF-8 and UTF-16, and guesses nothing else."""
    nulls: Annotated[tuple[NullValue, ...], Field(max_length=NULLS_MAX)] = ("\\N",)
    """Whole values that mean nothing."""
    limits: SourceLimits = SourceLimits()
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = REJECTED_SHARE_MAX
    """A run that rejects more of its rows than this share is completed with a warning."""
    columns: Annotated[tuple[Column, ...], Field(max_length=DECLARED_COLUMNS_MAX)] = ()
    """Names of the columns, in order, for CSV files without a header."""
    layout: Annotated[str, StringConstraints(max_length=500), AfterValidator(_valid_layout)] | None = None
    """Template of the names of an extract's files, below EXTRACT_PREFIX; docs/extracts.md has examples."""
    wait_minutes: Annotated[int, Field(ge=0, le=12 * 60, strict=True)] = round(EXTRACT_WAIT / 60)
    """So long a run waits, from its start, for the newest delivery to be complete."""
    settle: Annotated[Duration, between(0, SETTLE_MAX)] = timedelta(seconds=SETTLE)
    """So long no file of a delivery may have changed before it is read, up to PT12H; PT0S does not wait."""
    success_marker: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,100}$")] | None = None
    """Name of the file that completes a delivery, such as _SUCCESS; folders without it are passed over."""
    date_order: Literal["auto", "day_first", "month_first"] = "auto"
    """How dates with slashes are meant; without it they are rejected, for 01/02/2026 may be either."""
    decimal_separator: Literal["point", "comma"] = "point"

    @property
    def names_segment(self) -> bool:
        """Whether files are found by their segment's name; a layout may find those of another one."""
        return self.layout is None or Layout(self.layout).names_segment


class FieldMapping(Document):
    """Which column of the extract feeds which SendGrid field.

    Mapping `phone_number_id`, `external_id` or `anonymous_id` makes them identifiers of the contact: SendGrid
    then wants all of them in every later update of it.
    """

    email: Column
    first_name: Column | None = None
    last_name: Column | None = None
    country: Column | None = None
    state_province_region: Column | None = None
    city: Column | None = None
    postal_code: Column | None = None
    address_line_1: Column | None = None
    address_line_2: Column | None = None
    phone_number: Column | None = None
    whatsapp: Column | None = None
    line: Column | None = None
    facebook: Column | None = None
    unique_name: Column | None = None
    phone_number_id: Column | None = None
    external_id: Column | None = None
    anonymous_id: Column | None = None
    alternate_emails: Annotated[tuple[Column, ...], Field(max_length=ALTERNATE_EMAILS_MAX)] = ()
    custom_fields: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,99}$")], Column] = Field(
        default_factory=dict, max_length=CUSTOM_FIELDS_MAX
    )
    """Custom field's name at SendGrid → column."""
    over_long: dict[FieldName, Literal["cut", "reject"]] = Field(
        default_factory=dict, max_length=MAPPED_FIELDS_MAX
    )
    """SendGrid field, reserved or custom → what to do with a value longer than its limit; `cut` if not named."""
    unusable: dict[FieldName, Literal["drop", "reject"]] = Field(
        default_factory=dict, max_length=MAPPED_FIELDS_MAX
    )
    """Custom field → what to do with a value that is no number or date; `drop` leaves the value out."""

    def reserved(self) -> dict[str, str]:
        """Single-valued reserved fields that are mapped: SendGrid field → column, e-mail first."""
        multiple = {"alternate_emails", "custom_fields", "over_long", "unusable"}
        return {
            name: column
            for name in type(self).model_fields
            if name not in multiple and (column := getattr(self, name)) is not None
        }


class MaxRemovals(Document):
    """How many leavers a run may take off the list; with more of them it takes off none."""

    share: Annotated[float, Field(ge=0, le=1, strict=True)] = REMOVAL_SHARE_MAX
    """Of the members."""
    number: Annotated[int, Field(ge=0, strict=True)] | None = None


class Export(Document):
    """The standing wish: these segments, through this connection, to this list."""

    name: Text
    connection: Identifier | None = None
    """null: an administrator has detached it, and it runs nothing until it is given one again."""
    list_id: UUID
    segments: Annotated[
        tuple[SegmentName, ...], Field(min_length=1, max_length=SEGMENTS_MAX), AfterValidator(unique)
    ]
    """In order of precedence: a person in several segments is taken from the first."""
    mapping: FieldMapping
    source: SourceOptions = SourceOptions()
    max_contacts: Annotated[int, Field(ge=1, strict=True)] = DEFAULT_MAX_CONTACTS
    """A run that would send more contacts than this sends none and is skipped."""
    changes: Literal["all", "changed"] = "changed"
    """`changed`: who was sent before, and would be sent just so again, is not."""
    resend_every: Annotated[int, Field(ge=1, le=365, strict=True)] = RESEND_EVERY_DAYS
    """Days after which all are sent again, for SendGrid may have been changed by others."""
    leavers: Literal["keep", "remove"] = "keep"
    """`remove`: whom this export has brought, and no extract of it has any more, is taken off the list."""
    after_missing_runs: Annotated[int, Field(ge=1, le=100, strict=True)] = 1
    """In so many runs in a row a member must be in no extract to have left."""
    max_removals: MaxRemovals = MaxRemovals()
    schedule: Schedule = FollowRefresh()
    expect_every: Annotated[Duration, between(EXPECT_EVERY_MIN, EXPECT_EVERY_MAX)] | None = None
    """How often it is to succeed with a new extract, as an ISO 8601 duration such as P1D; if it does not, it is
    overdue, and whoever wants to know is told."""
    overlap: Literal["wait", "skip"] = "wait"
    """What a run does while another run of the export is not over."""
    enabled: Annotated[bool, Field(strict=True)] = True

    @property
    def is_awaiting(self) -> bool:
        """Whether it waits for its extract, which starts it."""
        return self.enabled and self.connection is not None and isinstance(self.schedule, OnArrival)

    @model_validator(mode="after")
    def _layout_tells_segments_apart(self) -> Self:
        if len(self.segments) > 1 and not self.source.names_segment:
            raise ValueError(f"source.layout {LAYOUT_NAMES_SEGMENT}, for the export has several segments")
        return self


class Saved[D: Document](Document):
    """A definition as it rests in the store."""

    id: Identifier
    uid: str
    """Never given twice: what is made anew under an old id is something else."""
    definition: D
    created_at: AwareDatetime
    created_by: Actor
    updated_at: AwareDatetime
    updated_by: Actor


CustomFieldId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_]{1,100}$")]
"""Such as `e1_T`: SendGrid writes it, and it becomes a name in JSON and SQL."""


class CustomField(Document):
    """A custom field as SendGrid knows it.

    https://www.twilio.com/docs/sendgrid/api-reference/custom-fields/create-custom-field-definition
    """

    id: CustomFieldId
    type: Literal["Text", "Number", "Date"]
