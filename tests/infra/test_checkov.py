"""A second opinion on the Bicep files, by checkov. Opt-in, since checkov is large: `make checkov`.

Only checks that fit are asked for: most of its web app checks are about plans with settings that Flex Consumption
does not have. A file that it cannot parse does not fail it, so that is asked for too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHECKOV = os.environ.get("CHECKOV", "")
ROOT = Path(__file__).parents[2]
CHECKS = "CKV_AZURE_3,CKV_AZURE_14,CKV_AZURE_34,CKV_AZURE_42,CKV_AZURE_44,CKV_AZURE_70,CKV_AZURE_110,CKV_AZURE_111"

pytestmark = pytest.mark.skipif(not CHECKOV, reason="CHECKOV DID NOT RUN, for it takes 270 MB: run make checkov")


def _checkov(folder: Path) -> dict[str, Any]:
    command = [CHECKOV, "--framework", "bicep", "--directory", str(folder), "--skip-download", "--quiet"]
    done = subprocess.run(  # noqa: S603 - our own words
        [*command, "--output", "json", "--check", CHECKS], capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_checkov_finds_nothing_and_has_read_everything() -> None:
    summary = _checkov(ROOT / "infra")["summary"]
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0)
    assert summary["passed"] > 10


def test_checkov_would_find_something(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    vault = tmp_path / "infra/modules/vault.bicep"
    vault.write_text(vault.read_text().replace("enablePurgeProtection: true", "enablePurgeProtection: false"))
    failed = _checkov(tmp_path / "infra")["results"]["failed_checks"]
    assert "CKV_AZURE_110" in {check["check_id"] for check in failed}
