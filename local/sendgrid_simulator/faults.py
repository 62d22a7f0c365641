"""What can be made to go wrong, and when.

A fault is a rule: which requests it is for, how many of them it lets pass first, how many it hits. Rules are
asked in the order they were added, at four moments of a request's way; at each moment at most one strikes,
and those after it do not see the request.

    arrival     before the request is judged   answer, slow, reset_before_body, reset_during_body
    contents    while contacts are checked     refuse_contacts
    acceptance  once work is accepted          job
    departure   before a success is answered   drop_after_acceptance, error_after_acceptance
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

UPSERT_PATH = "/v3/marketing/contacts"


class FaultKind(StrEnum):
    """The ways to go wrong."""

    ANSWER = "answer"
    """Answer `status` with a body of shape `body` and have no effect."""
    SLOW = "slow"
    """Do as always, but answer `delay_seconds` late."""
    RESET_BEFORE_BODY = "reset_before_body"
    """Reset the connection once the request's head is read; no effect."""
    RESET_DURING_BODY = "reset_during_body"
    """Reset the connection after the first bytes of the body; no effect."""
    REFUSE_CONTACTS = "refuse_contacts"
    """Refuse an upsert with 400 because of `emails` or `indices`, named as `naming` says."""
    JOB = "job"
    """Accept an upsert and let its job go as `outcome` says.

    Or an export, which can be failed, pending for ever, or vanish.
    """
    DROP_AFTER_ACCEPTANCE = "drop_after_acceptance"
    """Apply the request, then reset the connection instead of answering."""
    ERROR_AFTER_ACCEPTANCE = "error_after_acceptance"
    """Apply the request, then answer `status` all the same."""


class Moment(StrEnum):
    """When a fault can strike."""

    ARRIVAL = "arrival"
    CONTENTS = "contents"
    ACCEPTANCE = "acceptance"
    DEPARTURE = "departure"


MOMENTS = {
    FaultKind.ANSWER: Moment.ARRIVAL,
    FaultKind.SLOW: Moment.ARRIVAL,
    FaultKind.RESET_BEFORE_BODY: Moment.ARRIVAL,
    FaultKind.RESET_DURING_BODY: Moment.ARRIVAL,
    FaultKind.REFUSE_CONTACTS: Moment.CONTENTS,
    FaultKind.JOB: Moment.ACCEPTANCE,
    FaultKind.DROP_AFTER_ACCEPTANCE: Moment.DEPARTURE,
    FaultKind.ERROR_AFTER_ACCEPTANCE: Moment.DEPARTURE,
}


class BodyShape(StrEnum):
    """The shapes of error bodies that SendGrid and the servers in front of it are known to answer."""

    ERRORS = "errors"
    """{"errors": [{"field": null, "message": "…"}]}"""
    OBJECT = "object"
    """{"message": "…", "error_id": "…"}, as the specification has it for removals from a list."""
    ARRAY = "array"
    """[{"message": "…"}], as the specification has it for a list that does not exist."""
    GATEWAY = "gateway"
    """{"message": "…"}, as an AWS API gateway writes."""
    HTML = "html"
    """nginx's page."""
    EMPTY = "empty"


class Naming(StrEnum):
    """How a refusal names the contacts at fault."""

    INDEX = "index"
    """By `contacts[i].identifier`, without an address."""
    ADDRESS = "address"
    """By address, in the documented message, without an index."""
    NOBODY = "nobody"


class Outcome(StrEnum):
    """What becomes of an accepted upsert."""

    ERRORED = "errored"
    """The contacts in `emails`, or the first `errored_count`, fail; there is an error file."""
    FAILED = "failed"
    """Every contact fails; nothing is stored."""
    PENDING_FOREVER = "pending_forever"
    """The job never starts."""
    VANISHES = "vanishes"
    """The contacts are stored, but asking for the job answers 404."""
    COUNTERS_BEFORE_STATUS = "counters_before_status"
    """The contacts are stored and counted while the status stays pending for `polls` more questions."""
    STATUS_BEFORE_COUNTERS = "status_before_counters"
    """The status is final, but the counters are missing for `polls` questions."""
    UNKNOWN_STATUS_FIRST = "unknown_status_first"
    """The first `polls` questions are answered with a status that is in no documentation."""


class WaitForm(StrEnum):
    """How a moment to come is written in a header."""

    SECONDS = "seconds"
    DATE = "date"
    EPOCH = "epoch"


class Fault(BaseModel):
    """One rule. Fields that the kind does not speak of have no effect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    method: str = "PUT"
    path: str = UPSERT_PATH
    """The path's template, such as /v3/marketing/contacts/imports/{id}."""
    skip: int = Field(default=0, ge=0)
    """How many matching requests pass first."""
    times: int | None = Field(default=1, ge=1)
    """How many requests it strikes; none means all."""
    emails: tuple[str, ...] = ()
    """Only for upserts: matches only requests with one of these contacts, and blames exactly these."""

    status: int = Field(default=500, ge=400, le=599)
    body: BodyShape = BodyShape.ERRORS
    message: str | None = None
    """Instead of SendGrid's usual words for the status."""
    headers: dict[str, str] = Field(default_factory=dict)
    retry_after_seconds: float | None = None
    retry_after_form: WaitForm = WaitForm.SECONDS
    reset_in_seconds: float | None = None
    """Adds the three X-RateLimit headers, with nothing remaining."""
    reset_form: WaitForm = WaitForm.EPOCH

    delay_seconds: float = Field(default=0, ge=0)
    """For faults at arrival: how late the answer is; the request has had its effect by then."""
    naming: Naming = Naming.NOBODY
    indices: tuple[int, ...] = ()
    """Positions in the request; those past its end are blamed on nobody."""
    outcome: Outcome = Outcome.ERRORED
    errored_count: int = Field(default=1, ge=1)
    polls: int = Field(default=2, ge=1)

    @property
    def moment(self) -> Moment:
        """When this fault strikes."""
        return MOMENTS[self.kind]

    @model_validator(mode="after")
    def _only_sensible(self) -> Self:
        if self.emails and self.moment not in {Moment.CONTENTS, Moment.ACCEPTANCE}:
            raise ValueError("emails cannot be known at that moment")
        if self.kind is FaultKind.REFUSE_CONTACTS and not (self.emails or self.indices):
            raise ValueError("a refusal needs emails or indices to blame")
        return self


class Injected(BaseModel):
    """A fault that struck."""

    model_config = ConfigDict(frozen=True)

    fault: Fault
    at: float
    """When, in seconds since 1970."""


@dataclass
class _Rule:
    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        self.seen += 1
        return self.seen > self.fault.skip and (self.fault.times is None or self.struck < self.fault.times)


class FaultQueue:
    """The rules in force and a record of every fault that struck; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rules: list[_Rule] = []
        self._injected: list[Injected] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Puts a rule at the end of the queue."""
        with self._lock:
            self._rules.append(_Rule(fault))

    def clear(self) -> None:
        """Drops the rules; the record stays."""
        with self._lock:
            self._rules.clear()

    def list_injected(self) -> list[Injected]:
        """Lists what struck, oldest first."""
        with self._lock:
            return list(self._injected)

    def take(self, moment: Moment, method: str, path: str, emails: Callable[[], set[str]] = set) -> Fault | None:
        """Gives the fault that strikes this request now, if any, and records it.

        `emails` gives the lower-case addresses in the request; it is called only when a rule asks for them.
        """
        with self._lock:
            for rule in self._rules:
                fault = rule.fault
                if (fault.moment, fault.method, fault.path) != (moment, method, path):
                    continue
                if fault.emails and emails().isdisjoint(each.lower() for each in fault.emails):
                    continue
                if rule.strikes():
                    rule.struck += 1
                    self._injected.append(Injected(fault=fault, at=self._clock()))
                    return fault
        return None
