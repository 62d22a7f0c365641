"""Checks the deployment from the command line, and says what ran and what did not: `python -m tools.infra`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Final

from tools.bicep import NOT_FOUND, ROOT, find_compiler, running
from tools.policies import POLICIES

if TYPE_CHECKING:
    from pathlib import Path

INFRA: Final = ROOT / "infra"
NOT_RUN: Final = """\
not run here   what-if and a real deployment: infra/deploy.sh --resource-group GROUP [--what-if]
not run here   a second opinion by checkov: make checkov
not run here   the scripts with the real az: make az"""


def main() -> int:
    """Run the tests of the deployment; their exit code."""
    found = find_compiler()
    command = [sys.executable, "-m", "pytest", "-rs", str(ROOT / "tests" / "infra")]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own tests
    print("\n".join([*_ran(found), NOT_RUN]))
    return code


def _ran(compiler: Path | None) -> list[str]:
    """What the tests had to do with the templates."""
    if compiler is None:
        return [f"NOT RUN        {NOT_FOUND}"]
    files = [INFRA / "main.bicep", *(INFRA / "modules").glob("*.bicep")]
    mutants = tomllib.loads((ROOT / "tests/infra/mutants.toml").read_text(encoding="utf-8"))["mutant"]
    with running(compiler) as started:
        version = started.version
    return [
        f"ran            Bicep {version}: {len(files)} files compiled, and compared with its formatter",
        f"ran            {len(POLICIES)} policies on what seven variants would deploy; {len(mutants)} mutants",
        "ran            settings, queues, events and queries against the code; scripts; workflows; package",
    ]


if __name__ == "__main__":
    sys.exit(main())
