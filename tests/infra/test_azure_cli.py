"""The real az accepts every `az` command line in scripts and docs. Opt-in, since az is large: `make az`.

Without a login az checks the command line and then says so (exit 1); what it cannot parse it refuses (exit 2).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.fake_azure_cli import DEPLOYED, FRESH, KEY, WITH_ENTRA

if TYPE_CHECKING:
    from tests.infra.fake_azure_cli import FakeAzureCli

AZ = os.environ.get("AZ", "")
ROOT = Path(__file__).parents[2]
NEEDS_NETWORK = ("bicep", "login", "upgrade", "extension")
"""Commands that would fetch something before anything else."""

pytestmark = pytest.mark.skipif(not AZ, reason="NO COMMAND LINE WAS CHECKED, for az takes 700 MB: run make az")


def _pages() -> str:
    return "\n".join(path.read_text() for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")))


def _blocks() -> str:
    return "\n".join(re.findall(r"```(?:sh|bash)\n(.*?)```", _pages(), re.DOTALL)).replace("\\\n", " ")


def _in_blocks() -> list[str]:
    """The command lines in the shell blocks of the docs, those inside others on their own."""
    lines, commands = _blocks(), []
    while inner := re.findall(r"\$\((az [^()]*)\)", lines):
        commands += inner
        lines = re.sub(r"\$\([^()]*\)", "WORD", lines)
    lines = re.sub(r"\$\([^()]*\)", "WORD", lines)
    commands += [found for line in lines.splitlines() for found in re.findall(r"^\s*(?:.* \| )?(az .*)", line)]
    return [line.partition(" >")[0] for line in commands]


def _in_sentences() -> list[str]:
    """Those inside the docs' sentences; a command without an option is asked for its help."""
    spans = [re.sub(r"<[^>]*>", "WORD", span) for span in re.findall(r"`(az [^`]+)`", _pages())]
    return [span if " --" in span else f"{span} --help" for span in spans]


def _advised() -> list[str]:
    """Those that the scripts tell people to run."""
    said = "\n".join(path.read_text() for path in ROOT.glob("infra/*.sh"))
    lines = re.findall(r'(?:: |by )(az [a-z][^",]*)', said)
    return [re.sub(r"\$\{[^}]*\}|\$\w+|…", "WORD", line) for line in lines]


def _documented() -> list[str]:
    commands = {*_in_blocks(), *_in_sentences(), *_advised()}
    return sorted(line for line in commands if line.split()[1] not in NEEDS_NETWORK)


def _refusal(words: list[str], folder: Path) -> str:
    """What az has against a command line; empty when it accepts it."""
    (folder / "HighValue.csv").write_text("x")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AZURE_CONFIG_DIR": str(folder / "azure")}
    environment |= {"AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no"}
    done = subprocess.run(  # noqa: S603 - our own words
        [AZ, *words],
        env=environment,
        cwd=folder,
        input="x",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stderr if done.returncode == 2 else ""


def test_no_command_line_is_missed() -> None:
    assert len(_in_blocks()) == len(re.findall(r"(?:^|[(|]) *az [a-z]", _blocks(), re.MULTILINE))
    assert len(_advised()) == 7
    assert len(_in_sentences()) > 10


@pytest.mark.parametrize("command", _documented())
def test_documented_command_is_accepted(command: str, tmp_path: Path) -> None:
    assert _refusal(shlex.split(command)[1:], tmp_path) == ""


def test_commands_of_the_scripts_are_accepted(azure_cli: FakeAzureCli, tmp_path: Path) -> None:
    azure_cli.deploy("--location", "northeurope", "--entra", SENDGRID_API_KEY=KEY)
    ours = ["resource list .*==", "/ours/func-x", 0]
    for answers in (DEPLOYED, [ours, *DEPLOYED], [ours, *WITH_ENTRA], FRESH):
        azure_cli.answers = answers
        azure_cli.deploy("--what-if", "--location", "northeurope")
        azure_cli.deploy(SENDGRID_API_KEY=KEY)
        azure_cli.run("destroy.sh", "--yes", "--entra")
    azure_cli.answers = [["^functionapp keys list", "", 0], *DEPLOYED]
    azure_cli.deploy(SENDGRID_API_KEY=KEY)
    calls = [call["words"] for call in azure_cli.calls()]
    shapes = {" ".join(word.split("=")[0] for word in words if "/" not in word): words for words in calls}
    for start in ("functionapp deploy --", "ad app owner list", "ad app delete", "tag update", "lock list"):
        assert any(shape.startswith(start) for shape in shapes), start
    refusals = {" ".join(words): _refusal(words, tmp_path) for words in shapes.values()}
    assert {line: why for line, why in refusals.items() if why} == {}
    assert len(shapes) > 20


def test_az_refuses_what_is_wrong(tmp_path: Path) -> None:
    assert _refusal(["group", "create", "--nam-e", "x"], tmp_path) != ""
