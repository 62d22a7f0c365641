"""From addresses back to the rows that brought them, by reading the extract as it was planned once more.

A plan keeps no row numbers: what SendGrid refuses is rare, and while it refuses nobody this costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.model.rejections import as_cell
from shared.planning.engine import open_engine
from shared.planning.fields import fields_of
from shared.planning.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from shared.extracts.extract import Extract
    from shared.model.definitions import CustomField, FieldMapping
    from shared.planning.ledger import Located
    from shared.storage.interfaces import ReadableBlobs


def locate(
    extracts: Sequence[Extract],
    mapping: FieldMapping,
    addresses: Collection[str],
    *,
    blobs: ReadableBlobs,
    custom_fields: Mapping[str, CustomField],
) -> list[Located]:
    """The rows that brought contacts of these addresses, in the order of the extracts, as rejected.csv shows them.

    Args:
        extracts: as they were planned.
        mapping: by which they were planned.
        addresses: in the form in which they were sent.
        blobs: where the extracts lie.
        custom_fields: as they were when the plan was made.

    Raises ExtractChangedError when a file was replaced in the meantime.
    """
    fields = fields_of(mapping, custom_fields)
    with open_engine() as engine:
        planner = Planner(engine=engine, blobs=blobs, mapping=mapping, fields=fields, most=None)
        located = planner.locate(extracts, addresses)
    return [each._replace(segment=as_cell(each.segment), file=as_cell(each.file)) for each in located]
