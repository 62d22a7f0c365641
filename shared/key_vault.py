"""API keys from Key Vault, kept in memory for a few minutes and nowhere else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from pydantic import SecretStr

from shared.errors import KeyNotWritableError, RunEndError, SecretDeletedError, VaultUnavailableError
from shared.limits import KEY_LIFETIME
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.keyvault.secrets import KeyVaultSecret, SecretClient

CONTENT_TYPE: Final = "SendGrid API key"
"""What the vault shows of a secret that is a key; infra/modules/vault.bicep writes the same."""
NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Vault(Protocol):
    """Reads and writes one secret."""

    def read(self, name: str) -> SecretStr:
        """The secret's newest value.

        Raises RunEndError when only a person can help, VaultUnavailableError when it may pass.
        """

    def write(self, name: str, value: SecretStr) -> str:
        """Add a version to the secret, and return the version's name.

        Raises KeyNotWritableError and SecretDeletedError, VaultUnavailableError when it may pass.
        """


class KeyVault:
    """Azure Key Vault."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def read(self, name: str) -> SecretStr:
        """The secret's newest value."""
        return _value(self._get(name))

    def write(self, name: str, value: SecretStr) -> str:
        """Add a version to the secret; somebody waits, so the vault is asked once."""
        try:
            made = self._client.set_secret(
                name, value.get_secret_value(), content_type=CONTENT_TYPE, retry_total=0
            )
        except AzureError as error:
            failure = self._not_written(error, name)
        else:
            return str(made.properties.version)
        raise failure  # here, and not where an error that has the request, and so the key, would be its context

    def _not_written(self, error: AzureError, name: str) -> Exception:
        vault = self._client.vault_url
        match error:
            case HttpResponseError(status_code=403):
                return KeyNotWritableError(
                    f"Key Vault does not let this app write the secret {name}: name it in secretWriters and "
                    f"deploy anew, or store the key by {storing_command(vault, name)}"
                )
            case HttpResponseError(status_code=409):
                return SecretDeletedError(
                    f"Key Vault keeps the secret {name} as deleted. Recover it by az keyvault secret recover "
                    f"--vault-name {vault_name(vault)} --name {name}; then wait a minute, and send the key again."
                )
            case HttpResponseError(status_code=status) if status is not None:
                return VaultUnavailableError(f"Key Vault answered {status}, and the key may not be stored.")
        return VaultUnavailableError(
            f"Key Vault does not answer ({type(error).__name__}); whether the key is stored is not known."
        )

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


def vault_name(vault_url: str) -> str:
    """Name of the vault, as the Azure CLI takes it."""
    return (urlsplit(vault_url).hostname or "").partition(".")[0]


def storing_command(vault_url: str, name: str) -> str:
    """The command that asks for a key and stores it: nothing shows it, and no history has it."""
    return (
        f'read -rs KEY && printf %s "$KEY" | az keyvault secret set --vault-name {vault_name(vault_url)} '
        f"--name {name} --file /dev/stdin --output none; unset KEY"
    )


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


def malformed(key: str) -> str | None:
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
            read_at, value = self._known.get(name.lower(), (None, None))
        if read_at and value and (self._clock() - read_at).total_seconds() < KEY_LIFETIME:
            return value
        return self.renew(name)

    def renew(self, name: str) -> SecretStr:
        """The secret, read from the vault now."""
        value = self._vault.read(name)
        if not value.get_secret_value():
            raise _ends(ReasonCode.SECRET_EMPTY, f"The Key Vault secret {name} is empty; store the API key there.")
        if what := malformed(value.get_secret_value()):
            message = (
                f"The Key Vault secret {name} is no API key: it holds {what}. Store the key alone, without it."
            )
            raise _ends(ReasonCode.SECRET_MALFORMED, message)
        self._remember(name, value)
        return value

    def store(self, name: str, value: SecretStr) -> str:
        """Write the secret, and use it from now on; the version's name. Raises what Vault.write raises."""
        version = self._vault.write(name, value)
        self._remember(name, value)
        return version

    def _remember(self, name: str, value: SecretStr) -> None:
        with self._lock:
            self._known[name.lower()] = (self._clock(), value)  # names differ in more than case
