import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.cloud import LocalCloud
from tests.integration.local_cloud.support import RunApp


@pytest.fixture
def run_app(cloud: LocalCloud, account: str) -> RunApp:
    """Return a function that runs one command of app_process.py in the environment of an app process."""

    def run(command: str, argument: str, **settings: str) -> object:
        script = str(Path(__file__).with_name("app_process.py"))
        finished = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, script, command, argument],
            env=cloud.environment(account, **settings),
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(finished.stdout)

    return run


@pytest.fixture
def web(cloud: LocalCloud) -> Iterator[httpx.Client]:
    """Return a bare client that takes the app's way: over the proxy, trusting only the local authority."""
    trust = ssl.create_default_context(cafile=cloud.ca_file)
    with httpx.Client(proxy=cloud.proxy.url, verify=trust, trust_env=False) as client:
        yield client
