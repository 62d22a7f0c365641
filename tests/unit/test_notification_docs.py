"""docs/notifications.md shows what receivers can do with what the app really sends."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from shared.notifications.payload import NotificationBody
from shared.webhooks.signature import signed_headers, signing_key
from tests.support.fake_receiver import a_secret

TEXT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
(SAMPLE,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(BODY,) = re.findall(r"```json\n(\{\"type\":\"run\.warned\".*?)\n```", TEXT)


def check(body: bytes, headers: dict[str, str]) -> object:
    """What the sample makes of a message."""
    names: dict[str, object] = {"secret": a_secret(), "body": body, "headers": headers}
    exec(SAMPLE, names)  # noqa: S102 - our own document
    return names["told"]


def signed(body: bytes, *, secret: str) -> dict[str, str]:
    key = signing_key(secret)
    assert key is not None
    return signed_headers([key], message_id="ntc_1", at=datetime.now(UTC), body=body)


def test_the_sample_takes_what_the_app_signs() -> None:
    body = BODY.encode()
    assert check(body, signed(body, secret=a_secret())) == json.loads(BODY)


def test_the_sample_refuses_what_was_changed_and_what_others_sign() -> None:
    body = BODY.encode()
    for sent, secret in ((body.replace(b"failed", b"succeeded"), a_secret()), (body, a_secret(2))):
        with pytest.raises(WebhookVerificationError):
            check(sent, signed(body, secret=secret))


def test_the_message_that_is_shown_is_one_of_the_apps() -> None:
    shown = NotificationBody.model_validate_json(BODY)
    assert json.loads(shown.model_dump_json(exclude_none=True)) == json.loads(BODY)
