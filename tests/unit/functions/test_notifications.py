"""Notification targets over HTTP: saved with warnings, compared by version, tried, and shown with how it went."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from shared.model.notification_codes import NotificationCode
from shared.notifications import targets
from shared.storage.layout import notification_state_blob
from shared.webhooks.client import Posted
from tests.support.factories import ADMIN_KEY, a_request, use_services
from tests.support.fake_receiver import a_target
from tests.support.http_routes import http_routes
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

    from shared.model.web_address import WebAddress

ROUTES: Final = http_routes()


@pytest.fixture
def app() -> InMemoryApp:
    made = InMemoryApp()
    made.save()
    made.deliver_extract(people(2))
    return made


def ask(app: InMemoryApp, function: str, body: object = b"", **headers: str) -> func.HttpResponse:
    use_services(app.services)
    route = ROUTES[function]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return route.function(
        a_request(
            body,
            method=route.method,
            headers={"x-functions-key": ADMIN_KEY, **named},
            route_params=dict.fromkeys(route.parameters, "ops"),
        )
    )


def save(app: InMemoryApp, **changes: object) -> func.HttpResponse:
    return ask(app, "put_notification", a_target(**changes).model_dump(mode="json"))


def told(answer: func.HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_body())
    return found


def test_a_target_is_made_changed_by_version_and_deleted(app: InMemoryApp) -> None:
    made = save(app)
    assert made.status_code == 201
    assert told(made)["warnings"] == []
    changed = ask(app, "patch_notification", {"events": ["run.warned"]}, If_Match=made.headers["ETag"])
    assert told(changed)["events"] == ["run.warned"]
    assert ask(app, "patch_notification", {"enabled": False}, If_Match=made.headers["ETag"]).status_code == 412
    shown = ask(app, "get_notification")
    assert shown.headers["ETag"] == changed.headers["ETag"]
    assert ask(app, "put_notification", told(shown), If_Match=shown.headers["ETag"]).status_code == 200
    assert [each["id"] for each in told(ask(app, "list_notifications"))["notifications"]] == ["ops"]
    assert ask(app, "delete_notification").status_code == 204
    assert ask(app, "get_notification").status_code == 404


def test_nobody_overwrites_or_deletes_what_they_have_not_seen(app: InMemoryApp) -> None:
    read = save(app)
    assert ask(app, "put_notification", told(read), If_None_Match="*").status_code == 412
    ask(app, "patch_notification", {"events": ["run.warned"]})
    assert ask(app, "delete_notification", If_Match=read.headers["ETag"]).status_code == 412
    assert told(ask(app, "get_notification"))["events"] == ["run.warned"]


def test_what_somebody_saved_meanwhile_is_not_lost(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    save(app)
    read = targets.get_target

    def slow(*asked: Any) -> Any:  # noqa: ANN401
        found = read(*asked)
        assert save(app, name="Saved meanwhile").status_code == 200
        return found

    monkeypatch.setattr(targets, "get_target", slow)
    assert ask(app, "patch_notification", {"enabled": False}).status_code == 412


def test_what_will_keep_it_from_being_told_is_a_warning(app: InMemoryApp) -> None:
    app.receiver.found["hooks.example"] = NotificationCode.TARGET_NOT_ALLOWED
    app.services.webhooks.secrets._vault.values = ("SG.a key",)  # type: ignore[attr-defined]  # of the fake
    answer = save(app, exports=("newsletter", "no-such"), connections=("main", "nowhere"))
    assert answer.status_code == 201
    assert [each["code"] for each in told(answer)["warnings"]] == [
        "secret_unavailable",
        "target_not_allowed",
        "names_nothing",
        "names_nothing",
    ]
    assert "SG.a key" not in answer.get_body().decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://me:secret@hooks.example/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["test"]}, "events.0"),
        ({"events": ["run.ended", "run.ended"]}, "events"),
        ({"secret_name": "whsec_abc"}, "secret_name"),
        ({"exports": ["Not An Id"]}, "exports.0"),
        ({"more": 1}, "more"),
    ],
)
def test_a_target_that_cannot_be_is_refused_by_field_without_its_value(
    app: InMemoryApp, change: dict[str, Any], field: str
) -> None:
    answer = ask(app, "put_notification", a_target().model_dump(mode="json") | change)
    assert answer.status_code == 400
    assert [each["field"] for each in told(answer)["errors"]] == [field]
    assert "secret@" not in answer.get_body().decode()


def test_how_it_went_is_shown(app: InMemoryApp) -> None:
    save(app)
    app.receiver.always = Posted(code=NotificationCode.GONE, status=410)
    app.run_to_its_end()
    shown = told(ask(app, "get_notification"))
    assert shown["gone"]
    assert shown["last_lost"] == shown["last_error"]
    assert (shown["last_lost"]["code"], shown["last_lost"]["status"]) == ("gone", 410)
    assert shown["last_delivery"] is None
    assert told(save(app))["gone"] is False
    ask(app, "delete_notification")
    assert notification_state_blob("ops") not in set(app.names())


def test_a_test_is_sent_at_once_and_tells_the_status_only(app: InMemoryApp) -> None:
    save(app, enabled=False)
    answer = ask(app, "try_notification")
    assert answer.status_code == 200
    (body,) = app.receiver.told
    assert body == {"type": "test", "timestamp": body["timestamp"], "data": {"counts": {}, "links": {}}}
    (sent,) = app.receiver.posts
    assert told(answer) == {"taken": True, "notice": sent, "status": 204, "code": None}
    app.receiver.answers = [Posted(code=NotificationCode.REFUSED, status=403, headers={"x": "secret words"})]
    refused = ask(app, "try_notification")
    assert (told(refused)["taken"], told(refused)["status"], told(refused)["code"]) == (False, 403, "refused")
    assert b"secret words" not in refused.get_body()
    assert not app.queues.waiting


def test_tests_beyond_a_few_are_told_to_wait(app: InMemoryApp) -> None:
    save(app)
    go, begun = threading.Event(), threading.Semaphore(0)
    original = app.receiver.post

    def post(address: WebAddress, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Posted:
        begun.release()
        go.wait(10)
        return original(address, body, headers, seconds=seconds)

    app.receiver.post = post  # type: ignore[method-assign]
    waiting = [threading.Thread(target=ask, args=(app, "try_notification")) for _ in range(2)]
    for each in waiting:
        each.start()
        begun.acquire()
    refused = ask(app, "try_notification")
    go.set()
    for each in waiting:
        each.join()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    assert len(app.receiver.told) == 2


def test_the_audit_log_has_who_did_what_with_which_target(app: InMemoryApp) -> None:
    save(app)
    ask(app, "patch_notification", {"url": "https://other.example/told?sig=secret"})
    ask(app, "try_notification")
    text = b"".join(app.audit_blobs.get(item.name).data for item in app.audit_blobs.list_blobs()).decode()
    entries = [json.loads(line) for line in text.splitlines()]
    done = [each for each in entries if each.get("resultType") == "Success"]
    assert [each["operationName"] for each in done] == [
        "Notifications.Save",
        "Notifications.Change",
        "Notifications.Test",
    ]
    assert {each["properties"]["notification"] for each in done} == {"ops"}
    assert {each["properties"].get("export") for each in done} == {None}
    assert done[1]["properties"]["fieldsAfter"] == ["url"]
    assert "secret" not in text.replace("secret_name", "")
