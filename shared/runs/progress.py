"""How far a run's chunks are, read off their delivery records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.model.runs import ChunkProgress, Delivery
from shared.runs.delivery_state import live_contacts
from shared.storage.layout import number_of

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.runs import Plan
    from shared.services import Services
    from shared.storage.layout import RunBlobs


def measure_progress(services: Services, blobs: RunBlobs, plan: Plan) -> tuple[ChunkProgress, datetime | None]:
    """How far the chunks are, and when SendGrid last accepted one."""
    deliveries = {
        number_of(item.name): services.store.get(item.name, Delivery).document
        for item in services.store.blobs.list_blobs(blobs.deliveries)
    }
    accepted = [contact_range for delivery in deliveries.values() for contact_range in delivery.accepted]
    progress = ChunkProgress(
        planned=len(plan.chunks),
        accepted=sum(not delivery.pending for delivery in deliveries.values()),
        finished=sum(1 for _ in services.store.blobs.list_blobs(blobs.results)),
        contacts_planned=plan.counts.sent,
        contacts_accepted=sum(
            live_contacts(contact_range, delivery.refused)
            for number, delivery in deliveries.items()
            for contact_range in delivery.accepted
            if not plan.chunk(number).removal
        ),
    )
    return progress, max((contact_range.accepted_at for contact_range in accepted), default=None)
