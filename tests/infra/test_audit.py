"""`make audit` fails on a finding, and takes nothing for checked that was not."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tools import audit
from tools.audit import Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WEAK = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": "x"}
GOOD = {"name": "anyio", "version": "4.16.0", "vulns": []}
BAD = {"name": "idna", "version": "1.0", "vulns": [WEAK]}
UNKNOWN = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.20)"}


@pytest.mark.parametrize(
    ("packages", "verdict", "line"),
    [
        ([GOOD], Verdict.CLEAN, "1 packages"),
        ([GOOD, BAD], Verdict.FOUND, "idna 1.0: PYSEC-2026-1, mended in 2.0"),
        ([UNKNOWN, BAD], Verdict.FOUND, "idna 1.0: PYSEC-2026-1, mended in 2.0"),
        ([GOOD, UNKNOWN], Verdict.NOT_CHECKED, f"1 of 2 packages, such as: {UNKNOWN['skip_reason']}"),
        ([], Verdict.NOT_CHECKED, "0 of 0 packages, such as: none was read"),
    ],
    ids=["clean", "found", "found beside unknown", "unknown", "nothing read"],
)
def test_python_packages_are_judged(packages: list[Any], verdict: Verdict, line: str) -> None:
    output = json.dumps({"dependencies": packages, "fixes": []})
    assert audit.judge_python(output, "No known vulnerabilities found") == Report(verdict=verdict, lines=(line,))


@pytest.mark.parametrize(
    ("document", "verdict", "line"),
    [
        ({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 375}}}, Verdict.CLEAN, "375 packages"),
        ({"vulnerabilities": {"ws": {"severity": "high"}}, "metadata": {}}, Verdict.FOUND, "ws: high"),
        ({"message": "405 Method Not Allowed", "statusCode": 405}, Verdict.NOT_CHECKED, "405 Method Not Allowed"),
        ({"error": {}}, Verdict.BROKEN, "npm error: no lockfile"),
    ],
    ids=["clean", "found", "refused", "without a word"],
)
def test_npm_packages_are_judged(document: dict[str, Any], verdict: Verdict, line: str) -> None:
    assert audit.judge_npm(json.dumps(document), "npm error: no lockfile") == Report(
        verdict=verdict, lines=(line,)
    )


@pytest.mark.parametrize("judge", [audit.judge_python, audit.judge_npm, audit.judge_secrets])
@pytest.mark.parametrize("output", ["", "[]", "Traceback", "{"])
def test_a_tool_that_breaks_has_not_found_everything_clean(
    judge: Callable[[str, str], Report], output: str
) -> None:
    assert judge(output, "first\nno such option\n") == Report(verdict=Verdict.BROKEN, lines=("no such option",))


def test_a_package_index_out_of_reach_is_no_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "x.txt").write_text(f"idna==3.20 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(audit, "REQUIREMENTS", ("x.txt",))
    report = audit.check_python(tmp_path)
    assert (report.verdict, "ProxyError" in report.lines[0]) == (Verdict.NOT_CHECKED, True)


def test_a_tool_that_is_missing_is_no_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert audit.check_npm(tmp_path).verdict is Verdict.BROKEN


def test_the_worst_of_several_files_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = iter([json.dumps({"dependencies": [each]}) for each in (BAD, UNKNOWN, GOOD)])
    monkeypatch.setattr(audit, "_run", lambda *_: (next(outputs), ""))
    report = audit.check_python(tmp_path)
    assert report.verdict is Verdict.FOUND
    assert report.lines == ("requirements-dev.txt: idna 1.0: PYSEC-2026-1, mended in 2.0",)


def _repository(folder: Path, text: str) -> Path:
    (folder / "settings.py").write_text(text)
    for words in (["init", "--quiet"], ["add", "settings.py"]):
        subprocess.run(["git", *words], cwd=folder, check=True)  # noqa: S603, S607 - our own words
    return folder


def test_a_secret_is_found_and_not_told(tmp_path: Path) -> None:
    key = f"SG.{'a1_-' * 5}ab.{'b2_-' * 10}abc"
    found = audit.check_secrets(_repository(tmp_path, f'X = 1\nKEY = "{key}"\n'))
    assert found == Report(verdict=Verdict.FOUND, lines=("settings.py, line 2: SendGrid API Key",))


def test_hashes_are_no_secrets(tmp_path: Path) -> None:
    found = audit.check_secrets(_repository(tmp_path, f'DIGEST = "{"0a1b2c3d" * 8}"\nPASSWORD = "made up"\n'))
    assert found.verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.CLEAN, 0), (Verdict.NOT_CHECKED, 0), (Verdict.BROKEN, 1), (Verdict.FOUND, 1)]
)
def test_a_finding_fails_and_so_does_a_broken_check(
    verdict: Verdict, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setitem(audit.CHECKS, "npm", lambda _: Report(verdict=verdict, lines=("because",)))
    assert audit.main(["npm"]) == code
    told = capsys.readouterr().out
    assert told.startswith(f"npm: {verdict}\n  because\n")
    assert ("::warning" in told) == (verdict is Verdict.NOT_CHECKED)
