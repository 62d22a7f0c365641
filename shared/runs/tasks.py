"""A chunk of a run that a message is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.model.runs import Plan
from shared.runs.finish import finish_if_done
from shared.sendgrid.gateway import Account
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.model.messages import ChunkMessage, ImportMessage
    from shared.model.runs import ChunkInfo
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Task:
    """A chunk of a run, and where its records are."""

    blobs: RunBlobs
    plan: Plan
    chunk: ChunkInfo

    @property
    def account(self) -> Account:
        """The SendGrid account to write to."""
        return Account(connection=self.plan.connection, secret_name=self.plan.secret_name, region=self.plan.region)

    @property
    def delivery_blob(self) -> str:
        """Blob of the chunk's delivery record."""
        return self.blobs.delivery(self.chunk.number)


def open_task(services: Services, message: ChunkMessage | ImportMessage) -> Task | None:
    """What the message asks for; None when the chunk has a result, which may be the last one of the run."""
    blobs = RunBlobs(export=message.export, run=message.run)
    found = services.store.find(blobs.plan, Plan)
    if found is None or message.chunk > len(found.document.chunks):
        return None
    if any(services.store.blobs.list_blobs(blobs.result(message.chunk))):
        finish_if_done(services, message.export, message.run)
        return None
    plan = found.document
    return Task(blobs=blobs, plan=plan, chunk=plan.chunk(message.chunk))
