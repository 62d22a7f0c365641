"""What deploy.sh and destroy.sh are run against: an `az` that only answers, and a tiny app on 127.0.0.1."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

KEY = "SG.made-up.key_0"
ADMIN_KEY = f"admin.{'0a' * 32}"
ME = "99999999-9999-9999-9999-999999999999"
OURS = "11111111-1111-1111-1111-111111111111"
"""Client ID of a registration of ours."""
STRANGERS = "66666666-6666-6666-6666-666666666666"
"""Client ID of a registration that somebody else gave the name that ours has."""

FRESH: list[list[Any]] = [
    ["^account show --query id", "00000000-0000-0000-0000-0000000000aa", 0],
    ["^account show --query name", "Contoso", 0],
    ["^account show --query user", "ops@contoso.example", 0],
    ["^group exists", "false", 0],
    ["^provider show --namespace Microsoft.App ", "NotRegistered", 0],
    ["^provider show", "Registered", 0],
    ["outputs.functionAppName", "func-x", 0],
    ["outputs.keyVaultName", "kv-x", 0],
    ["outputs.dataStorageAccount", "stdata", 0],
    ["^functionapp keys list", ADMIN_KEY, 0],
    ["^ad app (list|create) ", STRANGERS, 0],
    ["^rest --method post --url https://graph.microsoft.com/v1.0/applications ", OURS, 0],
    ["^ad signed-in-user show", ME, 0],
    [f"^ad app show --id {OURS} --query id", "object-of-ours", 0],
    [f"^ad app show --id {OURS} --query spa", "[]", 0],
]
"""What a subscription answers that has nothing yet."""

DEPLOYED: list[list[Any]] = [
    ["^group exists", "true", 0],
    ["^keyvault list --resource-type vault --resource-group", "kv-x", 0],
    ["^rest .*/secrets", "sendgrid-api-key", 0],
    ["^rest .*/budgets", "2026-03-01T00:00:00Z", 0],
    ["^functionapp list", "/subscriptions/s/func-x", 0],
    ["^rest .*/authsettingsV2", "", 0],
    *FRESH,
]
"""What it answers later."""

WITH_ENTRA: list[list[Any]] = [
    ["^rest .*/authsettingsV2", OURS, 0],
    [f"^ad app owner list --id {OURS} ", f"somebody\n{ME}", 0],
    *DEPLOYED,
]
"""What it answers once Entra authentication is on, by a registration that is ours."""


class App(http.server.BaseHTTPRequestHandler):
    """Answers as the app would; `answers` maps a path to status and body."""

    answers: dict[str, tuple[int, str]]
    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((f"{self.command} {self.path}", self.headers["x-functions-key"]))
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        status, body = self.answers.get(self.path, (404, ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET  # noqa: N815 - named by the library

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclasses.dataclass
class FakeAzureCli:
    """A person's machine: a copy of the scripts, a fake `az`, and an app to call."""

    folder: Path
    url: str
    app: type[App]
    answers: list[list[Any]]

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "answers.json").write_text(
            json.dumps([*self.answers, ["outputs.functionAppUrl", self.url, 0]])
        )
        variables = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "FAKE_AZ_LOG": str(self.folder / "log"),
            "FAKE_AZ_ANSWERS": str(self.folder / "answers.json"),
            "DEPLOY_TRIES": "2",
            "DEPLOY_WAIT": "0",
            **environment,
        }
        command = ["bash", str(self.folder / "infra" / script), "--resource-group", "rg-x", *arguments]
        return subprocess.run(  # noqa: S603 - our own script
            command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def deploy(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        package = self.folder / "package.zip"
        package.write_text(".python_packages/")
        return self.run("deploy.sh", "--package", str(package), *arguments, **environment)

    def bring_the_app(self, root: Path) -> None:
        """Put there what the package is built of."""
        for name in ("function_app.py", "host.json", "requirements.txt"):
            shutil.copyfile(root / name, self.folder / name)
        for name in ("functions", "shared"):
            shutil.copytree(root / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def calls(self) -> list[dict[str, Any]]:
        """Each call of `az`: see fake_az.py."""
        log = self.folder / "log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def lines(self) -> list[str]:
        return [call["line"] for call in self.calls()]

    def line(self, start: str) -> str:
        return next(line for line in self.lines() if line.startswith(start))

    def parameters(self) -> dict[str, Any]:
        """The parameters that the deployment got through a pipe."""
        text = next(call["input"] for call in self.calls() if "deployment group create" in call["line"])
        return {name: each["value"] for name, each in json.loads(text)["parameters"].items()}


@contextlib.contextmanager
def make_desk(root: Path, folder: Path) -> Iterator[FakeAzureCli]:
    """The pretended az in an empty folder, with the scripts of the repository."""
    shutil.copytree(root / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    az = folder / "az"
    az.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{HERE / 'fake_az.py'}' \"$@\"\n")
    az.chmod(0o755)
    answers = {f"/api/{name}": (200, json.dumps({name: []})) for name in ("connections", "exports")}
    app = type("App", (App,), {"answers": {"/api/health": (200, "{}"), **answers}, "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), app) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield FakeAzureCli(folder, f"http://127.0.0.1:{server.server_port}", app, FRESH)
        server.shutdown()
