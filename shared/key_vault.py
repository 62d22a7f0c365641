"""API keys from Key Vault, kept in memory for a few minutes and nowhere else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from pydantic import SecretStr

from shared.errors import RunEndError, VaultUnavailableError
from shared.limits import KEY_LIFETIME
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.keyvault.secrets import KeyVaultSecret, SecretClient

NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Vault(Protocol):
    """Reads one secret."""

    def read(self, name: str) -> SecretStr:
        """The secret's newest value.

        Raises RunEndError when only a person can help, VaultUnavailableError when it may pass.
        """


class KeyVault:
    """Azure Key Vault."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def read(self, name: str) -> SecretStr:
        """The secret's newest value."""
        return _value(self._get(name))

    def read_versions(self, name: str, *, older_until: datetime) -> tuple[SecretStr, ...]:
        """The newest value, and the one before if the newest was made after `older_until`.

        Whoever may not list the versions gets the newest only.
        """
        newest = self._get(name)
        made = newest.properties.created_on
        if made is None or made <= older_until:
            return (_value(newest),)
        before = self._version_before(name, newest)
        return (_value(newest),) if before is None else (_value(newest), _value(self._get(name, before)))

    def _version_before(self, name: str, newest: KeyVaultSecret) -> str | None:
        """The version that was the newest one before, unless it is disabled."""
        try:
            versions = list(self._client.list_properties_of_secret_versions(name))
        except HttpResponseError:
            return None
        except AzureError as error:
            raise VaultUnavailableError(f"Key Vault does not answer ({type(error).__name__})") from None
        known = [each for each in versions if each.created_on and each.version != newest.properties.version]
        last = max(known, key=lambda each: each.created_on or NEVER, default=None)
        return last.version if last is not None and last.enabled else None

    def _get(self, name: str, version: str | None = None) -> KeyVaultSecret:
        try:
            return self._client.get_secret(name, version)
        except ResourceNotFoundError:
            raise _ends(
                ReasonCode.SECRET_MISSING, f"Key Vault has no secret named {name}; store the API key there."
            ) from None
        except HttpResponseError as error:
            raise _refusal(error, name) from None
        except AzureError as error:
            raise VaultUnavailableError(f"Key Vault does not answer ({type(error).__name__})") from None


def _value(secret: KeyVaultSecret) -> SecretStr:
    return SecretStr((secret.value or "").strip())


def _refusal(error: HttpResponseError, name: str) -> Exception:
    if error.status_code == 403:  # noqa: PLR2004 - HTTP's number
        return _ends(
            ReasonCode.SECRET_FORBIDDEN,
            f"Key Vault does not let this app read the secret {name}: give its identity the role "
            "Key Vault Secrets User on it, and enable the secret.",
        )
    if error.status_code is None:  # the identity gave no token
        return VaultUnavailableError(f"Key Vault cannot be asked ({type(error).__name__})")
    return VaultUnavailableError(f"Key Vault answered {error.status_code}")


def _malformed(key: str) -> str | None:
    """What a key holds that none can hold, in words that tell nothing of the key; None if there is nothing."""
    if "\ufeff" in key:
        return "a byte order mark"
    if any(character in key for character in "\r\n"):
        return "a line break"
    if any(character.isspace() for character in key):
        return "a blank"
    return None if key.isascii() and key.isprintable() else "characters that stand in no key"


def _ends(code: ReasonCode, message: str) -> RunEndError:
    return RunEndError(code, message)


class Secrets:
    """A vault with a memory."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._vault = vault
        self._clock = clock
        self._known: dict[str, tuple[datetime, SecretStr]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> SecretStr:
        """The secret, from memory when it was read less than KEY_LIFETIME seconds ago."""
        with self._lock:
            read_at, value = self._known.get(name, (None, None))
        if read_at and value and (self._clock() - read_at).total_seconds() < KEY_LIFETIME:
            return value
        return self.renew(name)

    def renew(self, name: str) -> SecretStr:
        """The secret, read from the vault now."""
        value = self._vault.read(name)
        if not value.get_secret_value():
            raise _ends(ReasonCode.SECRET_EMPTY, f"The Key Vault secret {name} is empty; store the API key there.")
        if what := _malformed(value.get_secret_value()):
            message = (
                f"The Key Vault secret {name} is no API key: it holds {what}. Store the key alone, without it."
            )
            raise _ends(ReasonCode.SECRET_MALFORMED, message)
        with self._lock:
            self._known[name] = (self._clock(), value)
        return value
