import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from local.sendgrid_simulator.control import Simulator
from local.sendgrid_simulator.faults import Fault, FaultKind
from tests.support.simulated import CONTACTS


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "local.sendgrid_simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())["listening"]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_arguments(authority: trustme.CA, tmp_path: Path) -> list[str]:
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "certificate.pem"))
    return ["--certificate", str(tmp_path / "certificate.pem"), "--private-key", str(tmp_path / "key.pem")]


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_it_serves_over_tls_with_the_given_certificate(tls_arguments: list[str], trust: ssl.SSLContext) -> None:
    with started(*tls_arguments, "--set", "job_delay_seconds=7") as (_, url), Simulator(url, trust) as simulator:
        assert (url.startswith("https://127.0.0.1:"), simulator.configure().job_delay_seconds) == (True, 7)


def test_it_begins_with_a_profile_and_comes_back_to_it() -> None:
    arguments = ("--profile", "realistic", "--set", "job_delay_seconds=7")
    with started(*arguments) as (_, url), Simulator(url, verify=False) as simulator:
        simulator.configure(profile="quick")
        simulator.reset()
        assert simulator.configure().title() == "realistic, but job_delay_seconds=7.0"


def test_a_tls_connection_can_be_reset(tls_arguments: list[str], trust: ssl.SSLContext) -> None:
    with started(*tls_arguments) as (_, url), Simulator(url, trust) as simulator:
        simulator.inject(Fault(kind=FaultKind.RESET_BEFORE_BODY))
        with pytest.raises(httpx.TransportError), httpx.Client(verify=trust, trust_env=False) as api:
            api.put(f"{url}{CONTACTS}", json={})


def test_a_termination_signal_ends_it_with_zero_and_nothing_more_to_say() -> None:
    with started() as (process, url), Simulator(url, verify=False) as simulator:
        simulator.counts()
        process.send_signal(signal.SIGTERM)
        assert (process.communicate(timeout=20)[0], process.returncode) == ("", 0)


def test_it_records_every_exchange_but_not_the_key(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    with started("--record", str(file)) as (_, url), Simulator(url, verify=False) as simulator:
        key = simulator.create_key()
        httpx.get(f"{url}{CONTACTS}/count", headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        text = file.read_text()
    assert (json.loads(text)["path"], "SG." in text) == (f"{CONTACTS}/count", False)
