"""A client that a public generator makes of docs/openapi.json does the whole story.

https://github.com/openapi-generators/openapi-python-client
"""

import importlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azure.processes import PROJECT_ROOT
from local.export_api import TERMINAL
from tests.support.running_app import RunningApp, eventually

PACKAGE = "exports_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the client, and let it be imported; the generator warns of nothing that it had to leave out."""
    folder = tmp_path_factory.mktemp("generated")
    config = folder / "generator.yaml"
    config.write_text("post_hooks: []\n")
    generator = Path(sys.executable).with_name("openapi-python-client")
    command: list[str | Path] = [generator, "generate", "--fail-on-warning", "--meta", "none", "--config", config]
    command += ["--path", PROJECT_ROOT / "docs/openapi.json", "--output-path", folder / PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


class Client:
    """The generated client, by the names of operations and models in the document."""

    def __init__(self, running: RunningApp) -> None:
        module = importlib.import_module(f"{PACKAGE}.client")
        self.models: Any = importlib.import_module(f"{PACKAGE}.models")
        self._client = module.AuthenticatedClient(
            base_url=running.host.url,
            token=running.host.function_key,
            prefix="",
            auth_header_name="x-functions-key",
            httpx_args={"trust_env": False},
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.get_httpx_client().close()

    def call(self, operation: str, *ids: str, **parts: object) -> Any:  # noqa: ANN401 - a generated model
        """Call an operation, such as `runs.start_run`; the answer as the document says it is."""
        return importlib.import_module(f"{PACKAGE}.api.{operation}").sync(*ids, client=self._client, **parts)


@pytest.fixture
def client(generated: None, running: RunningApp) -> Iterator[Client]:  # noqa: ARG001 - it has to be there
    client = Client(running)
    yield client
    client.close()


def test_the_whole_story_is_done_by_a_generated_client(running: RunningApp, client: Client) -> None:
    models = client.models
    connection, export = running.name("connection"), running.name("export")
    list_id = running.cloud.simulator.create_list(export)
    segment = running.deliver("CustomerId,EMail\n1,ann@example.com\n2,nobody\n3,bob@example.com\n")

    draft = models.ConnectionDraft(
        display_name="Generated", secret_name=running.secret(), consent=models.ConsentText(text="I agree.")
    )
    saved = client.call("connections.put_connection", connection, body=draft, if_none_match="*")
    assert (saved.id, saved.consent.text) == (connection, "I agree.")

    wish = models.ExportDraft(
        name="Generated",
        connection=connection,
        list_id=uuid.UUID(list_id),
        segments=[segment],
        mapping=models.FieldMapping(email="EMail"),
        source=models.SourceOptions(max_rejected_share=1.0, settle="PT0S"),
        schedule=models.Off(kind="off"),
    )
    assert client.call("exports.put_export", export, body=wish).max_contacts == 100_000

    preview = client.call("exports.preview_export", export, body=models.PreviewOptions(rows=10))
    assert (len(preview.contacts), len(preview.rejections)) == (2, 1)

    started = client.call("runs.start_run", export, idempotency_key="monday")
    assert started.id in [run.id for run in client.call("runs.list_runs", export, limit=1).runs]

    def over() -> Any:  # noqa: ANN401 - a generated model
        run = client.call("exports.get_run", export, started.id)
        return run if run.status in TERMINAL else None

    run = eventually(over)
    assert (run.status.value, run.counts.sent, run.counts.rejected_by_reason.to_dict()) == (
        "succeeded",
        2,
        {"email_invalid": 1},
    )
    rows = client.call("exports.get_rejected", export, started.id).splitlines()
    assert rows[1].split(",")[2:] == ["3", "2", "EMail", "email_invalid"]
    assert sorted(running.cloud.simulator.list_emails(list_id)) == ["ann@example.com", "bob@example.com"]


def test_what_is_wrong_comes_as_a_problem_with_a_code_and_what_to_change(
    running: RunningApp, client: Client
) -> None:
    models = client.models
    wrong = models.ConnectionDraft(display_name="", secret_name="no name of a secret")
    problem = client.call("connections.put_connection", running.name("connection"), body=wrong)
    assert (problem.status, problem.code) == (400, "invalid_request")
    assert {fault.pointer for fault in problem.errors} == {"/display_name", "/secret_name"}
    codes = {each.code for each in client.call("reasons.get_reasons").reasons}
    assert problem.code in codes
