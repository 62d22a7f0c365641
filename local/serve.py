"""`make serve`: the local cloud and the app, up until Ctrl-C, with commands to try them."""

import json
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final, Never

from local.azure.environment import VAULT_URL
from local.azure.processes import ProcessError
from local.cloud import Host, LocalCloud
from local.extracts.deliveries import PEOPLE_MAPPING, Delivery, put_people
from local.extracts.people import People
from local.playground import CONNECTION, EXPORT, Playground, connection_definition, export_definition

ROWS: Final = 1_000
EVERY_FIVE_MINUTES: Final = "0 */5 * * * *"


def main() -> int:
    """Serve until Ctrl-C; the status to exit with."""
    signal.signal(signal.SIGTERM, _interrupt)
    with TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True) as directory:
        try:
            _serve(Path(directory))
        except KeyboardInterrupt:
            print("\nserve: everything is stopped")
            return 0
        except ProcessError as error:
            print(f"serve: {error}")
    return 1


def _serve(directory: Path) -> None:
    with ExitStack() as stack:
        print("Starting the local cloud …", flush=True)
        playground = Playground(stack.enter_context(LocalCloud(directory)))
        with playground.extracts() as container:
            delivery = put_people(container, People(rows=ROWS), delivered_at=datetime.now(UTC))
        host = playground.start_host(tick=EVERY_FIVE_MINUTES)
        print(guide(playground, host, delivery), flush=True)
        Event().wait()


def guide(playground: Playground, host: Host, delivery: Delivery) -> str:
    """Say what is where, and how to walk through it."""
    export = export_definition(playground.list_id, PEOPLE_MAPPING, schedule="off")
    runs = f"{host.url}/api/exports/{EXPORT}/runs"
    curl = Curl(host.function_key)
    return "\n".join(
        [
            f"App              {host.url}, function key {host.function_key}",
            f"App's log        {host.log_file}",
            f"SendGrid list    {playground.list_id}, in the simulator",
            f"Vault            {VAULT_URL}, the API key lies there already",
            f"Extract          {delivery.folder}, {delivery.expectation.rows:,} rows",
            "",
            "# Is it there?",
            curl.get(quote(f"{host.url}/api/health")),
            "# Save a connection and an export",
            curl.put(f"{host.url}/api/connections/{CONNECTION}", connection_definition()),
            curl.put(f"{host.url}/api/exports/{EXPORT}", export),
            "# Start a run, look at it and at all runs, and see which rows were rejected",
            f"RUN={host.url}$({curl.post_for_location(runs)})",
            curl.get('"$RUN"'),
            curl.get(quote(runs)),
            curl.get('"$RUN/rejected"'),
            "",
            "Ctrl-C stops everything.",
        ]
    )


class Curl:
    """Writes curl commands that a shell takes as they are."""

    def __init__(self, key: str) -> None:
        # The newline parts an answer from the next prompt.
        self._command = rf"curl -sS -w '\n' -H {quote(f'x-functions-key: {key}')}"

    def get(self, address: str) -> str:
        """Print what is there; the address is quoted by the caller, who may want the shell to expand it."""
        return f"{self._command} {address}"

    def put(self, address: str, body: Mapping[str, Any]) -> str:
        """Save a definition and print the answer."""
        header = "-H 'content-type: application/json'"
        return f"{self._command} -X PUT {header} -d {quote(json.dumps(body))} {quote(address)}"

    def post_for_location(self, address: str) -> str:
        """Post nothing and print the answer's Location."""
        only_location = r"tr -d '\r' | sed -n 's/^[Ll]ocation: //p'"
        return f"{self._command} -X POST -D - -o /dev/null {quote(address)} | {only_location}"


def _interrupt(*_: object) -> Never:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
