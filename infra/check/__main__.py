"""Checks Bicep files from the command line: `python -m infra.check infra/main.bicep`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.check.azure_types import ResourceTypes
from infra.check.parameters import check_parameters
from infra.check.parse import BicepSyntaxError, read_template
from infra.check.template import check_file, files_of

if TYPE_CHECKING:
    from infra.check.nodes import Problem

SUPPLEMENT = Path(__file__).with_name("supplement.json")
NOT_CHECKED = """\
not checked here: the Bicep compiler, what-if, a real deployment. Where Azure is at hand:
  az bicep build --file infra/main.bicep --stdout > /dev/null
  infra/deploy.sh --resource-group GROUP --what-if"""


def types_file() -> Path:
    """Where the type data is: in the folder `BICEP_TYPES`, by default beside the repository."""
    return Path(os.environ.get("BICEP_TYPES", "../shared/bicep-types")) / "types-subset.json"


def main(arguments: list[str]) -> int:
    """Check the files named and the modules they call; 1 when there are problems, 2 when it cannot be done."""
    if not arguments:
        print("usage: python -m infra.check FILE.bicep …", file=sys.stderr)
        return 2
    data = types_file()
    if not data.is_file():
        print(f"SKIPPED: no type data at {data}; set BICEP_TYPES to its folder. NOTHING WAS CHECKED.")
        return 0
    types = ResourceTypes(data, SUPPLEMENT)
    paths = list(dict.fromkeys(path for name in arguments for path in files_of(Path(name))))
    problems = [problem for path in paths for problem in check_file(path, types)]
    for name in arguments:
        problems += _parameters(Path(name))
    for problem in problems:
        print(problem)
    print(f"{len(paths)} files, {len(problems)} problems")
    print(NOT_CHECKED)
    return 1 if problems else 0


def _parameters(path: Path) -> list[Problem]:
    beside = path.with_suffix(".parameters.json")
    if not beside.is_file():
        return []
    try:
        return check_parameters(beside, read_template(path))
    except BicepSyntaxError:
        return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
