"""SendGrid fails in every way it is known to."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local.faults.scenario import MANY_ROWS, SOME_ROWS, Scenario, ScenarioRun
from local.faults.verdict import EVERYBODY, Expected
from local.sendgrid_simulator.control import Fault
from local.sendgrid_simulator.faults import UPSERT_PATH, BodyShape, FaultKind, Naming, Outcome, WaitForm

IMPORT: Final = f"{UPSERT_PATH}/imports/{{id}}"
LIST: Final = "/v3/marketing/lists/{id}"
COUNT: Final = f"{LIST}/contacts/count"
SCOPES: Final = "/v3/scopes"
READS: Final = (SCOPES, LIST, IMPORT, COUNT)
TRANSIENT: Final = (408, 429, 500, 502, 503, 504)
STORM: Final = 12
OUTAGE_SECONDS: Final = 8.0
SLOW_SECONDS: Final = 3.0
"""Longer than the scaled deadline of a request."""
IMPORT_DEADLINE: Final = {"IMPORT_DEADLINE": 8.0}

type Faults = Callable[[ScenarioRun], list[Fault]]


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    for status in TRANSIENT:
        yield _plain(f"status-{status}", f"{status}, every body", _answers(status))
    yield _plain("slow", "answer after the deadline", _slow, seconds=20)
    for kind in (FaultKind.RESET_BEFORE_BODY, FaultKind.RESET_DURING_BODY, FaultKind.DROP_AFTER_ACCEPTANCE):
        yield _plain(kind.replace("_", "-"), kind.replace("_", " "), _resets(kind))
    yield _plain("error-after-acceptance", "error after acceptance", _errors_after_acceptance)
    for name, headers in STORMS.items():
        yield _plain(f"storm-{name}", f"429 storm, {name.replace('-', ' ')}", _storm(headers))
    yield _plain("outage", "SendGrid away", _no_faults, around=_outage)
    yield _plain("rotated-key", "key rotated", _no_faults, around=_rotation)
    yield from _refusals()
    yield from _jobs()


def _plain(
    name: str,
    fault: str,
    faults: Faults,
    *,
    expected: Expected = EVERYBODY,
    around: Callable[[ScenarioRun], None] | None = None,
    limits: Mapping[str, float] | None = None,
    seconds: float = 12,
    rows: int = MANY_ROWS,
) -> Scenario:
    def play(played: ScenarioRun) -> None:
        export = played.export(rows)
        with played.faults(*faults(played)):
            played.finish(export, played.app.start(export), expected)

    return Scenario(name=name, fault=fault, play=around or play, limits=limits or {}, seconds=seconds)


def _no_faults(_: ScenarioRun) -> list[Fault]:
    return []


# --- what passes --------------------------------------------------------------------------------------------


def _answer(status: int, path: str = UPSERT_PATH, **changes: Any) -> Fault:  # noqa: ANN401 - a fault's fields
    method = "PUT" if path == UPSERT_PATH else "GET"
    return Fault.model_validate(
        {"kind": FaultKind.ANSWER, "status": status, "method": method, "path": path} | changes
    )


def _answers(status: int) -> Faults:
    """Every body on the upsert, and some body on every other request."""

    def faults(played: ScenarioRun) -> list[Fault]:
        shapes = played.random.sample(list(BodyShape), len(BodyShape))
        upserts = [_answer(status, body=shape) for shape in shapes]
        return upserts + [_answer(status, path, body=played.random.choice(shapes)) for path in READS]

    return faults


def _slow(_: ScenarioRun) -> list[Fault]:
    slow = [
        Fault(kind=FaultKind.SLOW, method="GET", path=path, delay_seconds=SLOW_SECONDS)
        for path in (SCOPES, IMPORT)
    ]
    return [*slow, Fault(kind=FaultKind.SLOW, delay_seconds=SLOW_SECONDS, times=3)]


def _resets(kind: FaultKind) -> Faults:
    def faults(played: ScenarioRun) -> list[Fault]:
        reads = [Fault(kind=kind, method="GET", path=path) for path in READS]
        return [*reads, Fault(kind=kind, skip=played.random.randrange(3), times=4)]

    return faults


def _errors_after_acceptance(played: ScenarioRun) -> list[Fault]:
    shapes = list(BodyShape)
    return [
        Fault(kind=FaultKind.ERROR_AFTER_ACCEPTANCE, status=status, body=played.random.choice(shapes))
        for status in TRANSIENT
    ]


STORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "bare": {},
    "retry-after-seconds": {"retry_after_seconds": 1},
    "retry-after-date": {"retry_after_seconds": 1, "retry_after_form": WaitForm.DATE},
    "reset-epoch": {"reset_in_seconds": 1},
    "reset-seconds": {"reset_in_seconds": 1, "reset_form": WaitForm.SECONDS},
    "both": {"retry_after_seconds": 1, "reset_in_seconds": 2},
}


def _storm(headers: Mapping[str, Any]) -> Faults:
    def faults(played: ScenarioRun) -> list[Fault]:
        shape = played.random.choice(list(BodyShape))
        return [_answer(429, times=STORM, body=shape, **headers), _answer(429, IMPORT, times=4, **headers)]

    return faults


def _outage(played: ScenarioRun) -> None:
    """SendGrid answers nothing but 503 for a while, from a moment in the middle of the run."""
    export = played.export()
    run = played.app.start(export)
    time.sleep(played.random.uniform(0, 2))
    away = [_answer(503, path, times=None, body=BodyShape.HTML) for path in (UPSERT_PATH, *READS)]
    with played.faults(*away, all_strike=False):
        time.sleep(OUTAGE_SECONDS)
    played.finish(export, run)


def _rotation(played: ScenarioRun) -> None:
    """The key is replaced and the old one revoked while the app remembers the old one."""
    old, new = played.simulator.create_key(), played.simulator.create_key()
    played.cloud.vault.set_secret(played.connection, old)
    export = played.export()
    with played.faults(_answer(503, times=3)):
        run = played.app.start(export)
        played.await_strike()
        played.cloud.vault.set_secret(played.connection, new)
        played.simulator.revoke_key(old)
        played.tally.injected += 1
        played.finish(export, run)


# --- what is refused ----------------------------------------------------------------------------------------


def _refusals() -> Iterator[Scenario]:
    for naming in Naming:
        yield Scenario(
            name=f"refused-{naming}", fault=f"400 naming {naming}", play=_refused(naming, number=3), seconds=12
        )
    yield Scenario(name="refused-many", fault="400 beyond the budget", play=_refused_beyond_the_budget)
    yield _plain("too-large", "413, HTML", lambda _: [_answer(413, body=BodyShape.HTML, times=5)])
    blocked = lambda _: [_answer(403, times=3)]  # noqa: E731 - a fault in a line, like those around it
    yield _plain("blocked", "403 temporary block", blocked)
    for status, code in ((403, "scope_missing"), (404, "list_missing"), (451, "data_residency")):
        message = "access forbidden" if status == 403 else None  # noqa: PLR2004 - HTTP's number
        expected = Expected(status="failed", code=code, sent_nothing=True)
        yield _plain(f"ends-{status}", f"{status} {code}", _always(status, message), expected=expected)
    forbidden = Expected(status="failed", code="scope_missing", planned_nothing=True)
    yield _plain(
        "preflight-403",
        "403 in preflight",
        lambda _: [_answer(403, SCOPES, message="access forbidden")],
        expected=forbidden,
    )
    apart = Expected(status="completed_with_warnings", code="contacts_missing", chunks_apart=1)
    yield _plain("chunk-422", "422 for one chunk", lambda _: [_answer(422)], expected=apart)


def _always(status: int, message: str | None) -> Faults:
    return lambda _: [_answer(status, times=None, message=message)]


def _refused(naming: Naming, *, number: int) -> Callable[[ScenarioRun], None]:
    def play(played: ScenarioRun) -> None:
        export = played.export()
        bad = played.choose_emails(export, number)
        faults = [
            Fault(kind=FaultKind.REFUSE_CONTACTS, emails=(email,), naming=naming, times=None) for email in bad
        ]
        expected = Expected(status="completed_with_warnings", code="contacts_missing", refused=bad)
        with played.faults(*faults):
            played.finish(export, played.app.start(export), expected)

    return play


def _refused_beyond_the_budget(played: ScenarioRun) -> None:
    """More unnamed bad contacts than can be told from the good ones; whoever is left with them is refused, too."""
    export = played.export(rows=50)
    bad = played.choose_emails(export, 30)
    fault = Fault(kind=FaultKind.REFUSE_CONTACTS, emails=tuple(bad), naming=Naming.NOBODY, times=None)
    with played.faults(fault):
        run = played.app.start(export)
        ended = played.app.wait(run, until=time.monotonic() + 60)
        refused = frozenset(export.people.emails()) - set(played.simulator.list_emails(export.list_id))
        expected = Expected(status="completed_with_warnings", code="contacts_missing", refused=refused)
        played.finish(export, ended or run, expected)
    if not bad <= refused:
        played.problem("contacts that SendGrid refuses are on the list")
    if played.tally.injected > 45:  # noqa: PLR2004 - the budget of 40 and a margin
        played.problem(f"{played.tally.injected} refused requests are more than the budget")


# --- import jobs --------------------------------------------------------------------------------------------


def _job(outcome: Outcome, **changes: object) -> Fault:
    return Fault.model_validate({"kind": FaultKind.JOB, "outcome": outcome} | changes)


def _jobs() -> Iterator[Scenario]:
    yield Scenario(name="job-errored", fault="job errored", play=_errored)
    for outcome in (
        Outcome.COUNTERS_BEFORE_STATUS,
        Outcome.STATUS_BEFORE_COUNTERS,
        Outcome.UNKNOWN_STATUS_FIRST,
        Outcome.FAILED,
        Outcome.VANISHES,
    ):
        words = outcome.replace("_", " ")
        yield _plain(f"job-{outcome.replace('_', '-')}", f"job {words}", _jobs_end(outcome), seconds=20)
    hopeless = Expected(status="failed", code="import_failed", sent_nothing=True)
    yield _plain(
        "job-always-fails",
        "job fails every time",
        lambda _: [_job(Outcome.FAILED, times=None)],
        expected=hopeless,
        rows=SOME_ROWS,
    )
    unconfirmed = Expected(status="completed_with_warnings", code="unconfirmed", chunks_apart=2)
    yield _plain(
        "job-pending",
        "job pending forever",
        lambda _: [_job(Outcome.PENDING_FOREVER, times=2)],
        expected=unconfirmed,
        limits=IMPORT_DEADLINE,
        seconds=25,
    )


def _jobs_end(outcome: Outcome) -> Faults:
    return lambda played: [_job(outcome, times=2, skip=played.random.randrange(3), polls=3)]


def _errored(played: ScenarioRun) -> None:
    """Three contacts fail in their jobs."""
    export = played.export()
    bad = played.choose_emails(export, 3)
    fault = _job(Outcome.ERRORED, emails=tuple(bad), times=None)
    expected = Expected(status="completed_with_warnings", code="contacts_missing", errored=bad)
    with played.faults(fault):
        played.finish(export, played.app.start(export), expected)
