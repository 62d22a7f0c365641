"""The contacts of an account and who is on which list."""

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import orjson

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Json

IDENTIFIER_WORDS = ("EID", "PHNID", "EXTID", "AID")
"""The words of `identifier_counts` for `limits.IDENTIFIERS`."""

_SERIAL = re.compile(r"[0-9a-f]{12}")


class Change(StrEnum):
    """What an upsert did to one contact."""

    CREATED = "created"
    UPDATED = "updated"


class ContactError(Exception):
    """One contact of an accepted request cannot be stored; the others can."""


@dataclass(slots=True, eq=False)
class Contact:
    """One person; the fields are kept as JSON text, because a million dicts would need a gigabyte more."""

    number: int
    fields: bytes
    created: float
    updated: float
    identifiers: int = 0
    """Which of `limits.IDENTIFIERS` it has, a bit each."""

    def parse_fields(self) -> Json:
        """Gives the fields as they were sent, identifiers and custom fields included."""
        fields: Json = orjson.loads(self.fields)
        return fields


class Contacts:
    """All contacts of one account, found by any of their identifiers or alternate e-mails."""

    def __init__(self) -> None:
        self._by_number: dict[int, Contact] = {}
        self._by_identifier: dict[str, Contact] = {}
        self._by_alternate: dict[str, Contact] = {}
        self._last_number = 0
        self._id_prefix = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}-8000-"

    def __len__(self) -> int:
        return len(self._by_number)

    def numbers(self) -> set[int]:
        """Gives the numbers of all contacts."""
        return set(self._by_number)

    def contact_id(self, contact: Contact) -> str:
        """Gives the contact's UUID, which is computed rather than stored."""
        return f"{self._id_prefix}{contact.number:012x}"

    def get_by_id(self, contact_id: str) -> Contact | None:
        """Finds a contact by its UUID."""
        number = contact_id.removeprefix(self._id_prefix)
        return self._by_number.get(int(number, 16)) if _SERIAL.fullmatch(number) else None

    def get_by_email(self, email: str) -> Contact | None:
        """Finds a contact by its e-mail or an alternate one, in any case."""
        email = email.lower()
        return self._by_identifier.get(email) or self._by_alternate.get(email)

    def get_by_identifier(self, kind: str, value: str) -> Contact | None:
        """Finds a contact by one of its `limits.IDENTIFIERS`."""
        (key,) = _identifier_keys({kind: value.lower() if kind == "email" else value}) or ("",)
        return self._by_identifier.get(key)

    def list_all(self) -> Iterator[Contact]:
        """Yields the contacts in the order of their creation."""
        return iter(self._by_number.values())

    def remove_identifier(self, number: int, kind: str, updated: float) -> None:
        """Takes an identifier off a contact; raises ContactError when it is gone, or would be left without any."""
        contact = self._by_number.get(number)
        fields = contact.parse_fields() if contact else {}
        if contact is None or kind not in fields:
            raise ContactError("there is no such identifier any more")
        (key,) = _identifier_keys({kind: fields.pop(kind)})
        if not (keys := _identifier_keys(fields)):
            raise ContactError("a contact needs at least one identifier")
        del self._by_identifier[key]
        self._store(contact, fields, keys, updated)

    def list_numbered(self, numbers: Iterable[int]) -> Iterator[Contact]:
        """Yields the contacts with these numbers, in that order."""
        return (self._by_number[number] for number in numbers)

    def count_identifiers(self, numbers: Collection[int] | None) -> dict[str, int]:
        """Counts how many of these contacts, or of all, have which identifier, under the recorded words."""
        contacts = self._by_number.values() if numbers is None else self.list_numbered(numbers)
        kinds = Counter(contact.identifiers for contact in contacts)
        return {
            word: sum(count for kind, count in kinds.items() if kind >> bit & 1)
            for bit, word in enumerate(IDENTIFIER_WORDS)
        }

    def upsert(self, incoming: Json, *, created: float, updated: float) -> tuple[Contact, Change]:
        """Stores one contact; raises ContactError when the account's state does not allow it.

        Fields that are left out stay as they are, and all identifiers the contact has must be there:
        https://www.twilio.com/docs/sendgrid/api-reference/contacts/add-or-update-a-contact.
        """
        incoming = _canonical(incoming)
        keys = _identifier_keys(incoming)
        contact = self._only_owner(keys)
        self._check_unique_emails(incoming, contact)
        if contact is None:
            return self._create(incoming, keys, created, updated), Change.CREATED
        stored = contact.parse_fields()
        if not set(_identifier_keys(stored)) <= set(keys):
            raise ContactError("all existing identifiers of the contact must be present")
        self._store(contact, _merged(stored, incoming), keys, updated)
        return contact, Change.UPDATED

    def delete(self, numbers: Iterable[int]) -> int:
        """Forgets the contacts with these numbers and says how many there were."""
        gone = [contact for number in list(numbers) if (contact := self._by_number.pop(number, None))]
        for contact in gone:
            fields = contact.parse_fields()
            for key in _identifier_keys(fields):
                del self._by_identifier[key]
            for alternate in fields.get("alternate_emails", ()):
                del self._by_alternate[alternate]
        return len(gone)

    def _only_owner(self, keys: list[str]) -> Contact | None:
        owners = {owner.number: owner for key in keys if (owner := self._by_identifier.get(key))}
        if len(owners) > 1:
            raise ContactError("the identifiers belong to different contacts")
        return next(iter(owners.values()), None)

    def _check_unique_emails(self, incoming: Json, contact: Contact | None) -> None:
        """Refuses an address that another contact has, be it as its main or as an alternate one."""
        email, alternates = incoming.get("email"), incoming.get("alternate_emails", ())
        if email is not None and (email in self._by_alternate or email in alternates):
            raise ContactError("the email is in use as an alternate email")
        for alternate in alternates:
            owner = self._by_identifier.get(alternate) or self._by_alternate.get(alternate, contact)
            if owner is not contact:
                raise ContactError("an alternate email is in use by another contact")

    def _create(self, incoming: Json, keys: list[str], created: float, updated: float) -> Contact:
        self._last_number += 1
        contact = Contact(number=self._last_number, fields=b"", created=created, updated=updated)
        self._by_number[contact.number] = contact
        self._store(contact, incoming, keys, updated)
        return contact

    def _store(self, contact: Contact, fields: Json, keys: list[str], updated: float) -> None:
        if contact.fields:
            for alternate in contact.parse_fields().get("alternate_emails", ()):
                self._by_alternate.pop(alternate, None)
        for key in keys:
            self._by_identifier[key] = contact
        for alternate in fields.get("alternate_emails", ()):
            self._by_alternate[alternate] = contact
        contact.fields = bytes(memoryview(orjson.dumps(fields)))  # a copy, as the original holds a kilobyte
        contact.updated = updated
        contact.identifiers = sum(1 << bit for bit, name in enumerate(limits.IDENTIFIERS) if fields.get(name))


def _canonical(incoming: Json) -> Json:
    """Keeps what SendGrid keeps: the writable fields, with e-mails in lower case."""
    kept = {name: value for name, value in incoming.items() if name in limits.TEXT_LENGTHS}
    if "email" in kept:
        kept["email"] = kept["email"].lower()
    if "alternate_emails" in incoming:
        kept["alternate_emails"] = sorted({each.lower() for each in incoming["alternate_emails"]})
    if "custom_fields" in incoming:
        kept["custom_fields"] = incoming["custom_fields"]
    return kept


def _identifier_keys(fields: Json) -> list[str]:
    """Names the identifiers; an e-mail stands for itself, and no e-mail contains the colon of the others."""
    return [
        fields[name] if name == "email" else f"{name}:{fields[name]}"
        for name in limits.IDENTIFIERS
        if fields.get(name)
    ]


def _merged(stored: Json, incoming: Json) -> Json:
    custom = stored.get("custom_fields", {}) | incoming.get("custom_fields", {})
    return stored | incoming | ({"custom_fields": custom} if custom else {})


def iso(moment: float) -> str:
    """Writes a moment as SendGrid does: 2021-03-02T15:25:47Z."""
    return _iso(int(moment))


@lru_cache  # the contacts of one job share their moment
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
