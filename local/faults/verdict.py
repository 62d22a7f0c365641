"""What must have become of a run, and whether it did. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from local.export_api import Run
from local.extracts.expectation import Expectation

APART = {"failed", "unconfirmed"}
"""Results of chunks that do not put their contacts on the list, or may not have done so."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """How a run must end."""

    status: str = "succeeded"
    code: str = "done"
    """Of the run's reason."""
    refused: frozenset[str] = field(default=frozenset(), repr=False)
    """Addresses that SendGrid refuses in the request."""
    errored: frozenset[str] = field(default=frozenset(), repr=False)
    """Addresses that SendGrid's import job fails."""
    chunks_apart: int = 0
    """Chunks that must end failed or unconfirmed, whichever they are."""
    sent_nothing: bool = False
    """Nothing gets there, with all contacts counted as not sent."""
    planned_nothing: bool = False
    """The run ends before it reads the extract."""


EVERYBODY = Expected()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A run that is over, what its extract held, and what SendGrid and the state hold now."""

    run: Run
    extract: Expectation
    emails: frozenset[str] = field(repr=False)
    """Everybody in the extract whom SendGrid could take."""
    on_list: Sequence[str] = field(repr=False)
    chunks: Sequence[tuple[str, set[str]]] = field(repr=False)
    """The result of each chunk and, where it is apart, who is in it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Contacts that did not arrive or are told wrongly; all well when there are no problems."""

    lost: int
    wrong: int
    problems: tuple[str, ...]


def judge(evidence: Evidence, expected: Expected) -> Verdict:
    """Compare what is with what the run says and with what must be."""
    due, uncertain = _due(evidence, expected)
    on_list = set(evidence.on_list)
    lost = due - on_list
    strangers = on_list - due - uncertain
    told = _misreported(evidence, expected, due | uncertain)
    twice = len(evidence.on_list) - len(on_list)
    problems = [
        *([f"{len(lost)} contacts are not on the list"] if lost else []),
        *([f"{len(strangers)} contacts do not belong on the list"] if strangers else []),
        *([f"{twice} contacts are on the list twice"] if twice else []),
        *(f"{name} is {is_} instead of {must}" for name, is_, must in told),
        *_wrong_end(evidence, expected),
    ]
    off = max((abs(is_ - must) for _, is_, must in told), default=0)
    wrong = len(strangers) + twice + off
    return Verdict(lost=len(lost), wrong=wrong or int(bool(problems) and not lost), problems=tuple(problems))


def _due(evidence: Evidence, expected: Expected) -> tuple[set[str], set[str]]:
    """Who must be on the list, and who may be, since SendGrid never said what became of them."""
    if expected.sent_nothing or expected.planned_nothing:
        return set(), set()
    failed = _members(evidence, "failed")
    uncertain = _members(evidence, "unconfirmed")
    due = set(evidence.emails) - expected.refused - expected.errored - failed - uncertain
    return due, uncertain


def _members(evidence: Evidence, status: str) -> set[str]:
    return {email for each, emails in evidence.chunks if each == status for email in emails}


def _misreported(evidence: Evidence, expected: Expected, sent: set[str]) -> list[tuple[str, int, int]]:
    """The counts that say otherwise: name, what the run says, what is true."""
    counts, extract = evidence.run.counts, evidence.extract
    refused = len(expected.refused) + len(expected.errored)
    true = {
        "rows_read": extract.rows,
        "duplicate": extract.duplicates,
        "rejected": extract.rejected + refused,
        "sent": len(sent) - counts.unchanged,
        "not_sent": extract.contacts - refused - len(sent),
    }
    if expected.planned_nothing:
        true = dict.fromkeys(true, 0)
    by_reason = counts.rejected_by_reason
    told = [(name, int(getattr(counts, name)), must) for name, must in true.items()]
    told += [
        ("rejected_by_reason", sum(by_reason.values()), counts.rejected),
        ("refused_by_sendgrid", by_reason.get("refused_by_sendgrid", 0), len(expected.refused)),
        ("sendgrid_import_error", by_reason.get("sendgrid_import_error", 0), len(expected.errored)),
    ]
    return [each for each in told if each[1] != each[2]]


def _wrong_end(evidence: Evidence, expected: Expected) -> list[str]:
    run = evidence.run
    code = run.reason.code if run.reason else "none"
    apart = sum(status in APART for status, _ in evidence.chunks)
    all_apart = expected.sent_nothing or expected.planned_nothing
    return [
        *(
            [f"the run ended as {run.status} ({code}) instead of {expected.status} ({expected.code})"]
            if (run.status, code) != (expected.status, expected.code)
            else []
        ),
        *(
            [f"{apart} chunks ended failed or unconfirmed instead of {expected.chunks_apart}"]
            if apart != expected.chunks_apart and not all_apart
            else []
        ),
    ]
