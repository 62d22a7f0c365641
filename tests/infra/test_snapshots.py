"""What the template would deploy is what is kept under infra/snapshots, where a reviewer reads the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import snapshots
from tools.snapshots import FOLDER, VARIANTS, kept, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tools.bicep import Compiler


@pytest.mark.parametrize("name", VARIANTS)
def test_a_snapshot_is_what_would_be_deployed(compiler: Compiler, name: str) -> None:
    assert kept(name).read_text(encoding="utf-8") == snapshot(compiler, name), "run make snapshots, and read it"


def test_no_other_snapshot_is_kept() -> None:
    assert {each.stem for each in FOLDER.iterdir()} == set(VARIANTS)


def test_snapshots_are_written_anew(compiler: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiler.version
    monkeypatch.setattr(snapshots, "ROOT", tmp_path)
    monkeypatch.setattr(snapshots, "FOLDER", tmp_path / "snapshots")
    monkeypatch.setattr(snapshots, "snapshot", lambda _, name: f"{name}\n")
    monkeypatch.setattr(snapshots, "kept", lambda name: tmp_path / "snapshots" / f"{name}.json")
    assert snapshots.main() == 0
    assert {each.name: each.read_text() for each in (tmp_path / "snapshots").iterdir()} == {
        f"{name}.json": f"{name}\n" for name in VARIANTS
    }


def test_without_a_compiler_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {each.name: each.stat().st_mtime_ns for each in FOLDER.iterdir()}
    monkeypatch.setattr(snapshots, "find_compiler", lambda: None)
    assert snapshots.main() == 1
    assert "was not found" in capsys.readouterr().err
    assert {each.name: each.stat().st_mtime_ns for each in FOLDER.iterdir()} == before
