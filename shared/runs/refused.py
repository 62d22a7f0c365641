"""List the contacts that SendGrid refused among the rejected rows: by segment, file, row and CustomerId."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Final

from shared.errors import BlobMissingError, ExtractChangedError, RunEndError
from shared.extracts.extract import Extract
from shared.limits import REJECTED_LISTED_MAX
from shared.model.definitions import CustomField, FieldMapping
from shared.model.documents import Document
from shared.model.rejections import REJECTED_COLUMNS, Rejected
from shared.model.runs import Delivery
from shared.runs.planner_lock import one_planner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shared.model.runs import ChunkResult, Plan
    from shared.planning.ledger import Located
    from shared.services import Services
    from shared.storage.layout import RunBlobs

ADDRESS: Final = re.compile(r"[^\s\"'<>,;:()\[\]{}|]{1,64}@[^\s\"'<>,;:()\[\]{}|@]{1,255}")
"""SendGrid does not say how its error files are written; whatever looks like an address is looked up."""


class PlanInput(Document):
    """What a plan was made from, kept beside its chunks."""

    extracts: tuple[Extract, ...]
    mapping: FieldMapping
    custom_fields: dict[str, CustomField]


def list_refused(services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]) -> int:
    """Write the list; how many refused contacts are not in it.

    It is made anew by a step that is repeated, to the same end. A contact whose row cannot be told any more, for
    its file was replaced, is listed without it.
    """
    results = {number: result for number, result in results.items() if not result.removal}
    refused = sum(result.refused + result.errored for result in results.values())
    if not refused:
        return 0
    room = max(REJECTED_LISTED_MAX - (plan.counts.rejected - plan.counts.rejected_not_listed), 0)
    reasons = dict(_first(_reasons(services, blobs, plan, results), room))
    if reasons:
        rows = _rows(services, blobs, plan, reasons)
        name = blobs.refused(plan.attempt)
        parts = {item.name for item in services.store.blobs.list_blobs(blobs.rejected_folder(plan.attempt))}
        services.store.blobs.upsert(name, _as_csv(rows, header=not parts - {name}))
    return refused - len(reasons)


def absent_addresses(services: Services, blobs: RunBlobs, plan: Plan, chunk: int, result: ChunkResult) -> set[str]:
    """Addresses of a chunk that SendGrid refused, or failed by name in its import job."""
    return {address for address, _ in _reasons(services, blobs, plan, {chunk: result})}


def _first(reasons: Iterable[tuple[str, Rejected]], most: int) -> Iterator[tuple[str, Rejected]]:
    yield from (reason for reason, _ in zip(reasons, range(most), strict=False))


def _reasons(
    services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]
) -> Iterator[tuple[str, Rejected]]:
    """Address and reason of every contact that was refused, chunk by chunk."""
    for number, result in sorted(results.items()):
        if not result.refused and not result.errored:
            continue
        try:
            lines = services.store.blobs.get(blobs.chunk(plan.attempt, number)).data.splitlines()
        except BlobMissingError:
            continue
        addresses = [json.loads(line)["email"] for line in lines]
        delivery = services.store.get(blobs.delivery(number), Delivery).document
        refused = {addresses[position] for position in delivery.refused}
        yield from ((address, Rejected.REFUSED_BY_SENDGRID) for address in sorted(refused))
        if result.errored:
            named = _addresses_in_error_files(services, blobs, number) & set(addresses) - refused
            yield from ((address, Rejected.SENDGRID_IMPORT_ERROR) for address in sorted(named))


def _addresses_in_error_files(services: Services, blobs: RunBlobs, chunk: int) -> set[str]:
    files = [item.name for item in services.store.blobs.list_blobs(blobs.error_files(chunk))]
    texts = (services.store.blobs.get(name).data.decode(errors="replace") for name in files)
    return {match.group().casefold() for text in texts for match in ADDRESS.finditer(text)}


def _rows(
    services: Services, blobs: RunBlobs, plan: Plan, reasons: Mapping[str, Rejected]
) -> list[tuple[object, ...]]:
    """Segment, file, row, id and reason: those that were found in their order, then the others."""
    located = _located(services, blobs, plan, reasons)
    found = {each.address for each in located}
    rows: list[tuple[object, ...]] = [
        (each.segment, each.file, each.row, each.customer_id, None, reasons[each.address]) for each in located
    ]
    return rows + [(None, None, None, None, None, reasons[address]) for address in reasons if address not in found]


def _located(services: Services, blobs: RunBlobs, plan: Plan, addresses: Mapping[str, object]) -> list[Located]:
    from shared.planning.locate import locate

    found = services.store.find(blobs.plan_input(plan.attempt), PlanInput)
    if found is None:
        return []
    source = found.document
    try:
        with one_planner():
            return locate(
                source.extracts,
                source.mapping,
                addresses,
                blobs=services.extracts,
                custom_fields=source.custom_fields,
            )
    except (ExtractChangedError, RunEndError):
        return []  # the delivery was replaced in the meantime


def _as_csv(rows: Sequence[Sequence[object]], *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(REJECTED_COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()
