"""A running SendGrid simulator for tests, with a clock that the test moves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from local.sendgrid_simulator.app import build_app
from local.sendgrid_simulator.control import Simulator
from local.sendgrid_simulator.server import build_server
from local.sendgrid_simulator.simulation import Simulation

type Json = dict[str, Any]

CONTACTS = "/v3/marketing/contacts"
LISTS = "/v3/marketing/lists"
START = 1_700_000_000.0


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += seconds


class InMemorySendGrid:
    """A simulator, its control client, and a customer of its API with a key and a list."""

    def __init__(self, url: str, simulation: Simulation, clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self.simulation = simulation
        self.control = Simulator(url, verify=False)
        self.api = httpx.Client(base_url=url, timeout=20, trust_env=False)

    def begin_again(self) -> None:
        """Empties the simulator and gives the customer a new key and a new list."""
        self.clock.now = START
        self.control.reset()
        self.use_key(self.control.create_key())
        self.list_id = self.control.create_list("Customers")

    def use_key(self, key: str) -> None:
        """Sends this key from now on."""
        self.api.headers["Authorization"] = f"Bearer {key}"

    def put(self, *contacts: object, **members: object) -> httpx.Response:
        """Sends an upsert of these contacts, onto the list unless `list_ids` says otherwise."""
        return self.api.put(CONTACTS, json={"list_ids": [self.list_id], "contacts": contacts} | members)

    def start_job(self, *contacts: object, **members: object) -> str:
        """Sends an upsert that must be accepted and gives the id of its job."""
        response = self.put(*contacts, **members)
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        return str(response.json()["job_id"])

    def upsert(self, *contacts: object, **members: object) -> Json:
        """Sends an upsert, waits for its job and gives the job."""
        job_id = self.start_job(*contacts, **members)
        self.clock.pass_(1)
        return self.job(job_id)

    def job(self, job_id: str) -> Json:
        """Asks for a job."""
        answer: Json = self.api.get(f"{CONTACTS}/imports/{job_id}").json()
        return answer

    def start_export(self, **members: object) -> str:
        """Asks for an export of the list, or of what `list_ids` says, and gives its id."""
        response = self.api.post(f"{CONTACTS}/exports", json={"list_ids": [self.list_id]} | members)
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        return str(response.json()["id"])

    def export(self, export_id: str) -> Json:
        """Asks for an export."""
        answer: Json = self.api.get(f"{CONTACTS}/exports/{export_id}").json()
        return answer

    def download(self, url: str, **headers: str) -> httpx.Response:
        """Fetches a file from an address that an answer gave, without the key."""
        local = url.replace("https://api.sendgrid.com", self.url)
        return httpx.get(local, headers=headers, trust_env=False)

    def errors(self, *contacts: object, **members: object) -> list[Json]:
        """Sends an upsert that must be refused with 400 and gives its errors."""
        response = self.put(*contacts, **members)
        assert response.status_code == httpx.codes.BAD_REQUEST, response.text
        errors: list[Json] = response.json()["errors"]
        return errors

    def emails(self) -> list[str]:
        """Lists who is on the list."""
        return self.control.list_emails(self.list_id)

    def close(self) -> None:
        """Closes the connections."""
        self.control.close()
        self.api.close()


@contextmanager
def running_world(record_to: Path | None = None) -> Iterator[InMemorySendGrid]:
    """Serves a simulator on a thread of this process for as long as the block lasts."""
    clock = Clock()
    simulation = Simulation(clock=clock)
    server = build_server(build_app(simulation, record_to), port=0, certificate=None, private_key=None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.listener]})
    thread.start()
    sendgrid = InMemorySendGrid(server.url, simulation, clock)
    try:
        yield sendgrid
    finally:
        sendgrid.close()
        server.should_exit = True
        thread.join()
