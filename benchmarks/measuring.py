"""Runs what is measured in processes of their own, one after the other."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
DISK_POLL_SECONDS: Final = 0.02


@contextlib.contextmanager
def extract(rows: int, suffix: str = "csv") -> Iterator[Path]:
    """The reference extract as a file, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / f"extract.{suffix}"
        run_child("write", path, rows)
        yield path


def run_child(command: str, path: Path, number: int = 1) -> dict[str, Any]:
    """Run a command of `benchmarks.child`; what it says, and the most temporary disk it took as `peak_disk_mb`.

    Args:
        command: its name.
        path: file to work on.
        number: threads; rows, for the command that writes the file.
    """
    with tempfile.TemporaryDirectory(prefix="bench-temp-") as folder, _DiskWatch(Path(folder)) as disk:
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-m", "benchmarks.child", command, str(path), str(number)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": folder},
            check=True,
            stdout=subprocess.PIPE,
        )
    return {**json.loads(done.stdout), "peak_disk_mb": disk.peak / 1e6}


class _DiskWatch(contextlib.AbstractContextManager["_DiskWatch"]):
    """Looks at a folder again and again while the context lasts."""

    def __init__(self, folder: Path) -> None:
        self.peak = 0
        """Most bytes on disk that were seen."""
        self._folder = folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(DISK_POLL_SECONDS):
            self.peak = max(self.peak, _bytes_below(self._folder))


def _bytes_below(folder: Path) -> int:
    """Bytes that the files below `folder` take on disk; files may vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total
