"""A client for the simulator's control API, for tests and the demonstration."""

import ssl
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlencode

import httpx
import orjson
from pydantic import BaseModel, ConfigDict

from local.sendgrid_simulator.configuration import Configuration
from local.sendgrid_simulator.faults import Fault, Injected
from local.sendgrid_simulator.request_log import LoggedRequest
from local.sendgrid_simulator.suppressions import SuppressionKind

__all__ = ["Counts", "Fault", "Injected", "LoggedRequest", "Simulator"]

TIMEOUT_SECONDS = 60
"""Long, because the simulator may first have to carry out a backlog of jobs."""


class Counts(BaseModel):
    """Sums over everything since the last reset."""

    model_config = ConfigDict(frozen=True)

    contacts: int
    """In the account, on whatever list."""
    requests: dict[str, int]
    """Under keys such as "PUT /v3/marketing/contacts 202", and "… reset" for connections that a fault cut."""
    jobs: dict[str, int]
    """By true status, whatever a fault makes the API say of a job."""


class Simulator:
    """The simulator at `base_url`; `verify` is httpx's: a context that trusts its certificate, or False."""

    def __init__(
        self, base_url: str, verify: ssl.SSLContext | Literal[False], *, client: httpx.Client | None = None
    ) -> None:
        # trust_env is off so that a proxy meant for the production names is not used on the way to loopback.
        self._client = client or httpx.Client(
            base_url=base_url, verify=verify, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def create_key(self, scopes: Iterable[str] | None = None) -> str:
        """Makes an API key that may do what the profile says, unless `scopes` say otherwise."""
        return str(self._ask("POST", "/keys", {} if scopes is None else {"scopes": list(scopes)})["key"])

    def revoke_key(self, key: str) -> None:
        """Makes a key unknown."""
        self._ask("POST", "/keys/revoke", {"key": key})

    def create_list(self, name: str) -> str:
        """Makes an empty list and gives its UUID."""
        return str(self._ask("POST", "/lists", {"name": name})["id"])

    def delete_list(self, list_id: str) -> None:
        """Deletes a list, as a colleague in SendGrid's own pages might; its contacts stay."""
        self._ask("DELETE", f"/lists/{list_id}")

    def create_custom_field(self, name: str, field_type: str) -> str:
        """Defines a Text, Number or Date field and gives its id."""
        return str(self._ask("POST", "/fields", {"name": name, "type": field_type})["id"])

    def add_to_list(self, list_id: str, *emails: str) -> None:
        """Puts people on a list as another tool does: through the API, with a key of its own."""
        body = {"list_ids": [list_id], "contacts": [{"email": email} for email in emails]}
        headers = {"Authorization": f"Bearer {self.create_key()}", "Accept": "application/json"}
        _check(self._client.put("/v3/marketing/contacts", json=body, headers=headers))

    def suppress(self, kind: SuppressionKind, *emails: str) -> None:
        """Puts people on a suppression list, as mail that could not be delivered does."""
        self._ask("POST", "/suppressions", {"kind": kind, "emails": emails})

    def erased(self) -> list[str]:
        """Lists the addresses whose erasure was asked for."""
        return list(self._ask("GET", "/erased"))

    def configure(self, **settings: object) -> Configuration:
        """Changes some of the settings of `Configuration`, or all by a `profile`, and gives all."""
        return Configuration.model_validate(self._ask("PATCH", "/configuration", settings))

    def list_emails(self, list_id: str) -> list[str]:
        """Lists the e-mails on a list, in the order in which they were added."""
        return [email for email in self._lines(f"/lists/{list_id}/emails") if email is not None]

    def contacts(self, list_id: str) -> Iterator[dict[str, Any]]:
        """Yields the contacts on a list as the API shows contacts."""
        return self._lines(f"/lists/{list_id}/contacts")

    def contact(self, email: str) -> dict[str, Any] | None:
        """Gives the contact with this e-mail, on a list or not."""
        found: dict[str, Any] | None = self._ask("GET", f"/contact?{urlencode({'email': email})}")
        return found

    def requests(self) -> list[LoggedRequest]:
        """Lists the requests to the API."""
        return [LoggedRequest.model_validate(line) for line in self._lines("/requests")]

    def counts(self) -> Counts:
        """Counts contacts, requests and jobs."""
        return Counts.model_validate(self._ask("GET", "/counts"))

    def inject(self, *faults: Fault) -> None:
        """Puts faults at the end of the queue."""
        for fault in faults:
            self._ask("POST", "/faults", fault.model_dump(mode="json"))

    def clear_faults(self) -> None:
        """Drops the faults that have not struck yet."""
        self._ask("DELETE", "/faults")

    def injected(self) -> list[Injected]:
        """Lists the faults that struck, oldest first."""
        return [Injected.model_validate(line) for line in self._lines("/injected")]

    def reset(self) -> None:
        """Forgets everything, keys and settings included."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        response = self._client.request(method, f"/__simulator{path}", json=body or {})
        _check(response)
        return orjson.loads(response.content)

    def _lines(self, path: str) -> Iterator[Any]:
        with self._client.stream("GET", f"/__simulator{path}") as response:
            if response.is_error:
                response.read()
            _check(response)
            yield from map(orjson.loads, response.iter_lines())


def _check(response: httpx.Response) -> None:
    """Raises ValueError with the simulator's own words when it refuses."""
    if response.is_error:
        raise ValueError(f"the simulator refused {response.request.url.path}: {response.text}")
