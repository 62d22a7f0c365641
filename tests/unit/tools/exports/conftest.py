from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from shared.access.keys import KeyHolders
from shared.settings import Keys
from tests.support.factories import ADMIN_KEY, use_services
from tests.support.fake_sendgrid import LIST_ID
from tests.support.http_in_memory import InMemoryTransport
from tests.support.in_memory_app import InMemoryApp
from tools.exports.command import main

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://app.example"
CONNECTION = """\
display_name: Marketing
secret_name: sendgrid-key
consent:
  text: I agree.
"""
EXPORT = f"""\
name: Newsletter
connection: marketing
list_id: {LIST_ID}
segments: [Customers]
mapping:
  email: EMail
  custom_fields:
    shoe: Shoe
schedule:
  kind: off
"""


class Tool:
    """The command, a folder for it, and an app in memory that it reaches."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.app = InMemoryApp()
        self.app.services = replace(
            self.app.services,
            authenticator=KeyHolders(
                Keys.model_validate(
                    {"roles": {"admin": {"role": "Administrator"}, "nora": {"role": "Contributor"}}}
                )
            ),
        )
        use_services(self.app.services)
        self.transport: httpx.BaseTransport = InMemoryTransport()
        self.environment = {"SENDGRID_EXPORTS_KEY": ADMIN_KEY}
        self._capsys = capsys
        self.out = self.err = ""

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def write_both(self) -> None:
        self.write("connections/marketing.yaml", CONNECTION)
        self.write("exports/newsletter.yaml", EXPORT)

    def run(self, what: str, *options: str, url: str = URL) -> int:
        status = main([what, str(self.folder), "--url", url, *options], self.environment, self.transport)
        self.out, self.err = self._capsys.readouterr()
        return status

    def told(self, what: str, *options: str) -> dict[str, Any]:
        self.run(what, "--json", *options)
        document: dict[str, Any] = json.loads(self.out)
        return document

    def actions(self, *options: str) -> dict[str, str]:
        return {f"{step['kind']}/{step['id']}": step["action"] for step in self.told("plan", *options)["steps"]}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Ask the app beside the tool."""
        with httpx.Client(
            base_url=URL, headers={"x-functions-key": ADMIN_KEY}, transport=InMemoryTransport()
        ) as client:
            return client.request(method, path, json=body, headers=headers)


@pytest.fixture
def tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tool:
    return Tool(tmp_path, capsys)
