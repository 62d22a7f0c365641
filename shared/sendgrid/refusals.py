"""What SendGrid says when it refuses: which of its words may be kept, and whom it complains about. No I/O.

SendGrid's messages are free text, and may quote people in any form: `Ada Lovelace is not valid for last_name`. So
only messages that are known word for word are kept, and of all others status, field and error id.

https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shared.limits import FIELD_LENGTHS, MESSAGE_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from shared.sendgrid.api import Response

WORDS_MAX: Final = 500
"""Characters of one message that any pattern runs over; some patterns take the square of it."""
WORDS_IN_ALL_MAX: Final = 200_000
"""Characters of all messages of an answer that patterns run over."""
ERRORS_TOLD: Final = 3
"""So many errors of an answer are told."""

_CUSTOM_FIELD_ID: Final = r"[a-z]{1,2}\d{1,6}(?:_[a-z])?"
_KNOWN: Final = re.compile(
    "|".join(
        (
            # the account and the key
            r"authorization required",
            r"the provided authorization grant is invalid, expired,? or revoked",
            r"(?:access )?forbidden|not authorized|failed to authenticate|unauthorized",
            r"permission denied, wrong credentials",
            r"maximum credits exceeded",
            r"the requestor's ip address is not whitelisted",
            r"too many bad requests\. temporary block",
            r"you have hit your contact limit",
            r"unavailable due to data residency restrictions",
            # the request
            r"too many requests|rate limit exceeded",
            r"bad request|invalid (?:input|request body)|missing accept header|unprocessable(?: entity)?",
            r"method not allowed|unsupported media type|request entity too large|request-uri too long",
            r"(?:endpoint )?request timed out|internal server error|bad gateway|service unavailable",
            r"(?:(?:list|contact|job|export|custom field|segment) )?not found|no contacts were found",
            r"contact_ids is required|either 'ids' or 'delete_all_contacts' should be supplied as query param",
            # contacts
            r"(?:email|phone number|phone_number_id|identifier) is not valid|one or more contacts are not valid",
            r"length should be less than \d{1,5} characters",
            rf'custom field "{_CUSTOM_FIELD_ID}" cannot be null',
            rf"invalid custom field ids supplied - {_CUSTOM_FIELD_ID}(?:, ?{_CUSTOM_FIELD_ID})*",
        )
    ),
    re.IGNORECASE | re.ASCII,
)
"""Messages that quote nobody, whatever stands in them.

SendGrid's pages, its OpenAPI files, and issues of its libraries have them:
https://github.com/twilio/sendgrid-oai, https://github.com/sendgrid/docs/issues/6323,
https://github.com/sendgrid/sendgrid-nodejs/issues/953, https://github.com/sendgrid/sendgrid-go/issues/413.
"""
_BAD_EMAIL: Final = re.compile(r"(email )'.+'( is not valid)", re.IGNORECASE | re.DOTALL)
"""The documented words for a bad address, which they quote;
https://github.com/segmentio/action-destinations, sendgrid-audiences/syncAudience/utils.ts."""
_FIELD_NAMES: Final = (
    *FIELD_LENGTHS,
    *("identifier", "contacts", "list_ids", "contact_ids", "custom_fields", "emails", "id"),
)
_FIELD: Final = re.compile(rf"(?:contacts\[\d{{1,6}}\]\.?)?(?:{'|'.join(_FIELD_NAMES)})?", re.ASCII)
"""Where an error says it is; a path with anything else in it may be a value."""
_ERROR_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A UUID; another text may be a value."""
_ADDRESS: Final = re.compile(r"\S+@\S+")
_QUOTED: Final = re.compile(r"(['\"]).*\1", re.DOTALL)
"""From the first quotation mark to the last: what is quoted may hold apostrophes of its own."""


def _errors(answer: Response) -> Iterator[Mapping[str, Any]]:
    """The errors of an answer.

    The body may be `{"errors": […]}`, one bare error, a bare list of errors, a gateway's `{"message": …}`,
    HTML, or nothing.
    """
    document = answer.json()
    if isinstance(document, dict):
        document = document.get("errors", [document])
    if isinstance(document, dict):
        document = [document]
    return (error for error in document if isinstance(error, dict)) if isinstance(document, list) else iter(())


def _text(error: Mapping[str, Any], name: str) -> str:
    """The beginning of a member that is text; cut first, so that no pattern runs over all of it."""
    value = error.get(name)
    return value[:WORDS_MAX] if isinstance(value, str) else ""


def told(answer: Response) -> str:
    """What SendGrid says, fit for a document or a log: known messages, else status, field and error id."""
    errors = list(itertools.islice(_errors(answer), ERRORS_TOLD)) or [{}]
    found = [_known_words(error) or _place(error, answer.status) for error in errors]
    return "; ".join(dict.fromkeys(found))[:MESSAGE_MAX]


def _known_words(error: Mapping[str, Any]) -> str | None:
    """The message, if it is known to quote nobody; what one that is known quotes is left out."""
    message = _text(error, "message").strip().rstrip(".")
    if _KNOWN.fullmatch(message):
        return message
    quoting = _BAD_EMAIL.fullmatch(message)
    return f"{quoting[1]}'…'{quoting[2]}" if quoting else None


def _place(error: Mapping[str, Any], status: int) -> str:
    """Status, and of the rest what is surely no value."""
    about, error_id = _text(error, "field"), _text(error, "error_id")
    facts = [str(status)]
    if about and _FIELD.fullmatch(about):
        facts.append(f"field {about}")
    if _ERROR_ID.fullmatch(error_id):
        facts.append(f"error id {error_id}")
    return ", ".join(facts)


def words_to_judge(answer: Response) -> str:
    """The first messages in lower case, to tell refusals apart by; never to be kept, for they may quote people.

    What is quoted and addresses are left out, so that nobody's name decides.
    """
    errors = itertools.islice(_errors(answer), ERRORS_TOLD)
    messages = [_text(error, "message") for error in errors]
    return "; ".join(_ADDRESS.sub("…", _QUOTED.sub("…", message)) for message in messages).lower()


@dataclass(frozen=True, kw_only=True)
class NamedContacts:
    """Contacts that a refusal names."""

    indexes: frozenset[int] = frozenset()
    """Positions in the request, from 0."""
    emails: frozenset[str] = field(default=frozenset(), repr=False)
    """Addresses in lower case."""

    def __bool__(self) -> bool:
        """Whether anybody is named."""
        return bool(self.indexes or self.emails)


_INDEX: Final = re.compile(r"contacts\[([0-9]{1,6})\]")
_INVALID: Final = re.compile(r"\bemail '(\S+)' is not valid")
"""The documented words for a bad address; the address itself may hold apostrophes."""
_ADDRESSES: Final = re.compile(r"[^\s\"<>(),;]+@[^\s\"<>(),;]+")


def named_contacts(answer: Response) -> NamedContacts:
    """Whom a 400 complains about: by `contacts[i]` in field or message, else by an address in the message."""
    indexes: set[int] = set()
    emails: set[str] = set()
    for about, message in _bounded(_errors(answer)):
        found = {int(index) for index in _INDEX.findall(f"{about} {message}")}
        indexes |= found
        if not found:
            named = _INVALID.findall(message) or [word.strip("'.:") for word in _ADDRESSES.findall(message)]
            emails |= {email.lower() for email in named}
    return NamedContacts(indexes=frozenset(indexes), emails=frozenset(emails))


def _bounded(errors: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Field and message of the first errors, each cut, so that patterns over them take no time."""
    seen = 0
    for error in errors:
        about, message = _text(error, "field"), _text(error, "message")
        seen += len(about) + len(message)
        if seen > WORDS_IN_ALL_MAX:
            return
        yield about, message
