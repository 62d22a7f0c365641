"""One SendGrid account: its people, lists, fields and jobs, and what its jobs do."""

from collections.abc import Iterable
from functools import partial
from typing import Final

import orjson

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.csv_import import ImportWish, UnprocessableFileError, read_contacts
from local.sendgrid_simulator.export_files import write_files
from local.sendgrid_simulator.exports import ExportFiles, Exports, ExportWish
from local.sendgrid_simulator.faults import Fault, Outcome
from local.sendgrid_simulator.fields import CustomFields
from local.sendgrid_simulator.jobs import ContactFailure, JobResult, Jobs, Work
from local.sendgrid_simulator.lists import ContactList, Lists
from local.sendgrid_simulator.people import Change, Contact, ContactError, Contacts, iso
from local.sendgrid_simulator.suppressions import Suppressions
from local.sendgrid_simulator.validation import problems_with

NEWER_IDENTIFIERS: Final = frozenset(limits.IDENTIFIERS) - {"email"}
OLDER_TEXTS: Final = tuple(name for name in limits.TEXT_LENGTHS if name not in NEWER_IDENTIFIERS)


class Account:
    """The state behind the API; not safe to use from several threads at once."""

    def __init__(self) -> None:
        self.contacts = Contacts()
        self.lists = Lists()
        self.fields = CustomFields()
        self.jobs = Jobs()
        self.imports: dict[str, ImportWish] = {}
        """Under the ids of their jobs."""
        self.exports = Exports()
        self.suppressions = Suppressions()
        self.erased: set[str] = set()
        """Addresses whose erasure was asked for."""

    def settle(self, now: float) -> None:
        """Does what is due: first the jobs, so that exports see what they did."""
        self.jobs.settle(now)
        self.lists.note_counts(now)
        self.exports.settle(now)

    def upserting(
        self, body: bytes, list_ids: list[str], *, accepted: float, effect: float, fault: Fault | None
    ) -> Work:
        """Gives the work of a checked upsert; the body stays unparsed until then, to save memory.

        New contacts are created at its acceptance and updated at its effect: so the times were recorded.
        """
        return partial(self._upsert, body, list_ids, (accepted, effect), fault)

    def importing(self, content: bytes, wish: ImportWish, *, accepted: float, effect: float) -> Work:
        """Gives the work of importing an uploaded file."""
        return partial(self._import, content, wish, (accepted, effect))

    def removing(self, from_list: ContactList, numbers: set[int]) -> Work:
        """Gives the work of taking contacts off a list."""
        return partial(_remove, from_list, numbers)

    def deleting(self, numbers: set[int]) -> Work:
        """Gives the work of deleting contacts from the account."""
        return partial(self._delete, numbers)

    def removing_identifier(self, contact: Contact, kind: str, effect: float) -> Work:
        """Gives the work of taking an identifier off a contact."""
        return partial(self._remove_identifier, contact.number, kind, effect)

    def describe_contact(self, contact: Contact, public_url: str) -> Json:
        """Shows a contact in the words of the schema `ContactDetails3`.

        Recorded are the names of custom fields instead of the ids that they are written by, null for no segment,
        and that the newer identifiers are left out when there are none.
        """
        contact_id = self.contacts.contact_id(contact)
        fields = contact.parse_fields()
        custom = self.fields.shown(fields.get("custom_fields", {}))
        return (
            dict.fromkeys(OLDER_TEXTS, "")
            | {"id": contact_id, "alternate_emails": []}
            | {name: value for name, value in fields.items() if value or name not in NEWER_IDENTIFIERS}
            | {"custom_fields": custom}
            | {"list_ids": self.lists.ids_with(contact.number), "segment_ids": None}
            | {"created_at": iso(contact.created), "updated_at": iso(contact.updated)}
            | {"_metadata": {"self": f"{public_url}/v3/marketing/contacts/{contact_id}"}}
        )

    def write_export(self, wish: ExportWish, public_url: str, *, most_rows: int, compressed: bool) -> ExportFiles:
        """Writes the contacts that an export is for, in no order."""
        lists = [found for each in wish.list_ids if (found := self.lists.get(each))]
        numbers = (
            {number for each in lists for number in each.members} if wish.list_ids else self.contacts.numbers()
        )
        contacts = self.contacts.list_numbered(sorted(numbers, key=_shuffled))
        return write_files(
            (self.describe_contact(each, public_url) for each in contacts),
            wish,
            custom_fields=[each.name for each in self.fields.list_all()],
            most_rows=most_rows,
            compressed=compressed,
        )

    def _upsert(
        self, body: bytes, list_ids: list[str], times: tuple[float, float], fault: Fault | None
    ) -> JobResult:
        incoming: list[Json] = orjson.loads(body)["contacts"]
        return self._store(incoming, len(incoming), list_ids, times, fault)

    def _import(self, content: bytes, wish: ImportWish, times: tuple[float, float]) -> JobResult:
        """Reads the file twice, so that one which is spoilt at its end has no effect."""
        try:
            requested = sum(1 for _ in read_contacts(content, wish.columns, self.fields))
        except UnprocessableFileError as problem:
            failure = ContactFailure(index=0, email="", reason=str(problem))
            return JobResult(counts={"requested_count": 0}, failures=[failure], unprocessable=True)
        contacts = read_contacts(content, wish.columns, self.fields)
        return self._store(contacts, requested, wish.list_ids, times, wish.fault, checked=False)

    def _store(
        self,
        incoming: Iterable[Json],
        requested: int,
        list_ids: Iterable[str],
        times: tuple[float, float],
        fault: Fault | None,
        *,
        checked: bool = True,
    ) -> JobResult:
        """Stores contact after contact, so that the last one of an address wins, field by field."""
        counts = {"requested_count": requested, "created_count": 0, "updated_count": 0}
        result = JobResult(counts=counts)
        lists = [found for list_id in list_ids if (found := self.lists.get(list_id))]
        for index, each in enumerate(incoming):
            try:
                if _is_doomed(index, each, fault):
                    raise ContactError("the contact could not be processed")  # noqa: TRY301 - one way to fail
                if not checked:
                    _check(each)
                contact, change = self._upsert_one(each, times)
            except ContactError as reason:
                email = str(each.get("email", ""))
                result.failures.append(ContactFailure(index=index, email=email, reason=str(reason)))
                continue
            counts[f"{change}_count"] += 1
            for joined in lists:
                joined.members[contact.number] = None
        return result

    def _upsert_one(self, incoming: Json, times: tuple[float, float]) -> tuple[Contact, Change]:
        """Checks what needs the types of the custom fields, then stores.

        That SendGrid accepts such values and then loses the contact is reported in
        https://github.com/sendgrid/sendgrid-go/issues/366.
        """
        for field_id, value in incoming.get("custom_fields", {}).items():
            if problem := self.fields.problem_with(field_id, value):
                raise ContactError(problem)
        accepted, effect = times
        return self.contacts.upsert(incoming, created=accepted, updated=effect)

    def _remove_identifier(self, number: int, kind: str, effect: float) -> JobResult:
        result = JobResult(counts={"requested_count": 1, "updated_count": 0})
        try:
            self.contacts.remove_identifier(number, kind, effect)
            result.counts["updated_count"] = 1
        except ContactError as reason:
            result.failures.append(ContactFailure(index=0, email="", reason=str(reason)))
        return result

    def _delete(self, numbers: set[int]) -> JobResult:
        self.lists.forget(numbers)
        deleted = self.contacts.delete(numbers)
        return JobResult(counts={"requested_count": len(numbers), "deleted_count": deleted})


def _shuffled(number: int) -> int:
    return number * 2_654_435_761 % (1 << 32)


def _remove(from_list: ContactList, numbers: set[int]) -> JobResult:
    removed = numbers & from_list.members.keys()
    for number in removed:
        del from_list.members[number]
    return JobResult(counts={"requested_count": len(numbers), "deleted_count": len(removed)})


def _check(contact: Json) -> None:
    """Raises ContactError for what an upsert would have been refused for."""
    for problem in problems_with(contact, "row"):
        raise ContactError(problem["message"])


def _is_doomed(index: int, contact: Json, fault: Fault | None) -> bool:
    """Says whether a fault makes this contact fail."""
    if fault is None or fault.outcome not in {Outcome.ERRORED, Outcome.FAILED}:
        return False
    if fault.outcome is Outcome.FAILED:
        return True
    if fault.emails:
        return str(contact.get("email")).lower() in {each.lower() for each in fault.emails}
    return index < fault.errored_count
