"""Every limit, wait and number that somebody else sets, in one place, each with its source."""

from __future__ import annotations

from typing import Final

REQUESTS_PER_MINUTE: Final = 200
"""Upserts, searches or removals that SendGrid takes a minute, each kind for itself; recorded from the live API."""

IMPORT_USUAL: Final = 30.0
"""Seconds that SendGrid's import jobs mostly take; recorded from the live API."""

CRON_MAX: Final = 200
"""Longest cron expression, in characters. Ours: all minutes of an hour, listed one by one, take 170."""

USERS_MAX: Final = 500
"""Most people whom a connection may be shared with. Ours."""

SEGMENTS_MAX: Final = 200
"""Most segments of an export. Ours."""

NULLS_MAX: Final = 50
"""Most values of an export's source that mean nothing. Ours."""

DECLARED_COLUMNS_MAX: Final = 50_000
"""Most columns that an export or a model.json declares. Ours."""

CUSTOM_FIELDS_MAX: Final = 500
"""Most custom fields of an account.

https://www.twilio.com/docs/sendgrid/ui/managing-contacts/custom-fields
"""

MAPPED_FIELDS_MAX: Final = 550
"""Most fields of a mapping: all custom fields and SendGrid's own."""

CONTACTS_PER_REQUEST: Final = 30_000
"""Most contacts in one upsert.

https://www.twilio.com/docs/sendgrid/api-reference/contacts/add-or-update-a-contact
"""

BYTES_PER_REQUEST: Final = 5_500_000
"""Most bytes of one upsert's body; SendGrid says 6 MB without saying which, so a margin stays."""

REQUEST_OVERHEAD_BYTES: Final = 200
"""Bytes of the body around the contacts: `{"list_ids":["…"],"contacts":[…]}`."""

ALTERNATE_EMAILS_MAX: Final = 5
"""Most alternate e-mail addresses of a contact (same page)."""

EMAIL_MAX: Final = 254
"""Longest e-mail address SendGrid takes (same page)."""

FIELD_LENGTHS: Final = {
    "email": EMAIL_MAX,
    "alternate_emails": EMAIL_MAX,
    "first_name": 50,
    "last_name": 50,
    "address_line_1": 100,
    "address_line_2": 100,
    "city": 60,
    "state_province_region": 50,
    "country": 50,
    "postal_code": 50,
    "phone_number_id": 50,
    "external_id": 254,
    "anonymous_id": 254,
    "phone_number": 50,
    "whatsapp": 50,
    "line": 50,
    "facebook": 50,
    "unique_name": 50,
}
"""Longest value, in characters, of each writable reserved field.

The lengths of postal_code, phone_number_id, phone_number, whatsapp, line, facebook and unique_name are not
published; 50 is ours, the shortest that SendGrid publishes for any field.
"""

CUSTOM_TEXT_MAX: Final = 1_000
"""Longest text of a custom field, in characters.

https://www.twilio.com/docs/sendgrid/ui/managing-contacts/custom-fields
"""

DEFAULT_MAX_CONTACTS: Final = 100_000
"""A run that would send more is skipped unless the export raises `max_contacts` on purpose."""

MESSAGE_MAX: Final = 500
"""Longest quotation of SendGrid's words in a document, in characters."""

REQUEST_DEADLINE: Final = 90.0
"""Seconds until a call to SendGrid counts as unanswered."""

BACKOFF_BASE: Final = 2.0
"""Seconds: the first wait of the back-off is a random share of this, each next one of twice as much …"""

BACKOFF_CAP: Final = 300.0
"""… up to this many seconds."""

STORAGE_WAIT_CAP: Final = 30.0
"""Seconds a message is put off at most when storage does not answer: the queue does, so a look costs nothing."""

BLOCK_WAIT: Final = 600.0
"""Seconds to stay away after SendGrid's temporary block for too many bad requests."""

BLOCK_TRIES: Final = 6
"""Tries against a temporary block before the run ends."""

DELIVERY_DEADLINE: Final = 12 * 3600.0
"""Seconds after the plan in which a chunk must be accepted; survives a full outage of six hours."""

PREPARATION_DEADLINE: Final = 12 * 3600.0
"""Seconds after its start in which a run must get through SendGrid's and the vault's preflight."""

TICKS_MISSED: Final = 3
"""So many ticks in a row that a timer misses make the app unwell."""

FIRST_TICK_WITHIN: Final = 900.0
"""Seconds after the app's start in which a timer must tick for the first time; a third of it is always allowed."""

POLL_FIRST: Final = 3.0
"""Seconds from acceptance to the first look at the import job; each next wait is half as long again …"""

POLL_CAP: Final = 120.0
"""… up to this many seconds."""

POLL_CLOSE: Final = 1.0
"""Seconds from the likely end of an import job to the next look; each next wait is half as long again."""

IMPORT_DEADLINE: Final = 24 * 3600.0
"""Seconds after acceptance until an import job without an end counts as unconfirmed."""

LIST_EXPORT_DEADLINE: Final = 6 * 3600.0
"""Seconds after it was asked for until SendGrid's export of a list is waited for no longer; none is published."""

LIST_EXPORT_TRIES: Final = 3
"""How often an export of a list is asked for that fails, vanishes, or whose files are gone or damaged."""

LIST_EXPORT_UNKNOWN: Final = 300.0
"""Seconds in which SendGrid may not know yet of an export that it has accepted."""

LARGE_FILE_DEADLINE: Final = 1200.0
"""Seconds until a file of an export must be read: two thirds of what a function may take."""

LARGE_FILE_MAX: Final = 6_000_000_000
"""Most bytes of a file of an export, as it is stored; SendGrid makes none above 5,000 MB unless it is told to.

https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

KEY_LIFETIME: Final = 300.0
"""Seconds an API key is kept in memory before it is read again."""

KEY_MAX: Final = 500
"""Longest API key that is taken, in characters; SendGrid's have 69. Ours."""

ERROR_FILE_MAX: Final = 5_000_000
"""Most bytes kept of SendGrid's error file."""

QUEUE_DELAY_MAX: Final = 7 * 24 * 3600 - 60.0
"""Seconds; Azure Storage queues hide a message for seven days at most.

https://learn.microsoft.com/rest/api/storageservices/put-message
"""

SWEEP_AFTER: Final = 45.0
"""Seconds by which a message is late when the sweeper sends it again; whose process is dead needs no such wait."""

RETENTION: Final = 7 * 24 * 3600.0
"""Seconds that chunks and abandoned attempts are kept after their run ended."""

EXPORT_LOCK_WAIT: Final = 15.0
"""Seconds between the first looks of a run that waits for another run of its export to end; later a fifth of its
age …"""

EXPORT_LOCK_WAIT_CAP: Final = 120.0
"""… up to this many seconds."""

HEARTBEAT: Final = 10.0
"""Seconds between two signs of life of a process that works on messages."""

DEAD_AFTER: Final = 40.0
"""Seconds without a sign of life after which a process is dead, if storage was there all the time."""

CLAIM_LIFETIME: Final = 180.0
"""Seconds after which a chunk that somebody is sending counts as abandoned; REQUEST_DEADLINE and a margin."""

SUSPECT_LOOK: Final = 5.0
"""Seconds until a message that may kill its worker looks again whether it can be tried alone."""

JUDGED_WITHIN: Final = 60.0
"""Seconds after a worker's death in which a suspected message is back and judged: DEAD_AFTER and a few looks."""

BACK_FROM_THE_DEAD: Final = 180.0
"""Seconds after a worker's death in which its messages are back, if the host lives.

A dead host's come back when their leases end: after five minutes at least, since they are renewed at half of ten.
"""

PLANNER_LOOK: Final = 2.0
"""Seconds between two looks of a run for a planner that is free."""

PREVIEWS_AT_ONCE: Final = 4
"""Previews under way on an instance; it has 16 threads for everything."""

PREVIEWS_OF_A_CALLER: Final = 2
"""Previews of one caller under way on an instance."""

PREVIEW_WAIT: Final = 1.0
"""Seconds that a preview waits for the planner."""

PREVIEW_RETRY_AFTER: Final = 10.0
"""Seconds after which a preview that was not served may be asked for again."""

PREVIEW_SECONDS: Final = 20.0
"""Seconds after which a preview reads nothing more; whoever asked waits on a thread of the instance."""

PREVIEW_BYTES: Final = 256_000_000
"""Most bytes that a preview reads of what is stored. Ours: 100,000 rows are 20 MB of text."""

SEGMENT_ROWS: Final = 100
"""Most rows of a segment that are looked at to describe its columns."""

SEGMENT_BYTES: Final = 64_000_000
"""Most bytes of what is stored that are read for it. Ours: a page of each of fifty columns of Parquet."""

SEGMENT_SECONDS: Final = 20.0
"""Seconds after which nothing more is read for it; whoever asked waits on a thread of the instance."""

SAVE_CHECK_SECONDS: Final = 5.0
"""Seconds that saving an export waits for a look at its extracts and at SendGrid."""

WAIT_MAX: Final = 20
"""Seconds that a caller may wait for a run to change, on a thread of the instance."""

WAIT_LOOK: Final = 1.0
"""Seconds between two looks for such a change."""

WAITS_AT_ONCE: Final = 4
"""Callers that wait for a run on an instance, which has 16 threads for all; others are answered at once."""

CLAIM_LOOK: Final = 20.0
"""Seconds between two looks of a message at a chunk that another one is sending."""

REFUSAL_REQUESTS: Final = 40
"""Most refused upserts of one chunk before what is left of it is given up: finding one unnamed contact among
30,000 by halving takes 30. SendGrid blocks accounts that send too many bad requests."""

JOB_PATIENCE: Final = 8
"""Looks at an import job that SendGrid does not know, or whose counters are empty, before that is believed."""

RESENDS: Final = 2
"""How often contacts are sent again when their import job failed or vanished."""

CLEAN_EVERY: Final = 6 * 3600.0
"""Seconds between two looks for things past their retention."""

NAME_MAX: Final = 100
"""Longest name of a connection or export, in characters. Ours."""

LIST_NAME_MAX: Final = 100
"""Longest name of a list, in characters.

https://www.twilio.com/docs/sendgrid/api-reference/lists/create-list
"""

RUNS_SCANNED_MAX: Final = 500
"""Runs that are looked at for one page of the history at most; the next page goes on there."""

IDEMPOTENCY_KEPT: Final = 24 * 3600.0
"""Seconds for which an Idempotency-Key stands for its request."""

POISON_RETENTION: Final = 30 * 24 * 3600.0
"""Seconds that messages which failed too often are kept for diagnosis."""

RECORD_BYTES_MAX: Final = 1_000_000
"""Longest record of an extract, in bytes of UTF-8; a longer one is rejected. Ours: a profile has kilobytes."""

PLANNER_MEMORY: Final = "900MB"
"""Most memory of the planner's engine; an instance has 2 GB for the whole process."""

MEMBERS_MEMORY: Final = "450MB"
"""Most memory of the engine that writes a generation of members; what is more goes to temporary disk."""

MEMBERS_DISK: Final = "500MB"
"""Most temporary disk of that engine."""

PLANNER_DISK: Final = "600MB"
"""Most temporary disk of the planner's engine; a Flex Consumption instance has 0.8 GB.

https://learn.microsoft.com/azure/azure-functions/functions-scale#service-limits
"""

MODEL_BYTES_MAX: Final = 16 << 20
"""Largest model.json that is read, in bytes. Ours: one of thousands of tables has some megabytes."""

MODEL_TABLES_MAX: Final = 10_000
"""Most tables of a model.json. Ours: an environment has hundreds."""

MODEL_FILES_MAX: Final = 50_000
"""Most files of a table of a model.json. Ours: large tables have hundreds."""

LISTING_SECONDS: Final = 30.0
"""Seconds after which the segment listing looks at no more segments, but only names them."""

LISTING_MEMORY: Final = "200MB"
"""Most memory of the engine that reads the beginnings of files for the segment listing."""

EXTRACT_WAIT: Final = 3600.0
"""Seconds after its start in which a run waits for the newest delivery to be complete, unless the export says."""

EXTRACT_LOOK: Final = 60.0
"""Seconds between two looks of a run that waits for its extract."""

SETTLE: Final = 120.0
"""Seconds in which no file of an extract may change before it is read, unless the export says."""

SETTLE_MAX: Final = 12 * 3600.0
"""Most seconds that an export may say instead."""

EVENTS_GATHERED: Final = 5.0
"""Seconds from an event about a file to the look that it asks for: so one look serves a whole upload."""

ARRIVAL_LOOK: Final = 600.0
"""Seconds after the last look for arrivals at which the timer asks for one, for the event may be lost."""

LOOK_LOST: Final = 300.0
"""Seconds after which a look that has begun and not ended is nobody's any more."""

UNPACKED_GB_MAX: Final = 100
"""Gigabytes (10⁹ bytes) of text in an extract, unless its export says. Ours: 500 million rows of 200 bytes."""

UNPACKED_RATIO_MAX: Final = 250
"""Bytes of text for one that is stored, unless the export says. Ours: gzip packs real tables 3 to 30 times."""

UNPACKED_RATIO_FROM: Final = 64_000_000
"""Bytes of text from which the ratio counts: small files of one value repeated pack well."""

ROWS_MAX: Final = 1_000_000_000
"""Most rows of a plan, unless the export says."""

COLUMNS_MAX: Final = 5_000
"""Most columns of a file, unless the export says."""

REJECTED_LISTED_MAX: Final = 100_000
"""Rejected rows that are listed one by one; the others are counted only."""

UNDECODABLE_SHARE_MAX: Final = 0.01
"""With a larger share of rows that cannot be decoded, the encoding is wrong, and nothing is sent."""

REMOVALS_PER_REQUEST: Final = 100
"""Addresses of one search and ids of one removal; the search takes no more, and ids stand in the address.

https://www.twilio.com/docs/sendgrid/api-reference/contacts/get-contacts-by-emails
"""

LOOK_UP_FROM: Final = 100_000
"""With so many leavers in a plan their ids come from one export of the list, and not from searches.

By searches that is 1,000 requests, five minutes at 200 a minute. An export is a few requests, SendGrid's time for
it, which is not published, and a download of the whole list: a minute or two for ten million contacts.
"""

LOOK_UP_PATIENCE: Final = 900.0
"""Seconds after which an export is waited for no longer, and ids are searched; 300,000 leavers' time."""

LOOK_UP_LOOK: Final = 30.0
"""Seconds between two looks of a removal at the export that another one follows."""

LOOK_UP_MEMORY: Final = "100MB"
"""Most memory of the engine that reads the ids of a chunk."""

RESEND_EVERY_DAYS: Final = 30
"""Days after which unchanged contacts are sent again, unless the export says otherwise."""

LIST_DRIFT_MAX: Final = 0.01
"""With a larger share of the members missing on the list, by SendGrid's count, all are sent again."""

LIST_COUNT_LAG: Final = 1800.0
"""Seconds after a run in which SendGrid's count of the list says nothing about who is missing on it.

Counts lag behind imports by minutes, nobody says by how many at most. For so long a list is looked after.
"""

LIST_LOOK_FIRST: Final = 10.0
"""Seconds from the end of a run to the first look whether its list is ready; the next ones wait twice as long."""

LIST_LOOK_CAP: Final = 120.0
"""Most seconds between two looks after a list; within LIST_COUNT_LAG that is some twenty requests."""

LIST_STEADY: Final = 60.0
"""Seconds for which SendGrid's count of a list must stay the same. Ours: an import takes effect after 30 s."""

EXPECT_EVERY_MIN: Final = 60.0
"""Shortest time in which an export may be expected to succeed, in seconds. Ours."""

EXPECT_EVERY_MAX: Final = 366 * 24 * 3600.0
"""Longest such time, in seconds. Ours."""

OVERDUE_EVERY: Final = 300.0
"""Seconds between two looks for exports that are overdue."""

OVERDUE_EXPORTS_A_TICK: Final = 200
"""Exports that one tick of the timer looks at; three small reads each."""

REJECTED_SHARES_KEPT: Final = 10
"""Runs whose rejected share is kept to hold the next one against."""

REJECTED_JUMP_FROM: Final = 3
"""Runs from which it is known what share is usual."""

REJECTED_JUMP: Final = 0.01
"""A rejected share has jumped when it is twice the usual one, this much above it, and …"""

REJECTED_JUMP_ROWS: Final = 10
"""… of so many rows."""

REMOVAL_SHARE_MAX: Final = 0.1
"""With a larger share of leavers among the members nobody is taken off the list, unless the export says so."""

REJECTED_SHARE_MAX: Final = 0.2
"""With a larger share of rejected rows a run is completed with a warning, unless the export says otherwise."""

APPEND_BLOCKS_MAX: Final = 40_000
"""Blocks after which a blob of the audit log is left for a new one; an append blob takes 50,000.

https://learn.microsoft.com/rest/api/storageservices/append-block
"""

DENIALS_FOLDED: Final = 60.0
"""Seconds in which like denials of a caller are counted instead of written one by one."""

AUDIT_PAGE_MAX: Final = 1_000
"""Most entries of a page of the audit log."""

AUDIT_SCAN_MAX: Final = 50_000
"""Entries that are looked at for one page at most, about a second's work; the next page goes on there."""

TARGETS_NAMED_MAX: Final = 200
"""Most connections, or exports, that a notification target names. Ours."""

TARGET_URL_MAX: Final = 2_000
"""Longest address of a notification target, in characters. Ours: one with a signature in it takes some hundred."""

NOTIFY_SECONDS: Final = 15.0
"""Seconds that a notification target may take to answer; the least that the specification advises.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

NOTIFY_TEST_SECONDS: Final = 10.0
"""The same of a test, for which somebody waits."""

NOTIFY_WAITS: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 2 * 3600.0, 4 * 3600.0)
"""Seconds between two tries to notify; the last one again and again. A random share of up to a fifth is added."""

NOTIFY_DEADLINE: Final = 24 * 3600.0
"""Seconds after something happened until a target that does not take its notification is told of it no more."""

NOTIFY_CLAIM: Final = 60.0
"""Seconds after which a try to notify counts as abandoned: NOTIFY_SECONDS, a look-up, and a margin."""

NOTIFY_AT_ONCE: Final = 4
"""Tries to notify under way in a process, which has 16 threads for everything; others wait their turn."""

NOTIFY_TURN: Final = 3.0
"""Seconds until a notification that found all places taken looks again."""

NOTIFY_TESTS_AT_ONCE: Final = 2
"""Tests of notification targets under way in a process."""

OLD_SECRET_KEPT: Final = 24 * 3600.0
"""Seconds after a new version of a signing secret in which the one before signs, too."""
