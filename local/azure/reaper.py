"""Reads "+pid" and "-pid" lines until its input ends, then kills the process groups that remain."""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def remaining(lines: Iterable[str]) -> set[int]:
    """Return the process ids that were added and not taken away again."""
    pids: set[int] = set()
    for line in lines:
        if line.startswith("+"):
            pids.add(int(line[1:]))
        else:
            pids.discard(int(line[1:]))
    return pids


def main() -> None:
    """Outlive the parent for a moment, to end what it has started."""
    for pid in remaining(sys.stdin):
        # macOS says PermissionError for a group whose only member is already dying.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
