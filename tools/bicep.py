"""Microsoft's own Bicep compiler: where it is on this machine, what it says of a file, how it would write it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BESIDE: Final = ROOT.parent / "shared" / "tools" / "bicep" / "bicep"
"""Where a workplace may keep the compiler, beside the checkout."""
OF_AZ: Final = Path.home() / ".azure" / "bin" / "bicep"
"""Where `az bicep install` puts it."""
NOT_FOUND: Final = (
    "The Bicep compiler was not found (BICEP names it; `az bicep install` brings it): "
    "whether the templates compile was NOT checked."
)


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What the compiler made of a file."""

    template: str
    """ARM JSON; empty when it does not compile."""
    diagnostics: tuple[str, ...]
    """Errors and warnings, one a line; none in a file that is right."""


def find_compiler() -> Path | None:
    """The compiler: named by BICEP, on PATH, installed by az, or beside the checkout; None when there is none."""
    named, on_path = os.environ.get("BICEP"), shutil.which("bicep")
    candidates = [Path(path) for path in (named, on_path) if path] + [OF_AZ, BESIDE]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def compile_file(compiler: Path, file: Path) -> Compiled:
    """Compile a Bicep file by the rules of the bicepconfig.json beside it or above it."""
    done = _run(compiler, "build", file)
    words = tuple(line for line in done.stderr.splitlines() if line.strip())
    return Compiled(template=done.stdout if done.returncode == 0 else "", diagnostics=words)


def format_file(compiler: Path, file: Path) -> str:
    """The file as `bicep format` writes it."""
    return _run(compiler, "format", file).stdout


def _run(compiler: Path, command: str, file: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}  # works without the ICU library
    words = [str(compiler), command, str(file), "--stdout"]
    return subprocess.run(words, capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - our own
