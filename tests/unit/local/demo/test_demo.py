import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ROWS": "many"}, "demo: ROWS=many is no number of rows"),
        (
            {"EXTRACT": "pyproject.toml", "EMAIL": "Email"},
            "demo: The mapping takes email from Email",
        ),
    ],
)
def test_options_that_make_no_sense_end_the_demo_with_a_sentence(variables: dict[str, str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        cwd=PROJECT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(words)
    assert done.stderr == ""
