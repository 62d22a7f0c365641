"""A run that is over is told: once to each who wants to know, for a day, and never at the run's cost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import StorageUnavailableError
from shared.limits import NOTIFY_DEADLINE
from shared.model.definitions import Saved
from shared.model.notification_codes import NotificationCode
from shared.model.notifications import NotificationDelivery, NotificationTarget, TargetState
from shared.model.reasons import RunStatus
from shared.runs.dry_run import start_dry_run
from shared.runs.finish import tell_end
from shared.storage.documents import Store
from shared.storage.layout import (
    NOTICES,
    NOTIFICATION_DELIVERIES,
    notification_state_blob,
    notification_target_blob,
)
from shared.webhooks.client import Posted
from tests.support.factories import ADA
from tests.support.fake_receiver import a_secret, a_target
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.model.documents import Document
    from shared.model.web_address import WebAddress

AWAY = Posted(code=NotificationCode.NO_ANSWER)
BROKEN = Posted(code=NotificationCode.REFUSED, status=500)


def save_target(app: InMemoryApp, **changes: object) -> None:
    saved = Saved[NotificationTarget](id="ops", definition=a_target(**changes), **app._saved_now())
    Store(app.blobs).upsert(notification_target_blob("ops"), saved)


def an_app(**changes: object) -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(3))
    save_target(app, **changes)
    return app


def state_of(app: InMemoryApp, target: str = "ops") -> TargetState:
    return Store(app.blobs).get(notification_state_blob(target), TargetState).document


def records(app: InMemoryApp) -> list[NotificationDelivery]:
    names = [item.name for item in app.blobs.list_blobs(NOTIFICATION_DELIVERIES)]
    return [Store(app.blobs).get(name, NotificationDelivery).document for name in names]


def told(app: InMemoryApp) -> list[tuple[str, str]]:
    return [(each["type"], each["data"].get("status", "")) for each in app.receiver.told]


def test_the_end_of_a_run_is_told_once_signed_and_without_people() -> None:
    app = an_app()
    run = app.run_to_its_end()
    (body,) = app.receiver.told
    assert body == {
        "type": "run.ended",
        "timestamp": run.finished_at.isoformat().replace("+00:00", "Z") if run.finished_at else "",
        "data": {
            "export": "newsletter",
            "connection": "main",
            "run": run.id,
            "trigger": "on_demand",
            "status": "succeeded",
            "reason": "done",
            "counts": {
                "rows_read": 3,
                "sent": 3,
                "unchanged": 0,
                "duplicate": 0,
                "rejected": 0,
                "not_sent": 0,
                "removed": 0,
                "not_removed": 0,
                "removals_to_confirm": 0,
            },
            "links": {
                "export": "/api/exports/newsletter",
                "run": f"/api/exports/newsletter/runs/{run.id}",
                "report": f"/api/exports/newsletter/runs/{run.id}/report",
            },
        },
    }
    assert not list(app.names("active/"))
    delivery = state_of(app).last_delivery
    assert delivery
    assert delivery.status == 204


def test_without_a_target_nothing_is_noted() -> None:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(3))
    assert app.run_to_its_end().status is RunStatus.SUCCEEDED
    assert not list(app.names("notifications/"))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (("run.ended",), [("run.ended", "failed")]),
        (("run.warned",), [("run.warned", "failed")]),
        (("run.ended", "run.warned"), [("run.warned", "failed")]),
        (("removals.waiting", "list.ready"), []),
    ],
)
def test_a_failed_run_is_told_once_by_the_most_particular_type(
    events: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    app = an_app(events=events)
    app.vault.secrets.clear()
    app.run_to_its_end()
    assert told(app) == expected


def test_a_run_that_went_well_is_no_warning() -> None:
    app = an_app(events=("run.warned",))
    app.run_to_its_end()
    app.run_to_its_end()  # skipped, since nothing has changed
    assert told(app) == []


def test_leavers_that_wait_for_a_confirmation_are_told() -> None:
    app = an_app(events=("removals.waiting", "run.warned", "run.ended"))
    app.save(leavers="remove")
    app.run_to_its_end()
    app.deliver_extract(people(1))
    app.run_to_its_end()
    first, second = app.receiver.told
    assert (first["type"], second["type"]) == ("run.ended", "removals.waiting")
    assert second["data"]["counts"]["removals_to_confirm"] == 2


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"exports": ("newsletter",)}, True),
        ({"exports": ("other",)}, False),
        ({"exports": ()}, False),
        ({"connections": ("main",)}, True),
        ({"connections": ("other",), "exports": ("newsletter",)}, False),
        ({"enabled": False}, False),
    ],
)
def test_a_target_is_told_of_what_it_is_for(changes: dict[str, Any], *, is_told: bool) -> None:
    app = an_app(**changes)
    app.run_to_its_end()
    assert bool(app.receiver.told) == is_told


def test_a_dry_run_is_not_told() -> None:
    app = an_app()
    job = resolve_export(app.services.store, "newsletter")
    start_dry_run(app.services, job, by=ADA, run_id="20260302T090000Z-dry")
    app.work()
    assert app.receiver.posts == []


# --- again and again --------------------------------------------------------------------------------------------


def test_what_is_not_taken_is_told_again_under_the_same_id_and_waits_longer_each_time() -> None:
    app = an_app()
    app.receiver.answers = [AWAY, BROKEN, AWAY]
    app.run_to_its_end()
    assert len(app.receiver.posts) == 4
    assert len(set(app.receiver.posts)) == 1
    assert len(app.receiver.told) == 1
    gaps = [
        (later - before).total_seconds()
        for before, later in zip(app.receiver.sent_at, app.receiver.sent_at[1:], strict=False)
    ]
    assert gaps == pytest.approx([5.5, 33, 132], abs=1)
    state = state_of(app)
    assert state.last_error
    assert state.last_error.code is NotificationCode.NO_ANSWER
    assert state.last_lost is None


def test_a_target_may_say_how_long_to_wait() -> None:
    app = an_app()
    app.receiver.answers = [Posted(code=NotificationCode.REFUSED, status=429, headers={"retry-after": "1000"})]
    app.run_to_its_end()
    first, second = app.receiver.sent_at
    assert (second - first).total_seconds() == pytest.approx(1000, abs=1)


def test_after_a_day_it_is_given_up_and_the_target_says_so() -> None:
    app = an_app()
    app.receiver.always = BROKEN
    app.run_to_its_end()
    assert not app.queues.waiting
    state = state_of(app)
    assert state.last_lost
    assert (state.last_lost.code, state.last_lost.status) == (NotificationCode.REFUSED, 500)
    spent = app.receiver.sent_at[-1] - app.receiver.sent_at[0]
    assert timedelta(hours=18) < spent <= timedelta(seconds=NOTIFY_DEADLINE)
    assert len(app.receiver.posts) < 20


def test_a_target_that_is_gone_is_told_no_more_until_it_is_saved_again() -> None:
    app = an_app()
    app.receiver.answers = [Posted(code=NotificationCode.GONE, status=410)]
    app.run_to_its_end()
    app.deliver_extract(people(4))
    app.run_to_its_end()
    assert len(app.receiver.posts) == 1
    save_target(app)
    app.deliver_extract(people(5))
    app.run_to_its_end()
    assert len(app.receiver.told) == 1


def test_a_target_that_was_deleted_meanwhile_is_left_alone() -> None:
    app = an_app()
    app.receiver.always = AWAY
    app.start()
    app.work(until=app.clock.now + timedelta(minutes=1))
    app.blobs.delete(notification_target_blob("ops"))
    posts = len(app.receiver.posts)
    app.work()
    assert len(app.receiver.posts) == posts
    assert records(app)[0].code is NotificationCode.TARGET_CHANGED


def test_while_a_secret_is_changed_both_sign() -> None:
    app = an_app()
    vault = app.services.webhooks.secrets._vault
    vault.values = (a_secret(2), a_secret(1))  # type: ignore[attr-defined]  # of the fake
    app.run_to_its_end()  # the receiver still has the first
    assert app.receiver.signatures == 2
    app.receiver.secret = a_secret(2)
    app.deliver_extract(people(4))
    app.run_to_its_end()
    assert len(app.receiver.told) == 2


def test_without_a_signing_secret_nothing_is_sent_and_the_target_says_why() -> None:
    app = an_app()
    app.services.webhooks.secrets._vault.values = ("SG.no-signing-secret",)  # type: ignore[attr-defined]
    app.run_to_its_end()
    assert app.receiver.posts == []
    state = state_of(app)
    assert state.last_lost
    assert state.last_lost.code is NotificationCode.SECRET_UNAVAILABLE


# --- whatever happens -------------------------------------------------------------------------------------------


def calls_of_a_run() -> int:
    app = an_app()
    app.start()
    app.crashes.calls = 0
    app.work()
    return app.crashes.calls


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("call", range(calls_of_a_run()))
def test_wherever_the_process_dies_the_run_is_told_under_one_id(call: int, fate: str) -> None:
    app = an_app()
    app.start()
    app.crashes.calls, app.crashes.at = 0, {call: fate}
    app.work()
    app.clock.now += timedelta(minutes=5)
    app.tick()
    app.work()
    (run,) = app.runs()
    assert run.status is RunStatus.SUCCEEDED
    assert set(told(app)) == {("run.ended", "succeeded")}
    assert len(set(app.receiver.posts)) == 1
    assert len(app.receiver.posts) <= 2  # the second where it died with the answer in hand
    assert not list(app.names("active/"))


def test_what_was_told_is_forgotten_after_a_week() -> None:
    app = an_app()
    app.run_to_its_end()
    app.tick()
    assert list(app.names(NOTICES))
    app.clock.now += timedelta(days=8)
    app.tick()
    assert not list(app.names(NOTICES))
    assert not list(app.names(NOTIFICATION_DELIVERIES))
    assert state_of(app).last_delivery


def test_told_twice_it_is_sent_once() -> None:
    app = an_app()
    run = app.run_to_its_end()
    tell_end(app.services, run)
    app.work()
    assert len(app.receiver.posts) == 1


def test_storage_that_fails_as_it_is_told_neither_fails_the_run_nor_keeps_it_quiet(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = an_app()
    create = app.services.store.create

    def fail(name: str, document: Document) -> str:
        if name.startswith(NOTICES):
            raise StorageUnavailableError("away")
        return create(name, document)

    with monkeypatch.context() as patched:
        patched.setattr(app.services.store, "create", fail)
        app.start()
        app.work(until=app.clock.now + timedelta(minutes=5))  # until then its list is not ready to be told either
    (run,) = app.runs()
    assert run.status is RunStatus.SUCCEEDED
    assert "event=not_told" in caplog.text
    assert app.receiver.posts == []
    app.clock.now += timedelta(minutes=1)
    app.tick()
    app.work()
    assert len(app.receiver.told) == 1


def test_a_second_message_about_a_try_that_is_over_sends_nothing() -> None:
    app = an_app()
    app.receiver.answers = [AWAY]
    app.start()
    app.work(until=app.clock.now + timedelta(seconds=60))
    app.receiver.answers = [AWAY] * 3
    posts = len(app.receiver.posts)
    again = Store(app.blobs).get(next(app.names(NOTIFICATION_DELIVERIES)), NotificationDelivery).document
    Store(app.blobs).upsert(
        next(app.names(NOTIFICATION_DELIVERIES)), again.model_copy(update={"ended_at": None, "tries": 2})
    )
    app.trigger("notifications", waiting_copy(app), "a-copy")
    assert len(app.receiver.posts) == posts


def test_two_messages_at_once_send_once() -> None:
    """The second finds the first's claim and looks again; by then all is done."""
    app = an_app()
    original = app.receiver.post

    def post(address: WebAddress, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Posted:
        if len(app.receiver.posts) == 0:
            app.receiver.posts.append("first, under way")
            app.trigger("notifications", waiting_copy(app), "another-message")
            app.receiver.posts.clear()
        return original(address, body, headers, seconds=seconds)

    app.receiver.post = post  # type: ignore[method-assign]
    app.run_to_its_end()
    assert len(app.receiver.posts) == 1


def waiting_copy(app: InMemoryApp) -> str:
    notice = next(app.names(NOTICES)).rpartition("/")[2].removesuffix(".json")
    return f'{{"notice": "{notice}", "target": "ops"}}'


def test_a_notification_whose_work_fails_each_time_is_given_up() -> None:
    app = an_app()
    app.receiver.always = AWAY
    app.start()
    app.work(until=app.clock.now + timedelta(minutes=1))
    app.trigger("notifications-poison", waiting_copy(app), "poisoned")
    assert records(app)[0].code is NotificationCode.STEP_FAILED
    assert list(app.names("poison/notifications/"))
    app.work()
    state = state_of(app)
    assert state.last_lost
    assert state.last_lost.code is NotificationCode.STEP_FAILED
