"""SendGrid's export of the list that an adoption waits for: asked for, noted, and looked at until it is ready."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BlobChangedError, BlobExistsError, ListExportPendingError, RunEndError
from shared.limits import LIST_EXPORT_DEADLINE, LIST_EXPORT_TRIES, LIST_EXPORT_UNKNOWN, POLL_FIRST
from shared.model.adoption import ListExport
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.runs import Run
from shared.runs.job_looks import export_wait
from shared.sendgrid.contact_exports import ExportState, find_list_export, start_list_export
from shared.sendgrid.preflight import check_sendgrid

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.services import Services
    from shared.storage.documents import Versioned
    from shared.storage.layout import RunBlobs

FAILED: Final = Reason(
    code=ReasonCode.LIST_EXPORT_FAILED,
    message=f"SendGrid's export of the list failed {LIST_EXPORT_TRIES} times.",
)
UNFINISHED: Final = (
    f"SendGrid's export of the list was not ready {LIST_EXPORT_DEADLINE / 3600:.0f} hours after it was asked for."
)


@dataclass(frozen=True, kw_only=True)
class AskedExport:
    """SendGrid's export of an export's list, of which the run keeps a note."""

    services: Services
    blobs: RunBlobs
    job: ExportWithConnection
    tries: int

    def urls(self) -> tuple[str, ...]:
        """Addresses of its files. Raises ListExportPendingError, and RunEndError when it comes to nothing."""
        noted = self._noted()
        if noted is None or not noted.document.is_of(self.job.connection_id, self.job.export.list_id):
            raise self._ask(noted)
        asked = noted.document
        found = find_list_export(self.services.sendgrid, self.job.account, asked.id, attempt=self.tries)
        age = (self.services.clock() - asked.asked_at).total_seconds()
        if found.state is ExportState.READY:
            return found.urls
        is_lost = found.state is ExportState.UNKNOWN and age > LIST_EXPORT_UNKNOWN
        if is_lost or found.state is ExportState.FAILURE:
            raise self.ask_again(FAILED)
        if age > LIST_EXPORT_DEADLINE:
            raise RunEndError(ReasonCode.LIST_EXPORT_UNFINISHED, UNFINISHED)
        raise ListExportPendingError(export_wait(age))

    def ask_again(self, why: Reason) -> ListExportPendingError:
        """Ask for another export; what to raise then. Raises RunEndError after LIST_EXPORT_TRIES."""
        noted = self._noted()
        if noted is not None and noted.document.tries >= LIST_EXPORT_TRIES:
            raise RunEndError(why.code, why.message)
        return self._ask(noted)

    def _noted(self) -> Versioned[ListExport] | None:
        return self.services.store.find(self.blobs.list_export, ListExport)

    def _ask(self, before: Versioned[ListExport] | None) -> ListExportPendingError:
        """Ask for an export and note it at once; cut off in between another is asked for, which does no harm."""
        services, export = self.services, self.job.export
        preflight = check_sendgrid(services.sendgrid, self.job.account, export, attempt=self.tries)
        note = ListExport(
            connection=self.job.connection_id,
            list_id=export.list_id,
            id=start_list_export(services.sendgrid, self.job.account, export.list_id, attempt=self.tries),
            asked_at=services.clock(),
            tries=before.document.tries + 1 if before else 1,
        )
        with contextlib.suppress(BlobExistsError, BlobChangedError):  # another message has asked, too
            if before is None:
                services.store.create(self.blobs.list_export, note)
            else:
                services.store.replace(self.blobs.list_export, note, etag=before.etag)
        changes = {"list_name": preflight.list_name, "list_count_before": preflight.list_count}
        services.store.update(self.blobs.document, Run, lambda run: run.model_copy(update=changes))
        return ListExportPendingError(POLL_FIRST)
