"""Plan a run and send nothing: what it would change, what it would cost, and some examples."""

from __future__ import annotations

import json
import math
import uuid
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError, TransientError
from shared.limits import IMPORT_USUAL, REQUESTS_PER_MINUTE
from shared.model.forecast import Examples, Forecast
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.runs import Run, RunKind
from shared.planning.mask import mask
from shared.runs.comparison import Comparison, digest_of
from shared.runs.finish import end_forecast
from shared.runs.found_extracts import settled_extracts
from shared.runs.job import load_job
from shared.runs.look_up import is_looked_up
from shared.runs.membership import current_membership, other_memberships
from shared.runs.plan_warnings import plan_warnings
from shared.runs.planner_lock import one_planner
from shared.runs.start import asked_run, start
from shared.sendgrid.api import billed_contacts, get_contact_count
from shared.sendgrid.gateway import Endpoint
from shared.sendgrid.preflight import check_sendgrid

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Actor
    from shared.model.runs import ChunkInfo
    from shared.planning.differences import Differences
    from shared.planning.plan import PlanOutcome
    from shared.sendgrid.preflight import PreflightResult
    from shared.services import Services
    from shared.storage.layout import RunBlobs

EXAMPLES: Final = 10
"""Of each kind."""
NOTHING_SENT: Final = Reason(
    code=ReasonCode.DRY_RUN, message="This is what a run would do now; nothing was sent, and nobody removed."
)


def start_dry_run(services: Services, job: ExportWithConnection, *, by: Actor, run_id: str) -> Run:
    """Start a run that sends nothing; a disabled export may have one, too. Raises ExportUnavailableError."""
    job.require_consent()
    run = asked_run(services, job, by=by, run_id=run_id)
    return start(services, run.model_copy(update={"kind": RunKind.DRY_RUN}))


class RejectedOnly:
    """Keeps the list of rejected rows, and no contact."""

    def __init__(self, services: Services, blobs: RunBlobs, attempt: str) -> None:
        self._services = services
        self._blobs = blobs
        self._attempt = attempt
        self._parts = 0

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Nothing is sent."""

    def write_rejected(self, csv_part: bytes) -> None:
        """Write one part of the list."""
        self._parts += 1
        self._services.store.blobs.upsert(self._blobs.rejected(self._attempt, self._parts), csv_part)


def forecast_run(services: Services, blobs: RunBlobs, run: Run, tries: int) -> None:
    """Plan the run, and end it with what it would do.

    Raises RunEndError with the reason why a run could not be, ExtractPendingError while its extract may still be
    being written, and what `plan` and SendGrid's gateway raise.
    """
    if run.stop is not None:
        raise RunEndError(run.stop.reason.code, run.stop.reason.message, status=run.stop.status)
    job = load_job(services, run)
    job.require_consent()
    extracts = settled_extracts(services, job, run)
    preflight = check_sendgrid(services.sendgrid, job.account, job.export, attempt=tries)
    comparison = Comparison(
        services=services,
        job=job,
        extracts=extracts,
        own=current_membership(services, job),
        others=other_memberships(services, job.id, job.export.list_id),
        mapping_digest=digest_of(job.export.mapping, preflight.fields),
        force=False,
        list_count=preflight.list_count,
    )
    attempt = uuid.uuid4().hex[:12]
    outcome, differences = _plan(comparison, RejectedOnly(services, blobs, attempt), preflight)
    services.store.upsert(blobs.examples(attempt), _examples(differences))
    forecast = _forecast(comparison, outcome, differences, attempt)
    if (account := _account_contacts(services, job, tries)) is not None:
        after = account + forecast.new
        forecast = forecast.model_copy(update={"account_contacts": account, "account_contacts_after": after})
    changes = {
        "extracts": tuple(extract.summary() for extract in extracts),
        "list_name": preflight.list_name,
        "list_count_before": preflight.list_count,
        "forecast": forecast,
        "warnings": tuple(_warnings(comparison, outcome, forecast)),
    }
    end_forecast(services, run, NOTHING_SENT, outcome.counts, changes)


def _plan(
    comparison: Comparison, sink: RejectedOnly, preflight: PreflightResult
) -> tuple[PlanOutcome, Differences]:
    from shared.planning.differences import Differences
    from shared.planning.plan import plan

    export = comparison.job.export
    differences = Differences(examples=EXAMPLES)
    with one_planner(wait=False):
        outcome = plan(
            comparison.extracts,
            export.mapping,
            blobs=comparison.services.extracts,
            sink=sink,
            custom_fields=preflight.fields,
            max_contacts=export.max_contacts,
            members=comparison.members,
            judge_leavers=comparison.judge_leavers,
            differences=differences,
        )
    return outcome, differences


def _examples(differences: Differences) -> Examples:
    return Examples(
        new=tuple(mask(json.loads(line)) for line in differences.new_lines),
        changed=tuple(mask(json.loads(line)) for line in differences.changed_lines),
        leaving=tuple(mask(address) for address in differences.leavers),
    )


def _forecast(comparison: Comparison, outcome: PlanOutcome, differences: Differences, attempt: str) -> Forecast:
    removals = [chunk for chunk in outcome.chunks if chunk.removal]
    upserts, removed = len(outcome.chunks) - len(removals), sum(chunk.contacts for chunk in removals)
    counts = outcome.counts
    return Forecast(
        new=counts.sent - differences.changed,
        changed=differences.changed,
        unchanged=counts.unchanged,
        rejected=counts.rejected,
        duplicate=counts.duplicate,
        leaving=outcome.leavers,
        removed=removed,
        sends_all=comparison.sends_all,
        requests=upserts + len(removals) + (1 if is_looked_up(removed) else len(removals)),
        seconds=_seconds(upserts, len(removals)),
        contact_limit=comparison.job.connection.contact_limit,
        attempt=attempt,
    )


def _account_contacts(services: Services, job: ExportWithConnection, tries: int) -> int | None:
    """How many contacts SendGrid bills; None when it does not say, for which no forecast waits."""
    try:
        response = services.sendgrid.fetch(
            job.account, get_contact_count(), endpoint=Endpoint.CONTACTS, attempt=tries
        )
    except (TransientError, RunEndError):
        return None
    return billed_contacts(response)


def _seconds(upserts: int, removals: int) -> float:
    """By SendGrid's limits, which are for each kind of request, and the jobs of the last ones."""
    minutes = (math.ceil(number / REQUESTS_PER_MINUTE) - 1 for number in (upserts, removals) if number)
    waits = 60.0 * sum(minutes)
    return waits + IMPORT_USUAL if upserts or removals else 0.0


def _warnings(comparison: Comparison, outcome: PlanOutcome, forecast: Forecast) -> list[str]:
    share = comparison.job.export.source.max_rejected_share
    told = plan_warnings(outcome.counts, comparison.extracts, max_rejected_share=share)
    warnings = [warning.message for warning in told]
    if comparison.withheld is not None:
        warnings.append(comparison.withheld.message)
    limit, after = forecast.contact_limit, forecast.account_contacts_after
    if limit is not None and after is not None and after > limit:
        warnings.append(
            f"The account could hold {after:,} contacts afterwards, more than the connection's contact_limit of"
            f" {limit:,}."
        )
    return warnings
