"""How a run ends, why, and what to do next; docs/operations.md says more about each reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field

from shared.model.documents import Document

AGAIN: Final = "{again}"


class RunStatus(StrEnum):
    """Where a run is; the last five are terminal."""

    QUEUED = "queued"
    """Waits for a planner."""
    WAITING_FOR_EXTRACT = "waiting_for_extract"
    """The newest delivery is not complete yet; the run looks again from time to time."""
    PLANNING = "planning"
    """The extract is being read; nothing was sent yet."""
    UPLOADING = "uploading"
    """Chunks are on their way to SendGrid."""
    IMPORTING = "importing"
    """SendGrid accepted every chunk and works through its import jobs."""
    SUCCEEDED = "succeeded"
    COMPLETED_WITH_WARNINGS = "completed_with_warnings"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over."""
        return self not in {
            self.QUEUED,
            self.WAITING_FOR_EXTRACT,
            self.PLANNING,
            self.UPLOADING,
            self.IMPORTING,
        }


class ReasonCode(StrEnum):
    """Why a run ended, stable for programs, each with its advice; docs/operations.md has the whole table."""

    advice: str
    """What to do next; AGAIN in it stands for how to send what did not get there."""

    def __new__(cls, value: str, advice: str) -> Self:
        """Make a member of its code and its advice."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice = advice
        return member

    DONE = ("done", "Nothing to do.")
    DRY_RUN = ("dry_run", "Read the forecast; start a run to have it done.")
    ADOPTED = ("adopted", "Look at the others, then start a run: it sends all members anew.")
    MANY_REJECTED = (
        "many_rejected",
        "Look at the rejected rows, correct source or mapping, or raise source.max_rejected_share if it is right.",
    )
    ROWS_UNDECODABLE = (
        "rows_undecodable",
        "Have the file written in its encoding, or declare source.encoding.",
    )
    REMOVALS_WITHHELD = (
        "removals_withheld",
        "See the figures in the message; if the run has removals_to_confirm and they are right, confirm them.",
    )
    REMOVALS_FAILED = (
        "removals_failed",
        f"Read why in the message, then {AGAIN}; the next run takes them off, too.",
    )
    OLDER_DELIVERY = ("older_delivery", "Have the newest delivery completed; the next run takes it.")
    UNCHANGED = ("unchanged", "Nothing to do; start a run with force to send everything again.")
    CANCELLED = ("cancelled", f"Nothing to do, or {AGAIN} to send what is left of it.")
    EXTRACT_EMPTY = ("extract_empty", "Check the segment in the source if it should have members.")
    OVERLAP = (
        "overlap",
        "Nothing to do; give the export more time between runs, or let runs wait for each other.",
    )
    TOO_MANY_CONTACTS = ("too_many_contacts", "Raise the export's max_contacts if this many are meant to be sent.")
    EXTRACT_MISSING = (
        "extract_missing",
        "Check the segment's name, EXTRACT_CONTAINER, EXTRACT_PREFIX, and that it is delivered.",
    )
    EXTRACT_AMBIGUOUS = (
        "extract_ambiguous",
        "Declare in the export's source.layout which files are meant, or remove those that are not.",
    )
    EXTRACT_INCOMPLETE = (
        "extract_incomplete",
        "Have the named delivery completed, then start a new run; docs/extracts.md says what completes one.",
    )
    EXTRACT_OUTSIDE_PREFIX = (
        "extract_outside_prefix",
        "Have the source write its locations below EXTRACT_PREFIX, or set that to a folder that holds all of it.",
    )
    LISTING_CUT = (
        "listing_cut",
        "Set EXTRACT_PREFIX to the folder that is meant, or remove old deliveries; runs are not affected.",
    )
    EXTRACT_UNREADABLE = (
        "extract_unreadable",
        "Correct the named file, or declare in the export's source how it is written.",
    )
    EXTRACT_UNDECODABLE = (
        "extract_undecodable",
        "Declare in the export's source.encoding how the file is written, or have it written as UTF-8.",
    )
    DELIMITER_AMBIGUOUS = ("delimiter_ambiguous", "Declare the export's source.delimiter.")
    UNPACKED_TOO_LARGE = (
        "unpacked_too_large",
        "If the extract is meant to be so large, raise the export's source.limits.unpacked_gb.",
    )
    RATIO_TOO_HIGH = (
        "ratio_too_high",
        "Look at the named file: it unpacks to far more than it holds. If it is right, raise source.limits.ratio.",
    )
    TOO_MANY_ROWS = ("too_many_rows", "If so many rows are meant, raise the export's source.limits.rows.")
    TOO_MANY_COLUMNS = (
        "too_many_columns",
        "Check the named file's delimiter and header; if it has so many, raise source.limits.columns.",
    )
    EXTRACT_TOO_LARGE = ("extract_too_large", "Split the segment, or deliver it in more and smaller files.")
    MODEL_TOO_LARGE = (
        "model_too_large",
        "Have the source write a smaller model.json, or declare in the export's source.layout which files count.",
    )
    EXTRACT_UNSUPPORTED = ("extract_unsupported", "Deliver the segment as CSV, JSON lines or Parquet files.")
    COLUMN_MISSING = ("column_missing", "Correct the export's mapping, or have the source deliver the column.")
    COLUMN_AMBIGUOUS = ("column_ambiguous", "Write the column's name in the mapping exactly as the extract does.")
    NO_VALID_CONTACT = (
        "no_valid_contact",
        "Check which column the mapping's email names; the rejected rows say what is wrong.",
    )
    CONSENT_MISSING = ("consent_missing", "Have an administrator give the consent on the connection.")
    CONSENT_WITHDRAWN = (
        "consent_withdrawn",
        "Nothing to do; what SendGrid had accepted before stays on the list.",
    )
    ACCESS_WITHDRAWN = (
        "access_withdrawn",
        "Have somebody start it, or save the export, who may use the connection; an administrator adds its users.",
    )
    SEGMENT_NOT_SHARED = (
        "segment_not_shared",
        "Take the segment out of the export, or have an administrator add it to the connection's segments.",
    )
    EXPORT_DISABLED = ("export_disabled", "Enable the export if it is to run again.")
    CONNECTION_MISSING = ("connection_missing", "Choose an existing connection in the export.")
    EXPORT_MISSING = ("export_missing", "Nothing to do: the export was deleted.")
    SECRET_MISSING = ("secret_missing", "Store the API key in Key Vault under the connection's secret_name.")
    SECRET_EMPTY = ("secret_empty", "Store the API key in Key Vault under the connection's secret_name.")
    SECRET_FORBIDDEN = (
        "secret_forbidden",
        "Give the app's identity Key Vault Secrets User on the secret, and enable the secret.",
    )
    STORAGE_FORBIDDEN = (
        "storage_forbidden",
        "Give the app's identity the role named in the message on the storage account.",
    )
    SECRET_MALFORMED = ("secret_malformed", "Store the API key alone as a new version of the secret.")
    ADDRESS_NOT_ALLOWED = (
        "address_not_allowed",
        "Allow the app's outbound addresses in SendGrid's IP Access Management.",
    )
    KEY_REFUSED = ("key_refused", "Create a new API key at SendGrid and store it as a new version of the secret.")
    SCOPE_MISSING = ("scope_missing", "Give the API key full access to Marketing at SendGrid.")
    ACCOUNT_BLOCKED = ("account_blocked", "Wait, then ask SendGrid's support why the account is blocked.")
    CONTACT_LIMIT = ("contact_limit", f"Raise SendGrid's plan or remove contacts there, then {AGAIN}.")
    LIST_MISSING = ("list_missing", "Correct the export's list_id.")
    LIST_EXPORT_FAILED = (
        "list_export_failed",
        "Try an export of the list in SendGrid's own pages; when that works, adopt the list again.",
    )
    LIST_EXPORT_EXPIRED = (
        "list_export_expired",
        "Adopt the list again; if it comes again, ask SendGrid's support.",
    )
    LIST_EXPORT_UNFINISHED = (
        "list_export_unfinished",
        "See in SendGrid's own pages whether exports work, then adopt the list again.",
    )
    LIST_EXPORT_DAMAGED = ("list_export_damaged", "Adopt the list again; if it comes again, report what it says.")
    CUSTOM_FIELD_MISSING = (
        "custom_field_missing",
        "Create the custom field at SendGrid, or take it out of the mapping.",
    )
    DATA_RESIDENCY = ("data_residency", "Set the connection's region to the account's, or use another account.")
    UNAVAILABLE = ("unavailable", f"When SendGrid and the vault answer again, {AGAIN}.")
    REQUEST_REFUSED = (
        "request_refused",
        "Read SendGrid's words and correct the data or the mapping; the next run sends them.",
    )
    TOO_LARGE = ("too_large", "Shorten the values of the contact: SendGrid finds it too large even alone.")
    IMPORT_FAILED = (
        "import_failed",
        f"Ask SendGrid's support with the job ids if this comes again, then {AGAIN}.",
    )
    UNCONFIRMED = ("unconfirmed", f"Look at the list at SendGrid; if contacts are missing, {AGAIN}.")
    CONTACTS_MISSING = (
        "contacts_missing",
        "Correct the rejected rows in the source: SendGrid refuses them again as they are.",
    )
    CHUNKS_GONE = ("chunks_gone", "Start a new run.")
    DOCUMENT_DAMAGED = (
        "document_damaged",
        "Look at the list at SendGrid and at the app's log, report what you find, then start a new run.",
    )
    WORKER_KILLED = (
        "worker_killed",
        "Deliver the extract in more and smaller files, and report what the app's log says; other runs went on.",
    )
    INTERNAL_ERROR = (
        "internal_error",
        f"Look at the app's log and at poison/, report what you find, then {AGAIN}.",
    )


class Reason(Document):
    """Why a run ended as it did, in words a person can act on."""

    code: Annotated[ReasonCode | str, Field(union_mode="left_to_right")]
    """A newer version of the app may have written a code that this one does not know."""
    message: str

    @property
    def advice(self) -> str:
        """What to do next, by a new run if need be; empty where the code is not known."""
        return self.advice_for(left_over=False)

    def advice_for(self, *, left_over: bool) -> str:
        """What to do next when chunks are left over that a retry would send, or when none are."""
        advice = self.code.advice if isinstance(self.code, ReasonCode) else ""
        return advice.replace(AGAIN, "retry the run" if left_over else "start a new run")
