"""How long a new process takes to be of use: importing the app, and answering /api/health."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
RUNS: Final = 5
IMPORT: Final = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"
HEAVY: Final = ("duckdb", "azure.storage.blob", "azure.identity", "azure.keyvault.secrets", "httpx")
"""Packages that a process which only answers /api/health must do without."""


def measure() -> Iterator[dict[str, object]]:
    """Yield one row for the import, one for the host's start until /api/health is answered."""
    app, library = zip(*((_import("function_app"), _import("azure.functions")) for _ in range(RUNS)), strict=True)
    yield {
        "bench": "cold_import",
        "seconds": round(statistics.median(app), 3),
        "baseline_ratio": round(statistics.median(a / b for a, b in zip(app, library, strict=True)), 2),
        "heavy_packages": _heavy_packages(),
    }
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder)) as cloud:
        account = cloud.new_account()
        cloud.prepare_account(account)
        yield {"bench": "cold_health", "seconds": round(statistics.median(_health(cloud, account)), 3)}


def _import(module: str) -> float:
    """Seconds that a new process takes to import a module."""
    return float(_python(IMPORT.format(module)))


def _heavy_packages() -> int:
    """How many of the heavy packages importing the app brings in; none is right."""
    code = f"import sys, function_app; print(sum(name in sys.modules for name in {HEAVY}))"
    return int(_python(code))


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    return done.stdout


def _health(cloud: LocalCloud, account: str) -> Iterator[float]:
    for _ in range(RUNS):
        begin = time.perf_counter()
        host = cloud.start_host(account)
        with host.client() as client:
            client.get("/api/health").raise_for_status()
        yield time.perf_counter() - begin
        host.stop()
