"""Signatures as the independent library of Standard Webhooks takes them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.errors import RunEndError
from shared.limits import KEY_LIFETIME, OLD_SECRET_KEPT
from shared.model.reason_codes import ReasonCode
from shared.webhooks.secrets import SigningSecrets
from shared.webhooks.signature import signed_headers, signing_key
from tests.support.factories import NOW, Clock
from tests.support.fake_receiver import a_secret

if TYPE_CHECKING:
    from collections.abc import Sequence


def key(number: int = 1) -> bytes:
    return bytes([number]) * 32


@given(st.binary(min_size=24, max_size=64), st.text(alphabet=st.characters(codec="utf-8")))
def test_every_message_is_taken_with_its_secret(secret: bytes, text: str) -> None:
    told = "whsec_" + base64.b64encode(secret).decode()
    found = signing_key(told)
    assert found == secret
    headers = signed_headers([found], message_id="ntc_1", at=datetime.now(UTC), body=text.encode())
    Webhook(told).verify(text.encode(), headers, json_parse=False)


def test_each_of_two_secrets_takes_it_and_a_third_does_not() -> None:
    headers = signed_headers([key(1), key(2)], message_id="ntc_1", at=datetime.now(UTC), body=b"{}")
    for number in (1, 2):
        Webhook(a_secret(number)).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(a_secret(3)).verify(b"{}", headers)


@pytest.mark.parametrize("change", [{"webhook-id": "ntc_2"}, {"webhook-timestamp": "1"}])
def test_what_was_changed_on_the_way_is_not_taken(change: dict[str, str]) -> None:
    headers = signed_headers([key()], message_id="ntc_1", at=datetime.now(UTC), body=b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(a_secret()).verify(b"{}", headers | change)
    with pytest.raises(WebhookVerificationError):
        Webhook(a_secret()).verify(b"[]", headers)


@pytest.mark.parametrize(
    "text", ["", "SG.key", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "whsec_" + "A" * 200, "WHSEC_" + "A" * 44]
)
def test_what_is_no_signing_secret_signs_nothing(text: str) -> None:
    assert signing_key(text) is None


class Vault:
    def __init__(self) -> None:
        self.values: Sequence[str] | RunEndError = (a_secret(2), a_secret(1))
        self.asked: list[datetime] = []

    def read_versions(self, name: str, *, older_until: datetime) -> tuple[SecretStr, ...]:
        assert name == "signing"
        self.asked.append(older_until)
        if isinstance(self.values, RunEndError):
            raise self.values
        return tuple(SecretStr(value) for value in self.values)


def test_the_newest_secret_signs_first_and_the_one_before_for_a_day() -> None:
    vault, clock = Vault(), Clock()
    secrets = SigningSecrets(vault, clock)
    assert secrets.keys("signing") == (key(2), key(1))
    assert vault.asked == [NOW - timedelta(seconds=OLD_SECRET_KEPT)]


def test_a_secret_is_kept_in_memory_for_minutes() -> None:
    vault, clock = Vault(), Clock()
    secrets = SigningSecrets(vault, clock)
    secrets.keys("signing")
    vault.values = (a_secret(3),)
    clock.pass_(KEY_LIFETIME - 1)
    assert secrets.keys("signing") == (key(2), key(1))
    clock.pass_(2)
    assert secrets.keys("signing") == (key(3),)


@pytest.mark.parametrize("values", [("SG.no-secret", a_secret()), RunEndError(ReasonCode.SECRET_MISSING, "no")])
def test_a_secret_that_is_none_is_looked_for_again(values: Sequence[str] | RunEndError) -> None:
    vault, clock = Vault(), Clock()
    vault.values = values
    secrets = SigningSecrets(vault, clock)
    assert secrets.keys("signing") == ()
    vault.values = (a_secret(), "SG.what was there before")
    assert secrets.keys("signing") == (key(),)
