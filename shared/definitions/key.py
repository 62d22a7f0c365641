"""A connection's API key: SendGrid looks at it, then it is written to the secret that the connection names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.definitions import saved
from shared.definitions.check import Checked
from shared.definitions.manage import get_connection
from shared.errors import ConflictError, KeyNotWritableError
from shared.key_vault import malformed, storing_command
from shared.limits import KEY_MAX
from shared.model.definitions import Saved
from shared.model.documents import Document
from shared.model.notifications import NotificationTarget
from shared.sendgrid.gateway import Account
from shared.sendgrid.preflight import check_new_key
from shared.storage.layout import NOTIFICATION_TARGETS

if TYPE_CHECKING:
    from shared.model.definitions import Connection
    from shared.services import Services
    from shared.settings import Settings


def _alone(key: SecretStr) -> SecretStr:
    """The key without the blanks around it. Raises ValueError, which tells nothing of it."""
    value = key.get_secret_value().strip()
    if not 1 <= len(value) <= KEY_MAX:
        raise ValueError(f"must be an API key of SendGrid, of at most {KEY_MAX} characters")
    if what := malformed(value):
        raise ValueError(f"holds {what}; send the key alone, without it")
    return SecretStr(value)


class NewKey(Document):
    """An API key on its way to the vault; nothing else keeps or shows it."""

    key: Annotated[
        SecretStr, AfterValidator(_alone), Field(json_schema_extra={"minLength": 1, "maxLength": KEY_MAX})
    ]
    """The whole API key, as SendGrid shows it once."""


class StoredKey(Checked):
    """The connection works, with the key that was stored."""

    secret_name: str
    """Of the Key Vault secret that the key was stored under."""
    version: str
    """Of the secret, which holds the key."""


def put_key(services: Services, connection: str, key: SecretStr) -> StoredKey:
    """Store a connection's API key, once SendGrid takes it.

    Raises NotFoundError, KeyNotWritableError, ConflictError, KeyNotAcceptedError, SecretDeletedError,
    RunEndError with what to change, TransientError when somebody does not answer.
    """
    definition = get_connection(services, connection).document.definition
    _require_writable(services, definition.secret_name)
    account = Account(connection=connection, secret_name=definition.secret_name, region=definition.region)
    check_new_key(services.sendgrid, account, key)
    version = services.sendgrid.store_key(account, key)
    return StoredKey(
        key_accepted=True,
        consent_given=definition.consent is not None,
        secret_name=definition.secret_name,
        version=version,
    )


def key_command(settings: Settings, connection: Connection) -> str | None:
    """The command that stores the key; None where `put_key` may do it."""
    name = connection.secret_name
    return None if settings.may_write(name) else storing_command(settings.key_vault_url, name)


def _require_writable(services: Services, secret: str) -> None:
    if not services.settings.may_write(secret):
        command = storing_command(services.settings.key_vault_url, secret)
        raise KeyNotWritableError(
            f"SECRET_WRITERS does not name the secret {secret}, so the app may not write it. Store the key by "
            f"{command}"
        )
    targets = saved.list_all(services, NOTIFICATION_TARGETS, Saved[NotificationTarget])
    if signed := [each.id for each in targets if each.definition.secret_name.lower() == secret.lower()]:
        raise ConflictError(
            f"The secret {secret} signs the notifications to {', '.join(signed)}; give the connection a secret "
            "of its own."
        )
