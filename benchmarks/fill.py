"""How full the requests are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measuring import extract, run_child
from shared.limits import BYTES_PER_REQUEST, CONTACTS_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for the reference mapping, and one for all nine columns, whose contacts are larger.

    `fill` is the share of the byte limit, `contact_fill` that of the limit on contacts, in all requests but the
    last; both are left out when there is only one.
    """
    with extract(rows) as path:
        for mapping, command in (("seven columns", "bodies"), ("all columns", "wide_bodies")):
            took = run_child(command, path)
            yield {"bench": "fill", "rows": rows, "mapping": mapping} | fill_of(took["bodies"], took["contacts"])


def fill_of(bodies: list[int], contacts: list[int]) -> dict[str, object]:
    """How full requests of these bytes and contacts are."""
    full = len(bodies) - 1
    if full < 1:
        return {"requests": len(bodies)}
    return {
        "requests": len(bodies),
        "fill": round(sum(bodies[:-1]) / (full * BYTES_PER_REQUEST), 4),
        "contact_fill": round(sum(contacts[:-1]) / (full * CONTACTS_PER_REQUEST), 4),
    }
