"""What `make serve` prints can be pasted, and does what is said beside it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Literal

import pytest

from local.extracts.deliveries import PeopleSource
from local.playground import Playground
from local.serve import guide, write_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import LocalCloud

pytestmark = pytest.mark.skipif(
    not shutil.which("curl"), reason="WHAT make serve PRINTS WAS NOT TRIED, for that needs curl, and there is none"
)


def paste(printed: str) -> dict[str, str]:
    """Run all commands in one shell, as soon as the run is over that one of them starts; each with its answer."""
    commands = [line for line in printed.splitlines() if line.startswith(("curl ", "RUN="))]
    look = next(command for command in commands if command.endswith(' "$RUN"'))
    wait = f'until {look} | grep -q \'"finished_at":"\'; do sleep 0.2; done'
    steps = [f"{command}\n{wait}" if command.startswith("RUN=") else command for command in commands]
    script = "\n".join(f"{step}\nprintf '\\036'" for step in steps)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603, S607 - ours
    assert done.stderr == ""
    return dict(zip(commands, done.stdout.split("\036"), strict=False))


def refusals(answers: dict[str, str]) -> list[tuple[str, int]]:
    """Whom the app refused, with its status."""
    found = []
    for command, answer in answers.items():
        if status := re.search(r'"status":(4\d\d),', answer):
            caller = re.search(r"callers/(\w+)", command)
            found.append((caller[1] if caller else "key", int(status[1])))
    return found


@pytest.mark.parametrize("authentication", ["keys", "entra"])
def test_what_is_printed_can_be_pasted(
    cloud: LocalCloud, tmp_path: Path, authentication: Literal["keys", "entra"]
) -> None:
    playground = Playground(cloud)
    source = PeopleSource(20)
    with playground.extracts() as container:
        delivery = source.deliver(container)
    host = playground.start_host(tick="0 0 0 1 1 *", authentication=authentication)
    tokens = write_tokens(tmp_path, cloud.entra) if authentication == "entra" else None
    printed = guide(playground, host, source, delivery, tokens)
    answers = paste(printed)
    host.stop()
    expected = [("operator", 403), ("viewer", 403), ("stranger", 404)]
    assert refusals(answers) == (expected if tokens else [])
    connection = next(answer for command, answer in answers.items() if "-X PUT" in command)
    assert json.loads(connection)["consent"]["given_by"]["is_administrator"]
