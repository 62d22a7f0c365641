"""How and why runs end: codes for programs, each with its meaning and advice."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

AGAIN: Final = "{again}"
NEW_RUN: Final = "start a new run"


class ReasonCode(StrEnum):
    """Why a run ended, stable for programs, each with its meaning and advice; docs/errors.md is made of them."""

    meaning: str
    advice: str
    """What to do next; AGAIN in it stands for how to send what did not get there."""

    def __new__(cls, value: str, meaning: str, advice: str) -> Self:
        """Make a member of its code, its meaning and its advice."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning, member.advice = meaning, advice
        return member

    @property
    def action(self) -> str:
        """What to do, told of no run in particular: a new run is right, whatever is left over."""
        return self.advice.replace(AGAIN, NEW_RUN)

    DONE = (
        "done",
        "SendGrid has imported every contact of the plan.",
        "Nothing to do.",
    )
    DRY_RUN = (
        "dry_run",
        "The run was a dry one: it tells what a run would do, and sent nothing.",
        "Read the forecast; start a run to have it done.",
    )
    ADOPTED = (
        "adopted",
        "Who is on the list and in the extracts is a member now; the message has the figures.",
        "Look at the others, then start a run: it sends all members anew.",
    )
    MANY_REJECTED = (
        "many_rejected",
        (
            "More than source.max_rejected_share (20 %) of the rows were rejected; the message names the two"
            " largest reasons."
        ),
        (
            "Look at the rejected rows, correct source or mapping, or raise source.max_rejected_share if it "
            "is right."
        ),
    )
    ROWS_UNDECODABLE = (
        "rows_undecodable",
        "Some rows, not more than 1 %, are not valid in the file's encoding.",
        "Have the file written in its encoding, or declare source.encoding.",
    )
    REMOVALS_WITHHELD = (
        "removals_withheld",
        (
            "Members are in no extract any more, and nobody was taken off the list; the message says why, "
            "with figures."
        ),
        "See the figures in the message; if the run has removals_to_confirm and they are right, confirm them.",
    )
    REMOVALS_FAILED = (
        "removals_failed",
        "Leavers are not known to be off the list: SendGrid refused.",
        f"Read why in the message, then {AGAIN}; the next run takes them off, too.",
    )
    OLDER_DELIVERY = (
        "older_delivery",
        "The newest delivery was not complete in time, so the one before was sent.",
        "Have the newest delivery completed; the next run takes it.",
    )
    UNCHANGED = (
        "unchanged",
        "Extract, export and connection are the same as in the last successful run.",
        "Nothing to do; start a run with force to send everything again.",
    )
    CANCELLED = (
        "cancelled",
        "Somebody cancelled the run; what SendGrid had accepted stays.",
        f"Nothing to do, or {AGAIN} to send what is left of it.",
    )
    EXTRACT_EMPTY = (
        "extract_empty",
        "The extract has no rows.",
        "Check the segment in the source if it should have members.",
    )
    OVERLAP = (
        "overlap",
        'Another run of the export was not over, and the export says "overlap": "skip".',
        "Nothing to do; give the export more time between runs, or let runs wait for each other.",
    )
    TOO_MANY_CONTACTS = (
        "too_many_contacts",
        "More contacts than max_contacts; nothing was sent.",
        "Raise the export's max_contacts if this many are meant to be sent.",
    )
    EXTRACT_MISSING = (
        "extract_missing",
        "No files of the segment below EXTRACT_CONTAINER/EXTRACT_PREFIX.",
        "Check the segment's name, EXTRACT_CONTAINER, EXTRACT_PREFIX, and that it is delivered.",
    )
    EXTRACT_AMBIGUOUS = (
        "extract_ambiguous",
        (
            "Which files are the extract is not certain; the message names the candidates and what to "
            "declare. Nothing was sent."
        ),
        "Declare in the export's source.layout which files are meant, or remove those that are not.",
    )
    EXTRACT_INCOMPLETE = (
        "extract_incomplete",
        (
            "The newest delivery is not complete (a run waits for it, source.wait_minutes at most) and no "
            "earlier one certainly is, or its files never stopped changing for source.settle; the message "
            "names what is missing."
        ),
        "Have the named delivery completed, then start a new run; docs/extracts.md says what completes one.",
    )
    EXTRACT_OUTSIDE_PREFIX = (
        "extract_outside_prefix",
        "A model.json lists a file outside of EXTRACT_PREFIX.",
        (
            "Have the source write its locations below EXTRACT_PREFIX, or set that to a folder that holds "
            "all of it."
        ),
    )
    LISTING_CUT = (
        "listing_cut",
        "There are too many segments, folders or files for one answer.",
        "Set EXTRACT_PREFIX to the folder that is meant, or remove old deliveries; runs are not affected.",
    )
    EXTRACT_UNREADABLE = (
        "extract_unreadable",
        "A file cannot be read as its format at all; the message names it.",
        "Correct the named file, or declare in the export's source how it is written.",
    )
    EXTRACT_UNDECODABLE = (
        "extract_undecodable",
        (
            "More than 1 % of the rows, or the names of the columns, are not valid in the file's encoding; "
            "the message names file, row, and encodings that would fit. Nothing was sent."
        ),
        "Declare in the export's source.encoding how the file is written, or have it written as UTF-8.",
    )
    DELIMITER_AMBIGUOUS = (
        "delimiter_ambiguous",
        "Several delimiters would give different rows.",
        "Declare the export's source.delimiter.",
    )
    UNPACKED_TOO_LARGE = (
        "unpacked_too_large",
        "The files hold more text than source.limits.unpacked_gb.",
        "If the extract is meant to be so large, raise the export's source.limits.unpacked_gb.",
    )
    RATIO_TOO_HIGH = (
        "ratio_too_high",
        "A file unpacks to more than source.limits.ratio times its size.",
        (
            "Look at the named file: it unpacks to far more than it holds. If it is right, raise "
            "source.limits.ratio."
        ),
    )
    TOO_MANY_ROWS = (
        "too_many_rows",
        "There are more rows than source.limits.rows.",
        "If so many rows are meant, raise the export's source.limits.rows.",
    )
    TOO_MANY_COLUMNS = (
        "too_many_columns",
        "A file has more columns than source.limits.columns.",
        "Check the named file's delimiter and header; if it has so many, raise source.limits.columns.",
    )
    EXTRACT_TOO_LARGE = (
        "extract_too_large",
        "The planner has not enough memory or temporary disk for the extract.",
        "Split the segment, or deliver it in more and smaller files.",
    )
    MODEL_TOO_LARGE = (
        "model_too_large",
        "A model.json has more than 16 MB, 10,000 tables, or a table of 50,000 files.",
        (
            "Have the source write a smaller model.json, or declare in the export's source.layout which "
            "files count."
        ),
    )
    EXTRACT_UNSUPPORTED = (
        "extract_unsupported",
        "A Delta or Iceberg table, a feed of changes by Azure Synapse Link, or a format that is not read.",
        "Deliver the whole segment as CSV, JSON lines or Parquet files.",
    )
    COLUMN_MISSING = (
        "column_missing",
        "The mapping names a column that the extract lacks.",
        "Correct the export's mapping, or have the source deliver the column.",
    )
    COLUMN_AMBIGUOUS = (
        "column_ambiguous",
        "Several columns of the extract differ from the mapped name in case or blanks only.",
        "Write the column's name in the mapping exactly as the extract does.",
    )
    NO_VALID_CONTACT = (
        "no_valid_contact",
        "Not one row has a valid e-mail address.",
        "Check which column the mapping's email names; the rejected rows say what is wrong.",
    )
    CONSENT_MISSING = (
        "consent_missing",
        "The connection has no consent.",
        "Have an administrator give the consent on the connection.",
    )
    CONSENT_WITHDRAWN = (
        "consent_withdrawn",
        "The connection's consent was taken back while the run was under way; nothing more was sent.",
        "Nothing to do; what SendGrid had accepted before stays on the list.",
    )
    ACCESS_WITHDRAWN = (
        "access_withdrawn",
        (
            "Whom a run acts for (who started it; of a scheduled run, who saved the export last) may no "
            "longer use the connection: nothing more is sent."
        ),
        (
            "Have somebody start it, or save the export, who may use the connection; an administrator adds "
            "its users."
        ),
    )
    SEGMENT_NOT_SHARED = (
        "segment_not_shared",
        "The connection may not export one of the export's segments.",
        "Take the segment out of the export, or have an administrator add it to the connection's segments.",
    )
    EXPORT_DISABLED = (
        "export_disabled",
        "The export is disabled: no run is planned.",
        "Enable the export if it is to run again.",
    )
    EXPORT_DETACHED = (
        "export_detached",
        "The export has no connection: an administrator has detached it. It runs nothing.",
        "Have an administrator give the export a connection again.",
    )
    CONNECTION_MISSING = (
        "connection_missing",
        "The export's connection is gone.",
        "Choose an existing connection in the export.",
    )
    EXPORT_MISSING = (
        "export_missing",
        "There is no such export: it was deleted, never was, or the caller may not see it.",
        (
            "Nothing to do if it was deleted; else correct its id, or ask an administrator to be among the "
            "connection's users."
        ),
    )
    SECRET_MISSING = (
        "secret_missing",
        "Key Vault has no such secret, or it is empty.",
        "Store the API key in Key Vault under the connection's secret_name.",
    )
    SECRET_EMPTY = (
        "secret_empty",
        "Key Vault has no such secret, or it is empty.",
        "Store the API key in Key Vault under the connection's secret_name.",
    )
    SECRET_FORBIDDEN = (
        "secret_forbidden",
        "The app may not read the secret, or it is disabled.",
        "Give the app's identity Key Vault Secrets User on the secret, and enable the secret.",
    )
    STORAGE_FORBIDDEN = (
        "storage_forbidden",
        "The app may not read the extracts.",
        "Give the app's identity the role named in the message on the storage account.",
    )
    SECRET_MALFORMED = (
        "secret_malformed",
        "The secret holds a blank, a line break, a byte order mark or characters beyond ASCII.",
        "Store the API key alone as a new version of the secret.",
    )
    ADDRESS_NOT_ALLOWED = (
        "address_not_allowed",
        "SendGrid's IP Access Management refuses the app's address.",
        "Allow the app's outbound addresses in SendGrid's IP Access Management.",
    )
    KEY_REFUSED = (
        "key_refused",
        "SendGrid answers 401 to the key, also after it was read again.",
        "Create a new API key at SendGrid and store it as a new version of the secret.",
    )
    SCOPE_MISSING = (
        "scope_missing",
        "The key may not use Marketing Campaigns.",
        "Give the API key full access to Marketing at SendGrid.",
    )
    ACCOUNT_BLOCKED = (
        "account_blocked",
        "SendGrid blocks the account for a time; a run waits for six tries of ten minutes.",
        "Wait, then ask SendGrid's support why the account is blocked.",
    )
    CONTACT_LIMIT = (
        "contact_limit",
        "The account holds as many contacts as its plan allows.",
        f"Raise SendGrid's plan or remove contacts there, then {AGAIN}.",
    )
    LIST_MISSING = (
        "list_missing",
        "SendGrid has no such list.",
        "Correct the export's list_id.",
    )
    LIST_EXPORT_FAILED = (
        "list_export_failed",
        "SendGrid's export of a list that was to be adopted failed or vanished, three times.",
        "Try an export of the list in SendGrid's own pages; when that works, adopt the list again.",
    )
    LIST_EXPORT_EXPIRED = (
        "list_export_expired",
        "The files of that export could not be had any more, three times.",
        "Adopt the list again; if it comes again, ask SendGrid's support.",
    )
    LIST_EXPORT_UNFINISHED = (
        "list_export_unfinished",
        "That export was not ready after six hours.",
        "See in SendGrid's own pages whether exports work, then adopt the list again.",
    )
    LIST_EXPORT_DAMAGED = (
        "list_export_damaged",
        (
            "A file of that export cannot be unpacked or is not CSV with EMAIL and CONTACT_ID, three times; "
            "the message says which."
        ),
        "Adopt the list again; if it comes again, report what it says.",
    )
    CUSTOM_FIELD_MISSING = (
        "custom_field_missing",
        "A custom field of the mapping does not exist.",
        "Create the custom field at SendGrid, or take it out of the mapping.",
    )
    DATA_RESIDENCY = (
        "data_residency",
        "SendGrid may not take the contacts in this region.",
        "Set the connection's region to the account's, or use another account.",
    )
    UNAVAILABLE = (
        "unavailable",
        "SendGrid or the vault does not answer; a run waits for 12 hours.",
        f"When SendGrid and the vault answer again, {AGAIN}.",
    )
    REQUEST_REFUSED = (
        "request_refused",
        "SendGrid refused a request for another reason; its words are in the message.",
        "Read SendGrid's words and correct the data or the mapping; the next run sends them.",
    )
    TOO_LARGE = (
        "too_large",
        "SendGrid finds a single contact too large.",
        "Shorten the values of the contact: SendGrid finds it too large even alone.",
    )
    IMPORT_FAILED = (
        "import_failed",
        "The import job failed, also when sent again twice.",
        f"Ask SendGrid's support with the job ids if this comes again, then {AGAIN}.",
    )
    UNCONFIRMED = (
        "unconfirmed",
        "SendGrid accepted the contacts, but no end of the import was seen within 24 hours.",
        f"Look at the list at SendGrid; if contacts are missing, {AGAIN}.",
    )
    CONTACTS_MISSING = (
        "contacts_missing",
        "SendGrid refused contacts, or some were not sent; the counts say how many and why.",
        "Correct the rejected rows in the source: SendGrid refuses them again as they are.",
    )
    CHUNKS_GONE = (
        "chunks_gone",
        "What was to be retried or confirmed is past its retention, or a later run was faster.",
        "Start a new run.",
    )
    DOCUMENT_DAMAGED = (
        "document_damaged",
        "A document of the run cannot be read, for whatever reason; the run ends where it was.",
        "Look at the list at SendGrid and at the app's log, report what you find, then start a new run.",
    )
    WORKER_KILLED = (
        "worker_killed",
        "Working on the run ended the app's process twice, the second time alone; other runs went on.",
        ("Deliver the extract in more and smaller files, and report what the app's log says; other runs went on."),
    )
    INTERNAL_ERROR = (
        "internal_error",
        "A step failed twenty times in a row for a reason of its own.",
        f"Look at the app's log and at poison/, report what you find, then {AGAIN}.",
    )
