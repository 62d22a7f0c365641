"""What several of these tests need."""

import socket
import time
from typing import Protocol

import pytest

from local.cloud import LocalCloud

DEADLINE_SECONDS = 30.0


class RunApp(Protocol):
    """Runs one command of app_process.py and returns its answer."""

    def __call__(self, command: str, argument: str, **settings: str) -> object: ...


def ports(cloud: LocalCloud) -> set[int]:
    """Return every port on which something of the cloud listens."""
    urls = (cloud.proxy.url, cloud.environment("stlocal")["IDENTITY_ENDPOINT"].removesuffix("/msi/token"))
    return {int(url.rpartition(":")[2]) for url in urls} | set(cloud.proxy._ports.values())


def wait_until_closed(port: int) -> None:
    """Return once nobody listens on a loopback port any more; fail the test if that never is."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            return
        time.sleep(0.05)
    pytest.fail(f"Somebody still listens on port {port}.")
