"""The extracts that a run of an export reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.extracts.discovery import find_extract

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.services import Services


def find_extracts(services: Services, job: ExportWithConnection) -> list[Extract]:
    """The newest extract of every segment, in the export's order. Raises RunEndError when one is missing."""
    prefix = services.settings.extract_prefix
    return [
        find_extract(services.extracts, segment, prefix=prefix, source=job.export.source)
        for segment in job.export.segments
    ]
