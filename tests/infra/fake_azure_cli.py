"""What deploy.sh and destroy.sh are run against: an `az` that only answers, and a tiny app on 127.0.0.1."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
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
CUSTOMER_INSIGHTS = "77777777-7777-7777-7777-777777777777"
"""Object ID of Customer Insights in the tenant."""
STRANGERS = "66666666-6666-6666-6666-666666666666"
"""Client ID of a registration that somebody else gave the name that ours has."""

FRESH: list[list[Any]] = [
    ["^account show --query id", "00000000-0000-0000-0000-0000000000aa", 0],
    ["^account show --query name", "Contoso", 0],
    ["^account show --query user.type --output", "user", 0],
    ["^account show --query user", "ops@contoso.example", 0],
    [
        "^account get-access-token",
        f"head.{base64.urlsafe_b64encode(json.dumps({'oid': ME}).encode()).decode()}.tail",
        0,
    ],
    ["^group exists", "false", 0],
    ["^provider show --namespace Microsoft.App ", "NotRegistered", 0],
    ["^provider show", "Registered", 0],
    ["outputs.functionAppName", "func-x", 0],
    ["outputs.keyVaultName", "kv-x", 0],
    ["outputs.dataStorageAccount", "stdata", 0],
    ["outputs.hostStorageAccount", "sthost", 0],
    ["^functionapp keys list", ADMIN_KEY, 0],
    ["^ad app (list|create) ", STRANGERS, 0],
    ["^rest --method post --url https://graph.microsoft.com/v1.0/applications ", OURS, 0],
    [f"^ad app show --id {OURS} --query id", "object-of-ours", 0],
    [f"^ad app show --id {OURS} --query spa", "[]", 0],
    ["^ad sp list ", CUSTOMER_INSIGHTS, 0],
]
"""What a subscription answers that has nothing yet."""

THERE: list[list[Any]] = [
    ["^group exists", "true", 0],
    ["^(keyvault|storage account) list .*publicNetworkAccess", "", 0],
    ["^keyvault list --resource-type vault --resource-group", "kv-x", 0],
    ["^rest .*/secrets", "sendgrid-api-key", 0],
    ["^rest .*/budgets", "2026-03-01T00:00:00Z", 0],
    ["^functionapp list", "/subscriptions/s/func-x", 0],
    ["^rest .*/authsettingsV2", "", 0],
    *FRESH,
]
"""What it answers later; what was deployed is looked up."""

RECORD: dict[str, Any] = {
    "alertEmails": ["ada@contoso.example"],
    "name": "sgexport",
    "network": "public",
    "secretNames": ["sendgrid-api-key"],
}
"""Parameters that were deployed."""


def recorded(**parameters: object) -> list[list[Any]]:
    """What is answered where this was deployed."""
    kept = json.dumps(RECORD | parameters)
    return [["^deployment group list", "sendgrid-segment-export", 0], ["keptParameters.value$", kept, 0], *THERE]


DEPLOYED = recorded()
"""What it answers where a deployment like that was made."""

WITH_ENTRA: list[list[Any]] = [
    ["^rest .*/authsettingsV2", OURS, 0],
    [f"^ad app owner list --id {OURS} ", f"somebody\n{ME}", 0],
    *DEPLOYED,
]
"""What it answers once Entra authentication is on, by a registration that is ours."""


PACKAGES = "https://sthost.blob.core.windows.net/app-package"
"""Where the app's package is."""


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
        app = [
            "^rest --method get --url /subscriptions/s/func-x.api-version",
            f"func-x\n{self.url}\n{PACKAGES}",
            0,
        ]
        answers = [*self.answers, app, ["outputs.functionAppUrl", self.url, 0]]
        (self.folder / "answers.json").write_text(json.dumps(answers))
        variables = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "FAKE_AZ_LOG": str(self.folder / "log"),
            "FAKE_AZ_ANSWERS": str(self.folder / "answers.json"),
            "FAKE_AZ_STATE": str(self.folder / "state"),
            "DEPLOY_TRIES": "2",
            "DEPLOY_WAIT": "0",
            **environment,
        }
        command = ["bash", str(self.folder / "infra" / script), "--resource-group", "rg-x", *arguments]
        return subprocess.run(  # noqa: S603 - our own script
            command,
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, *arguments: str, content: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Deploy a package with this in it, without being asked and without exporting definitions."""
        package = str(self.package(content))
        return self.run("deploy.sh", "--package", package, "--yes", "--without-export", *arguments, **environment)

    def package(self, content: str) -> Path:
        """What Azure could run, as far as deploy.sh looks."""
        path = self.folder / "package.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("shared/__init__.py", '__version__ = "1.2.3"\n')
            archive.writestr(".python_packages/lib/site-packages/some.py", content)
        return path

    def kept(self) -> list[str]:
        """Names of what is kept in the container of packages."""
        folder = self.folder / "state/blobs"
        return sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*z*") if path.suffix in {".zip", ".gz"}
        )

    def bring_the_app(self, root: Path) -> None:
        """Put there what the package is built of."""
        for name in ("function_app.py", "host.json", "requirements.txt"):
            shutil.copyfile(root / name, self.folder / name)
        for name in ("functions", "shared"):
            (self.folder / name).unlink()
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
        """The parameters that the last deployment got through a pipe."""
        text = [call["input"] for call in self.calls() if "deployment group create" in call["line"]][-1]
        return {name: each["value"] for name, each in json.loads(text)["parameters"].items()}


@contextlib.contextmanager
def make_desk(root: Path, folder: Path) -> Iterator[FakeAzureCli]:
    """The pretended az in an empty folder, with the scripts of the repository."""
    shutil.copytree(root / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    az = folder / "az"
    az.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{HERE / 'fake_az.py'}' \"$@\"\n")
    az.chmod(0o755)
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    for name in ("functions", "shared", "tools"):
        (folder / name).symlink_to(root / name)
    (folder / "state/blobs").mkdir(parents=True)
    answers = {
        f"/api/{name}": (200, json.dumps({name: []})) for name in ("connections", "exports", "notifications")
    }
    app = type("App", (App,), {"answers": {"/api/health": (200, "{}"), **answers}, "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), app) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield FakeAzureCli(folder, f"http://127.0.0.1:{server.server_port}", app, FRESH)
        server.shutdown()
