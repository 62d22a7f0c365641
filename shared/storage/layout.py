"""Names of all blobs in the state container.

connections/{id}.json  exports/{id}.json          definitions
notifications/targets/{id}.json                   definitions, too: who is told
notifications/notices/{notice}.json               what there is to tell
notifications/deliveries/{notice}/{target}.json   how far telling it to one target is
notifications/states/{target}.json                how telling a target went last
active/{export}/{run}                             a run that is not over; what the sweeper looks at
locks/exports/{export}.json                       the run of the export that may go on
locks/lists/{list}.json                           the run that may change who is on the list
list-checks/{list}.json                           the look after a list once a run on it is over
members/{export}.json                             which generation of the export's members is the current one
members/{export}/{run}-{attempt}.parquet          the members after a run: people's data
successes/{export}.json                           the last successful run and what it was made from
freshness/{export}.json                           when the export last succeeded, how old what it read was
overdue/{export}.json                             whether an export that is watched is overdue
overdue.json                                      how far the look for overdue exports is
requests/{export}/keys/{digest}.json              which run an Idempotency-Key started, for a day
requests/{export}/{uid}-adoption.json             which run adopts the list, or did last
cleaning.json                                     when old chunks were last deleted
awaited/{export}.json                             how far an export is that waits for its extract
look-out.json                                     who looks next for extracts that have arrived
schedule.json                                     up to when the timer has looked for due exports
pulse/{timer}.json                                when a timer last ticked
limiters/{connection}/{endpoint}.json             when SendGrid wants to be left alone, how long jobs take
suspects/{queue}/{export}/{run}/{chunk}/{origin}.json  a message that may kill its worker
processes/{process}                               when a process that works last showed a sign of life
poison/{queue}/{message}.txt                      messages that failed too often, for diagnosis
runs/{export}/{run}/run.json                      the run
runs/{export}/{run}/plan.json                     what it sends, once decided
runs/{export}/{run}/attempts/{attempt}/chunks/    00001.ndjson …: people's data
runs/{export}/{run}/attempts/{attempt}/rejected/  00001.csv …, refused.csv: ids of people
runs/{export}/{run}/attempts/{attempt}/input.json what the plan was made from
runs/{export}/{run}/attempts/{attempt}/missing.parquet members that are in no extract: people's data
runs/{export}/{run}/attempts/{attempt}/examples.json whom a dry run has met, masked
runs/{export}/{run}/attempts/{attempt}/others/    00001.csv …, of an adoption: people's data
runs/{export}/{run}/attempts/{attempt}/found-ids/ {token}.parquet, of leavers: people's data
runs/{export}/{run}/look-up.json                  how far the search for the ids of many leavers is
runs/{export}/{run}/list-export.json              SendGrid's export of the list that an adoption waits for
runs/{export}/{run}/adoption.json                 what an adoption has found
runs/{export}/{run}/retry.json                    which run sends what this one left over, or did last
runs/{export}/{run}/confirmation.json             which run takes off the list whom this one was not allowed to
runs/{export}/{run}/deliveries/00001.json         what SendGrid accepted of the chunk
runs/{export}/{run}/results/00001.json            how the chunk ended
runs/{export}/{run}/errors/00001-{job}            SendGrid's error file: people's data
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


def connection_blob(connection: str) -> str:
    """Blob of a connection's definition."""
    return f"connections/{connection}.json"


def export_blob(export: str) -> str:
    """Blob of an export's definition."""
    return f"exports/{export}.json"


NOTIFICATION_TARGETS = "notifications/targets/"
NOTICES = "notifications/notices/"
NOTIFICATION_DELIVERIES = "notifications/deliveries/"


def notification_target_blob(target: str) -> str:
    """Blob of a notification target's definition."""
    return f"{NOTIFICATION_TARGETS}{target}.json"


def notice_blob(notice: str) -> str:
    """Blob of what there is to tell."""
    return f"{NOTICES}{notice}.json"


def notification_delivery_blob(notice: str, target: str) -> str:
    """Blob that says how far telling a target is."""
    return f"{NOTIFICATION_DELIVERIES}{notice}/{target}.json"


def notification_state_blob(target: str) -> str:
    """Blob that says how telling a target went last."""
    return f"notifications/states/{target}.json"


def export_lock_blob(export: str) -> str:
    """Blob that says which run of an export may go on."""
    return f"locks/exports/{export}.json"


def list_lock_blob(list_id: UUID) -> str:
    """Blob that says which run may change who is on a list."""
    return f"locks/lists/{list_id}.json"


LIST_CHECKS = "list-checks/"


def list_check_blob(list_id: UUID) -> str:
    """Blob of the look after a list."""
    return f"{LIST_CHECKS}{list_id}.json"


def freshness_blob(export: str) -> str:
    """Blob of what the runs of an export tell of how fresh it is."""
    return f"freshness/{export}.json"


EXPORT_WATCHES = "overdue/"


def export_watch_blob(export: str) -> str:
    """Blob that says whether an export is overdue."""
    return f"{EXPORT_WATCHES}{export}.json"


WATCH_STATE_BLOB = "overdue.json"


def success_blob(export: str) -> str:
    """Blob that remembers the last success of an export."""
    return f"successes/{export}.json"


def membership_blob(export: str) -> str:
    """Blob that names the current generation of an export's members."""
    return f"members/{export}.json"


def members_folder(export: str) -> str:
    """Folder of the generations."""
    return f"members/{export}/"


def members_blob(export: str, run: str, attempt: str) -> str:
    """The members that a run left, as one attempt has written them."""
    return f"{members_folder(export)}{run}-{attempt}.parquet"


def request_blob(export: str, key_digest: str) -> str:
    """Blob that remembers the run of an Idempotency-Key."""
    return f"requests/{export}/keys/{key_digest}.json"


def adoption_request_blob(export: str, uid: str) -> str:
    """Blob that remembers the newest adoption of an export's list."""
    return f"requests/{export}/{uid}-adoption.json"


def awaited_blob(export: str) -> str:
    """Blob that says how far an export is that waits for its extract."""
    return f"awaited/{export}.json"


LOOK_OUT_BLOB = "look-out.json"
SCHEDULE_BLOB = "schedule.json"
CLEANING_BLOB = "cleaning.json"


def limiter_blob(connection: str, endpoint: str) -> str:
    """Blob of the rate limiter of an endpoint, for one connection."""
    return f"limiters/{connection}/{endpoint}.json"


def pulse_blob(timer: str) -> str:
    """Blob that says when a timer last ticked."""
    return f"pulse/{timer}.json"


def heartbeat_blob(process: str) -> str:
    """Blob that a process writes while it works."""
    return f"processes/{process}"


def suspect_blob(queue: str, export: str, run: str, chunk: int, origin: str) -> str:
    """Blob that is there while a message of that origin is tried alone or waits for it."""
    return f"{suspects_of(queue, export, run, chunk)}{origin}.json"


def suspects_of(queue: str, export: str, run: str, chunk: int) -> str:
    """Folder of all suspects about a chunk; 0 stands for the whole run."""
    return f"{suspects_folder(queue, export, run)}{chunk}/"


def suspects_folder(queue: str, export: str, run: str) -> str:
    """Folder of a run's suspects on one queue."""
    return f"suspects/{queue}/{export}/{run}/"


def poison_blob(queue: str, message: str) -> str:
    """Blob of a message that failed too often."""
    return f"poison/{queue}/{message}.txt"


@dataclass(frozen=True, kw_only=True)
class RunBlobs:
    """Names of everything that belongs to a run."""

    export: str
    run: str

    @property
    def folder(self) -> str:
        """With its closing slash."""
        return f"runs/{self.export}/{self.run}/"

    @property
    def marker(self) -> str:
        """There while the run is not over."""
        return f"active/{self.export}/{self.run}"

    @property
    def document(self) -> str:
        """The run itself."""
        return f"{self.folder}run.json"

    @property
    def plan(self) -> str:
        """The plan, once committed."""
        return f"{self.folder}plan.json"

    @property
    def attempts(self) -> str:
        """Folder of the planning attempts."""
        return f"{self.folder}attempts/"

    @property
    def deliveries(self) -> str:
        """Folder of what SendGrid accepted."""
        return f"{self.folder}deliveries/"

    @property
    def results(self) -> str:
        """Folder of how chunks ended."""
        return f"{self.folder}results/"

    def chunk(self, attempt: str, number: int) -> str:
        """Contacts of a chunk, one JSON object a line."""
        return f"{self.attempts}{attempt}/chunks/{number:05}.ndjson"

    def rejected(self, attempt: str, part: int) -> str:
        """A part, from 1, of the rows that are not sent, and why."""
        return f"{self.rejected_folder(attempt)}{part:05}.csv"

    def rejected_folder(self, attempt: str) -> str:
        """Folder of the parts of that list."""
        return f"{self.attempts}{attempt}/rejected/"

    def refused(self, attempt: str) -> str:
        """The last part of that list: contacts that SendGrid refused."""
        return f"{self.rejected_folder(attempt)}refused.csv"

    def plan_input(self, attempt: str) -> str:
        """What the plan was made from."""
        return f"{self.attempts}{attempt}/input.json"

    def examples(self, attempt: str) -> str:
        """Whom a dry run has met, masked."""
        return f"{self.attempts}{attempt}/examples.json"

    def missing(self, attempt: str) -> str:
        """Members that are in no extract."""
        return f"{self.attempts}{attempt}/missing.parquet"

    def others(self, attempt: str, part: int) -> str:
        """A part, from 1, of those on the list whom nobody brings."""
        return f"{self.others_folder(attempt)}{part:05}.csv"

    def others_folder(self, attempt: str) -> str:
        """Folder of the parts of that list."""
        return f"{self.attempts}{attempt}/others/"

    def found_ids(self, attempt: str, token: str) -> str:
        """The ids of leavers, as one message has found them."""
        return f"{self.found_ids_folder(attempt)}{token}.parquet"

    def found_ids_folder(self, attempt: str) -> str:
        """Folder of those."""
        return f"{self.attempts}{attempt}/found-ids/"

    @property
    def look_up(self) -> str:
        """How far the search for the ids of many leavers is."""
        return f"{self.folder}look-up.json"

    @property
    def list_export(self) -> str:
        """SendGrid's export of the list that an adoption waits for."""
        return f"{self.folder}list-export.json"

    @property
    def adoption(self) -> str:
        """What an adoption has found, once committed."""
        return f"{self.folder}adoption.json"

    @property
    def confirmation(self) -> str:
        """Which run does the removals that this one holds."""
        return f"{self.folder}confirmation.json"

    @property
    def retry(self) -> str:
        """Which run sends what this one left over, or did last."""
        return f"{self.folder}retry.json"

    def delivery(self, number: int) -> str:
        """What SendGrid accepted of a chunk."""
        return f"{self.deliveries}{number:05}.json"

    def result(self, number: int) -> str:
        """How a chunk ended."""
        return f"{self.results}{number:05}.json"

    def error_files(self, number: int) -> str:
        """Begin of the names of SendGrid's error files about a chunk."""
        return f"{self.folder}errors/{number:05}-"

    def error_file(self, number: int, job: str) -> str:
        """SendGrid's error file of an import job."""
        return f"{self.error_files(number)}{job}"


def number_of(name: str) -> int:
    """Chunk number of a delivery's or result's blob name."""
    return int(name.rsplit("/", 1)[1].removesuffix(".json"))
