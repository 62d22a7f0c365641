from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError
from pydantic import SecretStr

from shared.errors import KeyNotWritableError, RunEndError, SecretDeletedError, VaultUnavailableError
from shared.key_vault import CONTENT_TYPE, KeyVault, Secrets, storing_command
from shared.limits import KEY_LIFETIME
from shared.model.reasons import RunStatus
from tests.support.factories import Clock, MemoryVault

if TYPE_CHECKING:
    from pathlib import Path

    from azure.keyvault.secrets import SecretClient


class OneAnswer:
    """A Key Vault client that always answers the same."""

    vault_url = "https://kv-exports.vault.azure.net/"

    def __init__(self, answer: str | Exception | None) -> None:
        self.answer = answer
        self.written: list[tuple[str, str]] = []

    def set_secret(self, name: str, value: str, **how: object) -> SimpleNamespace:
        assert how == {"content_type": CONTENT_TYPE, "retry_total": 0}
        if isinstance(self.answer, Exception):
            raise self.answer
        self.written.append((name, value))
        return SimpleNamespace(value=value, properties=SimpleNamespace(version="v2"))

    def get_secret(self, name: str, _version: str | None) -> SimpleNamespace:
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(name=name, value=self.answer)


def a_vault(answer: str | Exception | None) -> KeyVault:
    return KeyVault(cast("SecretClient", OneAnswer(answer)))


def refused(status: int, kind: type[HttpResponseError] = HttpResponseError) -> HttpResponseError:
    error = kind("SG.secret must not be told")
    error.status_code = status
    return error


# --- Key Vault ----------------------------------------------------------------------------------------------


def test_a_secret_is_read_without_the_blanks_around_it() -> None:
    assert a_vault("SG.secret\r\n").read("key").get_secret_value() == "SG.secret"


@pytest.mark.parametrize(
    ("error", "code"),
    [(refused(404, ResourceNotFoundError), "secret_missing"), (refused(403), "secret_forbidden")],
)
def test_what_only_a_person_can_mend_ends_the_run(error: Exception, code: str) -> None:
    with pytest.raises(RunEndError) as caught:
        a_vault(error).read("my-key")
    assert (caught.value.status, caught.value.reason.code) == (RunStatus.FAILED, code)
    assert "my-key" in caught.value.reason.message


AWAY = [
    refused(401, ClientAuthenticationError),
    refused(429),
    refused(500),
    refused(503),
    ServiceRequestError("no route"),
    ServiceResponseError("cut off"),
    CredentialUnavailableError("the identity endpoint is away"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_vault_that_is_away_may_come_back(error: Exception) -> None:
    with pytest.raises(VaultUnavailableError):
        a_vault(error).read("key")


def test_an_identity_that_gives_no_token_is_named() -> None:
    with pytest.raises(VaultUnavailableError) as caught:
        a_vault(CredentialUnavailableError("away")).read("key")
    assert "None" not in str(caught.value)


@pytest.mark.parametrize("error", [refused(403), refused(404, ResourceNotFoundError), *AWAY[:4]])
def test_no_error_repeats_the_words_of_the_vault(error: Exception) -> None:
    with pytest.raises((RunEndError, VaultUnavailableError)) as caught:
        a_vault(error).read("key")
    assert "SG.secret" not in str(caught.value)
    assert caught.value.__cause__ is None


# --- writing ------------------------------------------------------------------------------------------------


def test_a_secret_gets_a_version() -> None:
    client = OneAnswer(None)
    assert KeyVault(cast("SecretClient", client)).write("my-key", SecretStr("SG.new")) == "v2"
    assert client.written == [("my-key", "SG.new")]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, KeyNotWritableError, "az keyvault secret set --vault-name kv-exports --name my-key "),
        (409, SecretDeletedError, "az keyvault secret recover --vault-name kv-exports --name my-key;"),
    ],
)
def test_what_keeps_a_secret_from_being_written_says_the_command(
    status: int, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        a_vault(refused(status)).write("my-key", SecretStr("SG.new"))


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_vault_that_takes_no_secret_now_may_do_so_later(error: Exception) -> None:
    with pytest.raises(VaultUnavailableError) as caught:
        a_vault(error).write("my-key", SecretStr("SG.new"))
    assert "None" not in str(caught.value)


@pytest.mark.parametrize("error", [refused(403), refused(409), *AWAY])
def test_no_error_of_writing_has_the_request_in_its_chain(error: Exception) -> None:
    with pytest.raises((KeyNotWritableError, SecretDeletedError, VaultUnavailableError)) as caught:
        a_vault(error).write("my-key", SecretStr("SG.new"))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert "SG." not in str(caught.value)


def test_a_key_that_was_stored_is_the_one_that_is_remembered(secrets: Secrets, vault: MemoryVault) -> None:
    secrets.get("key")
    secrets.store("Key", SecretStr("SG.new"))
    assert secrets.get("key").get_secret_value() == "SG.new"
    assert vault.reads == ["key"]


def test_a_key_that_was_not_stored_is_not_remembered(secrets: Secrets, vault: MemoryVault) -> None:
    def write(_name: str, _value: SecretStr) -> str:
        raise VaultUnavailableError("away")

    secrets.get("key")
    vault.write = write  # type: ignore[assignment, method-assign] # the vault is away
    with pytest.raises(VaultUnavailableError):
        secrets.store("key", SecretStr("SG.new"))
    assert secrets.get("key").get_secret_value() == "SG.old"


def test_the_command_shows_the_key_to_nobody(tmp_path: Path) -> None:
    """In a shell with an `az` that notes what it gets."""
    az = tmp_path / "az"
    az.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$0.arguments"; cat >"$0.input"\n')
    az.chmod(0o755)
    shell = subprocess.run(  # noqa: S603 - our own command
        ["/bin/bash", "-c", storing_command("https://kv-exports.vault.azure.net", "my-key")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        input="SG.typed\n",
        capture_output=True,
        text=True,
        check=True,
    )
    arguments = (tmp_path / "az.arguments").read_text()
    assert (tmp_path / "az.input").read_text() == "SG.typed"
    assert "--vault-name\nkv-exports\n--name\nmy-key\n" in arguments
    assert "--output\nnone" in arguments  # else it would print the secret
    assert "SG.typed" not in arguments + shell.stdout + shell.stderr


# --- memory -------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault(key="SG.old", other="SG.other")


@pytest.fixture
def secrets(vault: MemoryVault, clock: Clock) -> Secrets:
    return Secrets(vault, clock)


def test_a_key_is_read_once_within_its_lifetime(secrets: Secrets, vault: MemoryVault, clock: Clock) -> None:
    secrets.get("key")
    clock.pass_(KEY_LIFETIME - 1)
    assert secrets.get("key").get_secret_value() == "SG.old"
    assert vault.reads == ["key"]


def test_a_key_is_read_again_after_its_lifetime(secrets: Secrets, vault: MemoryVault, clock: Clock) -> None:
    secrets.get("key")
    vault.secrets["key"] = "SG.new"
    clock.pass_(KEY_LIFETIME)
    assert secrets.get("key").get_secret_value() == "SG.new"


def test_a_renewed_key_is_the_one_that_is_remembered(secrets: Secrets, vault: MemoryVault) -> None:
    secrets.get("key")
    vault.secrets["key"] = "SG.new"
    secrets.renew("key")
    assert secrets.get("key").get_secret_value() == "SG.new"


def test_each_secret_is_remembered_for_itself(secrets: Secrets) -> None:
    assert [secrets.get(name).get_secret_value() for name in ("key", "other")] == ["SG.old", "SG.other"]


def test_an_empty_secret_ends_the_run(secrets: Secrets, vault: MemoryVault) -> None:
    vault.secrets["key"] = ""
    with pytest.raises(RunEndError) as caught:
        secrets.get("key")
    assert caught.value.reason.code == "secret_empty"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("SG.ab cd", "a blank"),
        ("SG.ab\ncd", "a line break"),
        ("\ufeffSG.ab", "a byte order mark"),
        ("SG.äb", "characters that stand in no key"),
        ("SG.a\u00a0b", "a blank"),
        ("SG.a\x07b", "characters that stand in no key"),
    ],
)
def test_what_cannot_be_a_key_ends_the_run_and_is_not_shown(
    secrets: Secrets, vault: MemoryVault, value: str, words: str
) -> None:
    vault.secrets["key"] = value
    with pytest.raises(RunEndError, match=words) as caught:
        secrets.get("key")
    assert caught.value.reason.code == "secret_malformed"
    assert "SG." not in caught.value.reason.message


def test_a_key_is_never_in_a_repr(secrets: Secrets) -> None:
    assert "SG." not in f"{secrets.get('key')!r} {secrets.get('key')}"
