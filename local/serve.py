"""`make serve`: the local cloud and the app, up until Ctrl-C, with commands to try them."""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final, Never

from local.azure.entra import Entra
from local.azure.environment import VAULT_URL
from local.azure.processes import ProcessError
from local.cloud import Host, LocalCloud
from local.extracts.deliveries import Delivery, Source, source_of
from local.extracts.expectation import UnsuitableFileError
from local.options import OptionError, read_authentication, read_options
from local.place import Place
from local.playground import (
    CONNECTION,
    EXPORT,
    MAX_CONTACTS,
    Playground,
    connection_definition,
    export_definition,
)
from shared.model.roles import Role

ROWS: Final = "1000"
EVERY_FIVE_MINUTES: Final = "0 */5 * * * *"
TOKEN_SECONDS: Final = 24 * 3600
"""Entra's own tokens end after an hour or so; here nobody gets a new one."""
CALLERS: Final = {
    "administrator": Role.ADMINISTRATOR,
    "contributor": Role.CONTRIBUTOR,
    "operator": Role.OPERATOR,
    "viewer": Role.VIEWER,
    "stranger": Role.CONTRIBUTOR,
}
"""Who has a token, and with which role; the stranger is no user of the connection."""
USERS: Final = ("contributor", "operator", "viewer")


def main() -> int:
    """Serve until Ctrl-C; the status to exit with."""
    signal.signal(signal.SIGTERM, _interrupt)
    with TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True) as directory:
        try:
            _serve(Path(directory))
        except KeyboardInterrupt:
            print("\nserve: everything is stopped")
            return 0
        except (OptionError, ProcessError, UnsuitableFileError) as error:
            print(f"serve: {error}")
    return 1


def _serve(directory: Path) -> None:
    authentication = read_authentication(os.environ)
    source = source_of(read_options({"ROWS": ROWS, **os.environ}))
    with ExitStack() as stack:
        print("Starting the local cloud …", flush=True)
        playground = Playground(stack.enter_context(LocalCloud(directory)))
        with playground.extracts() as container:
            delivery = source.deliver(container)
        place = Place.kept()
        host = playground.start_host(
            tick=EVERY_FIVE_MINUTES,
            authentication=authentication,
            port=place.free_port,
            function_key=place.function_key,
        )
        place.keep()
        tokens = write_tokens(directory, playground.cloud.entra) if authentication == "entra" else None
        print(guide(playground, host, source, delivery, tokens), flush=True)
        Event().wait()


def object_id(caller: str) -> str:
    """What one of the callers is known by in the tenant."""
    return f"0e0e0e0e-0000-4000-8000-{list(CALLERS).index(caller) + 1:012}"


def write_tokens(directory: Path, entra: Entra) -> Path:
    """Sign a token for each caller; the folder of files that curl takes as a header: `-H @file`."""
    folder = directory / "callers"
    folder.mkdir()
    until = int(time.time()) + TOKEN_SECONDS
    for caller, role in CALLERS.items():
        token = entra.person(object_id(caller), role, preferred_username=f"{caller}@contoso.example", exp=until)
        (folder / caller).write_text(f"Authorization: Bearer {token}\n")
    return folder


def guide(playground: Playground, host: Host, source: Source, delivery: Delivery, tokens: Path | None) -> str:
    """Say what is where, and how to walk through it: by a key, or by the tokens in a folder."""
    export = export_definition(
        playground.list_id,
        source.mapping,
        schedule="off",
        max_contacts=max(MAX_CONTACTS, delivery.expectation.rows),
        source=source.source,
    )
    connection = connection_definition(users=[object_id(user) for user in USERS] if tokens else [])
    runs = f"{host.url}/api/exports/{EXPORT}/runs"
    curl = Curl(f"@{tokens}/administrator" if tokens else f"x-functions-key: {host.function_key}")
    return "\n".join(
        [
            f"Console          {host.url}/console",
            f"App              {host.url}",
            f"App's log        {host.log_file}",
            f"Callers          {_callers(host, tokens)}",
            f"SendGrid list    {playground.list_id}, in the simulator",
            f"Vault            {VAULT_URL}, the API key lies there already",
            f"Another key      {playground.cloud.simulator.create_key()}, to be stored in the console",
            f"Extract          {delivery.folder}, {delivery.expectation.rows:,} rows",
            "",
            "# Is it there?",
            curl.get(quote(f"{host.url}/api/health")),
            "# Save a connection and an export",
            curl.put(f"{host.url}/api/connections/{CONNECTION}", connection),
            curl.put(f"{host.url}/api/exports/{EXPORT}", export),
            "# Start a run, look at it and at all runs, and see which rows were rejected",
            f"RUN={host.url}$({curl.post_for_location(runs)})",
            curl.get('"$RUN"'),
            curl.get(quote(runs)),
            curl.get('"$RUN/rejected"'),
            *(roles_guide(host.url, tokens) if tokens else []),
            "",
            "Ctrl-C stops everything.",
        ]
    )


def _callers(host: Host, tokens: Path | None) -> str:
    if tokens:
        return f"{', '.join(CALLERS)}: a token of each is in {tokens}, for {TOKEN_SECONDS // 3600} hours"
    return f"function key {host.function_key}; for a caller of each role: make serve AUTHENTICATION=entra"


def roles_guide(app: str, tokens: Path) -> list[str]:
    """Ways to ask for the same as somebody else, and what to expect."""
    as_caller = {caller: Curl(f"@{tokens}/{caller}") for caller in CALLERS}
    export = quote(f"{app}/api/exports/{EXPORT}")
    return [
        "# The contributor may use the connection, and sees no more of it than id, name and type",
        as_caller["contributor"].get(quote(f"{app}/api/connections")),
        as_caller["contributor"].post(f"{app}/api/exports/{EXPORT}/preview", {"rows": 100}),
        "# The operator starts runs and changes nothing (403); the viewer sees a run and none of its rows (403)",
        as_caller["operator"].post(f"{app}/api/exports/{EXPORT}/runs", {"force": True}),
        as_caller["operator"].post(f"{app}/api/exports/{EXPORT}/adopt", {}),
        as_caller["viewer"].get('"$RUN"'),
        as_caller["viewer"].get('"$RUN/rejected"'),
        "# The stranger is a contributor, too, but no user of the connection: there is no such export (404)",
        as_caller["stranger"].get(export),
        "# Who was refused",
        as_caller["administrator"].get(quote(f"{app}/api/audit?denied=true")),
    ]


class Curl:
    """Writes curl commands that a shell takes as they are."""

    def __init__(self, header: str) -> None:
        """Say who calls by a header, or by `@` and a file that holds one."""
        # The newline parts an answer from the next prompt.
        self._command = rf"curl -sS -w '\n' -H {quote(header)}"

    def get(self, address: str) -> str:
        """Print what is there; the address is quoted by the caller, who may want the shell to expand it."""
        return f"{self._command} {address}"

    def put(self, address: str, body: Mapping[str, Any]) -> str:
        """Save a definition and print the answer."""
        return self._send("PUT", address, body)

    def post(self, address: str, body: Mapping[str, Any]) -> str:
        """Have something done and print the answer."""
        return self._send("POST", address, body)

    def _send(self, method: str, address: str, body: Mapping[str, Any]) -> str:
        header = "-H 'content-type: application/json'"
        return f"{self._command} -X {method} {header} -d {quote(json.dumps(body))} {quote(address)}"

    def post_for_location(self, address: str) -> str:
        """Post nothing and print the answer's Location."""
        only_location = r"tr -d '\r' | sed -n 's/^[Ll]ocation: //p'"
        return f"{self._command} -X POST -D - -o /dev/null {quote(address)} | {only_location}"


def _interrupt(*_: object) -> Never:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
