"""Looks for known weaknesses in pinned packages, and for secrets in committed files: `python -m tools.audit`.

What cannot be asked, for want of a network or of an index that knows of weaknesses, is said to be NOT CHECKED and
fails nothing; a finding does, and so does a check that breaks. One check alone is asked for by its name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parents[1]
REQUIREMENTS: Final = ("requirements-dev.txt", "tools/requirements-az.txt", "tools/requirements-checkov.txt")
"""All that is pinned for Python; requirements-dev.txt has what requirements.txt has."""
NOISY: Final = ("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector")
"""Detectors that take hashes and made-up passwords for secrets; the others know how a service's keys look."""
AWAY: Final = "requests.exceptions."
"""How pip-audit's last words begin where it reached nobody."""
BIN: Final = Path(sys.executable).parent


class Verdict(StrEnum):
    """What a check came to, the better first."""

    CLEAN = "clean"
    NOT_CHECKED = "NOT CHECKED"
    """Nobody was there to ask, or did not know."""
    BROKEN = "BROKEN"
    """The tool is missing, or did not understand what it was given."""
    FOUND = "FOUND"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check came to, and the lines that say what was found, or why nothing was looked at."""

    verdict: Verdict
    lines: tuple[str, ...] = ()


def judge_python(output: str, error: str) -> Report:
    """Read pip-audit's JSON; what it skipped was not checked, though it ends well then.

    https://github.com/pypa/pip-audit#usage
    """
    document, last = _read(output), _last_line(error)
    if "dependencies" not in document:
        return Report(verdict=Verdict.NOT_CHECKED if AWAY in last else Verdict.BROKEN, lines=(last,))
    packages = document["dependencies"]
    found = [
        f"{each['name']} {each['version']}: {weak['id']}, mended in {', '.join(weak['fix_versions']) or 'none'}"
        for each in packages
        for weak in each.get("vulns", [])
    ]
    skipped = [each["skip_reason"] for each in packages if "skip_reason" in each]
    if found:
        return Report(verdict=Verdict.FOUND, lines=tuple(found))
    if skipped or not packages:
        line = f"{len(skipped)} of {len(packages)} packages, such as: {(skipped or ['none was read'])[0]}"
        return Report(verdict=Verdict.NOT_CHECKED, lines=(line,))
    return Report(verdict=Verdict.CLEAN, lines=(f"{len(packages)} packages",))


def judge_npm(output: str, error: str) -> Report:
    """Read the JSON of npm's audit.

    https://docs.npmjs.com/cli/commands/npm-audit
    """
    document = _read(output)
    if "vulnerabilities" not in document:
        why = document.get("message")
        return Report(verdict=Verdict.NOT_CHECKED if why else Verdict.BROKEN, lines=(why or _last_line(error),))
    found = [f"{name}: {each['severity']}" for name, each in document["vulnerabilities"].items()]
    if found:
        return Report(verdict=Verdict.FOUND, lines=tuple(found))
    return Report(verdict=Verdict.CLEAN, lines=(f"{document['metadata']['dependencies']['total']} packages",))


def judge_secrets(output: str, error: str) -> Report:
    """Read what detect-secrets found: files, lines and kinds, never the secrets themselves."""
    document = _read(output)
    if "results" not in document:
        return Report(verdict=Verdict.BROKEN, lines=(_last_line(error),))
    found = [
        f"{name}, line {each['line_number']}: {each['type']}"
        for name, secrets in document["results"].items()
        for each in secrets
    ]
    return Report(verdict=Verdict.FOUND if found else Verdict.CLEAN, lines=tuple(found))


def check_python(root: Path) -> Report:
    """Ask the package index for known weaknesses of all that is pinned: the worst of the files' reports."""
    command = [str(BIN / "pip-audit"), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    command += ["--format", "json", "--requirement"]
    reports = [(name, judge_python(*_run([*command, name], root))) for name in REQUIREMENTS]
    worst = max((report.verdict for _, report in reports), key=list(Verdict).index)
    lines = [f"{name}: {line}" for name, report in reports for line in report.lines if report.verdict is worst]
    return Report(verdict=worst, lines=tuple(lines))


def check_npm(root: Path) -> Report:
    """Ask the npm registry for known weaknesses of what package-lock.json pins."""
    return judge_npm(*_run(["npm", "audit", "--json"], root))


def check_secrets(root: Path) -> Report:
    """Look for keys in every file that git tracks; no service is asked whether they work."""
    quiet = [word for name in NOISY for word in ("--disable-plugin", name)]
    return judge_secrets(*_run([str(BIN / "detect-secrets"), "scan", "--no-verify", *quiet], root))


CHECKS: Final[dict[str, Callable[[Path], Report]]] = {
    "python": check_python,
    "npm": check_npm,
    "secrets": check_secrets,
}


def _run(command: list[str], root: Path) -> tuple[str, str]:
    """Standard output and standard error; an exit code other than 0 may be a finding, which the output tells."""
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603 - our own words
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return done.stdout, done.stderr


def _read(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def _told(name: str, report: Report) -> Iterator[str]:
    """Lines to print; GitHub shows a warning beside the change where something was not checked."""
    yield f"{name}: {report.verdict}"
    for line in report.lines:
        yield f"  {line}"
    if report.verdict is Verdict.NOT_CHECKED and os.environ.get("GITHUB_ACTIONS"):
        yield f"::warning title=audit::{name} was NOT CHECKED: {report.lines[0]}"


def main(names: list[str]) -> int:
    """Run the checks of these names, all of them by default; 1 if anything was found, or a check broke."""
    reports = {name: CHECKS[name](ROOT) for name in names or CHECKS}
    for name, report in reports.items():
        print("\n".join(_told(name, report)))
    return int(any(report.verdict in {Verdict.FOUND, Verdict.BROKEN} for report in reports.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
