"""A target over the wire: told once and signed, told again while it is down, and never waited for by a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.faults.scale import write_app
from local.webhook_receiver import new_secret
from tests.support.running_app import RunningApp, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import LocalCloud
    from local.webhook_receiver import Told, WebhookReceiver

SECRET = "notification-signing"
LEASE_SECONDS = 4


@pytest.fixture(scope="module")
def app(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """Return an app that forgets a secret it has read at once, and has a target."""
    cloud.vault.set_secret(SECRET, cloud.receiver.secret)
    with RunningApp(cloud) as running:
        start(running, tmp_path_factory.mktemp("notified"))
        definition = {
            "name": "Operations",
            "url": cloud.receiver.url,
            "events": ["run.ended", "run.warned"],
            "secret_name": SECRET,
        }
        answer = running.api.put("/api/notifications/ops", json=definition).raise_for_status()
        assert answer.json()["warnings"] == []
        yield running


def start(running: RunningApp, folder: Path) -> None:
    limits = json.dumps({"KEY_LIFETIME": 0.0, "SWEEP_AFTER": 2.0})
    running.start_host(app=write_app(folder), lease_seconds=LEASE_SECONDS, FAULT_LIMITS=limits)


@pytest.fixture
def receiver(cloud: LocalCloud) -> Iterator[WebhookReceiver]:
    yield cloud.receiver
    cloud.receiver.status, cloud.receiver.delay_seconds = 204, 0.0


def arrived_of(receiver: WebhookReceiver, run: str) -> list[Told]:
    return [each for each in receiver.arrived if each.body["data"].get("run") == run]


def told_of(receiver: WebhookReceiver, run: str) -> Told:
    return eventually(lambda: next((each for each in receiver.told if each.body["data"].get("run") == run), None))


def test_a_run_that_ends_is_told_once_and_signed(app: RunningApp, receiver: WebhookReceiver) -> None:
    run = app.export_of("one@example.com").run()
    told = told_of(receiver, run["id"])
    assert told.body["type"] == "run.ended"
    assert told.body["data"]["status"] == "succeeded"
    assert "one@example.com" not in json.dumps(told.body)
    assert len(arrived_of(receiver, run["id"])) == 1
    assert receiver.forged == 0
    shown = eventually(lambda: app.get("/api/notifications/ops")["last_delivery"])
    assert (shown["notice"], shown["status"]) == (told.id, 204)


def test_a_target_that_is_down_for_a_try_is_told_again_under_the_same_id(
    app: RunningApp, receiver: WebhookReceiver
) -> None:
    receiver.status = 503
    run = app.export_of("two@example.com").run()
    eventually(lambda: arrived_of(receiver, run["id"]))
    receiver.status = 204
    told = told_of(receiver, run["id"])
    assert [each.id for each in arrived_of(receiver, run["id"])] == [told.id] * 2
    assert eventually(lambda: app.get("/api/notifications/ops")["last_error"])["status"] == 503


def test_a_target_that_hangs_holds_no_run(app: RunningApp, receiver: WebhookReceiver) -> None:
    receiver.delay_seconds = 60.0
    first = app.export_of("three@example.com").run()
    second = app.export_of("four@example.com").run()
    assert {first["status"], second["status"]} == {"succeeded"}
    assert not [each for each in receiver.told if each.body["data"].get("run") in {first["id"], second["id"]}]
    receiver.delay_seconds = 0.0
    told_of(receiver, second["id"])


def test_while_a_secret_rotates_both_receivers_take_it(
    app: RunningApp, receiver: WebhookReceiver, cloud: LocalCloud
) -> None:
    newer = new_secret()
    cloud.vault.set_secret(SECRET, newer)
    before = told_of(receiver, app.export_of("five@example.com").run()["id"])  # it still has the old one
    receiver.secret = newer
    after = told_of(receiver, app.export_of("six@example.com").run()["id"])
    assert (before.signatures, after.signatures) == (2, 2)
    assert receiver.forged == 0


def test_a_test_tells_what_the_target_answered(app: RunningApp, receiver: WebhookReceiver) -> None:
    told = app.api.post("/api/notifications/ops/test").raise_for_status().json()
    assert (told["taken"], told["status"]) == (True, 204)
    assert receiver.told[-1].body["type"] == "test"
    receiver.status = 302
    refused = app.api.post("/api/notifications/ops/test").json()
    assert (refused["taken"], refused["status"], refused["code"]) == (False, 302, "redirected")


def test_another_port_of_this_machine_is_not_told(app: RunningApp, cloud: LocalCloud) -> None:
    port = cloud.azurite.ports.blob
    definition = {
        "name": "Inside",
        "url": f"https://localhost:{port}/devstoreaccount1",
        "events": ["run.ended"],
        "secret_name": SECRET,
    }
    saved = app.api.put("/api/notifications/inside", json=definition).json()
    assert [each["code"] for each in saved["warnings"]] == ["target_not_allowed"]
    assert app.api.post("/api/notifications/inside/test").json()["code"] == "target_not_allowed"
    app.api.delete("/api/notifications/inside").raise_for_status()


def test_a_worker_that_is_killed_with_the_answer_in_hand_tells_it_under_the_same_id(
    app: RunningApp, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.delay_seconds = 5.0
    run = app.export_of("seven@example.com").run()
    eventually(lambda: arrived_of(receiver, run["id"]))
    app.host.kill()
    receiver.delay_seconds = 0.0
    start(app, tmp_path)
    eventually(lambda: len(arrived_of(receiver, run["id"])) > 1)
    assert len({each.id for each in arrived_of(receiver, run["id"])}) == 1
