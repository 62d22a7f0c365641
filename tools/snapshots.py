"""Writes what the template would deploy into infra/snapshots, to be read in review: `python -m tools.snapshots`.

A change of the template shows there as Azure would see it: loops, conditions and names worked out.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from tools.bicep import NOT_FOUND, ROOT, find_compiler, running

if TYPE_CHECKING:
    from pathlib import Path

    from tools.bicep import Compiler

FOLDER: Final = ROOT / "infra" / "snapshots"
SOME_DAY: Final = {"budgetStartDate": "2026-01-01"}
"""What the template would take from the clock."""
VARIANTS: Final[dict[str, dict[str, object]]] = {
    "public": {},
    "private": {
        "network": "private",
        "customerInsightsPrincipalId": "22222222-2222-2222-2222-222222222222",
        "secretWriters": ["sendgrid-api-key"],
    },
    "entra": {"entraClientId": "11111111-1111-1111-1111-111111111111"},
}
"""Parameters of each snapshot, by its name."""


def snapshot(compiler: Compiler, name: str) -> str:
    """What a variant would deploy, by resource ID; the workbook, a file of its own, is left out."""
    worked_out = compiler.snapshot(ROOT / "infra" / "main.bicep", VARIANTS[name] | SOME_DAY)
    for each in worked_out["predictedResources"]:
        if each["type"] == "Microsoft.Insights/workbooks":
            each["properties"]["serializedData"] = "infra/workbook.json"
    worked_out["predictedResources"].sort(key=_by_id)
    worked_out["outputs"] = dict(sorted(worked_out["outputs"].items()))
    return json.dumps(worked_out, indent=1, ensure_ascii=False) + "\n"


def _by_id(resource: dict[str, Any]) -> str:
    return str(resource["id"])


def kept(name: str, folder: Path = FOLDER) -> Path:
    """Where a snapshot is kept."""
    return folder / f"{name}.json"


def main() -> int:
    """Write all of them; 1 without a compiler."""
    found = find_compiler()
    if found is None:
        print(NOT_FOUND, file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with running(found) as compiler:
        for name in VARIANTS:
            kept(name).write_text(snapshot(compiler, name), encoding="utf-8")
            print(f"written        {kept(name).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
