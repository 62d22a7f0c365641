"""The app settings. Every setting the code reads is named here and in local.settings.sample.json."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from shared.errors import SettingsError
from shared.model.definitions import UUID_FORM, Cron, Identifier, OwnSchedule, SecretName, TimeZone
from shared.model.roles import Role
from shared.model.web_address import AllowedHost, parse_allowed_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTING_NAMES: Final = (
    "KEY_VAULT_URL",
    "DataStorage",
    "DataStorage__blobServiceUri",
    "DataStorage__queueServiceUri",
    "ExtractStorage",
    "ExtractStorage__blobServiceUri",
    "STATE_CONTAINER",
    "AUDIT_CONTAINER",
    "EXTRACT_CONTAINER",
    "EXTRACT_PREFIX",
    "REFRESH_SCHEDULE",
    "REFRESH_TIME_ZONE",
    "AUTHENTICATION",
    "KEY_ROLES",
    "ENTRA_TENANT_ID",
    "ENTRA_CLIENT_ID",
    "ENTRA_AUTHORITY",
    "NOTIFICATION_ALLOWED_HOSTS",
    "SECRET_WRITERS",
)
"""What the code reads, beside WEBSITE_HOSTNAME, which the platform sets.

The host reads SCHEDULE_TICK and the connections' other members for itself.
"""
DEFAULT_AUTHORITY: Final = "https://login.microsoftonline.com"
"""Where people sign in, unless ENTRA_AUTHORITY says."""


HOST_STORAGE: Final = (
    ("AzureWebJobsStorage",),
    ("AzureWebJobsStorage__accountName",),
    ("AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri"),
)
"""Ways to tell the host where its own storage is; https://learn.microsoft.com/azure/azure-functions/functions-reference"""
TICK_FIELDS: Final = re.compile(r"(?:[^ ]+ +){4,5}[^ ]+|(?:\d+\.)?\d{1,2}:\d{2}:\d{2}")

KeyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][0-9A-Za-z_-]{0,62}$")]
"""Name of a key, as the host and people know it."""


class StorageSettings(BaseModel):
    """How to reach a storage account: by connection string, or by the app's identity."""

    model_config = ConfigDict(frozen=True)

    connection_string: str = Field(default="", repr=False)
    blob_uri: str = ""
    queue_uri: str = ""

    @property
    def account(self) -> str:
        """Name of the account; empty where it is not told."""
        if self.blob_uri:
            return (urlsplit(self.blob_uri).hostname or "").partition(".")[0]
        named = re.search(r"(?:^|;)AccountName=([^;]*)", self.connection_string, re.IGNORECASE)
        return named[1] if named else ""


class KeyRole(BaseModel):
    """What whoever holds a key may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    export: Identifier | None = None
    """The one export that it is for; None: all that its role allows."""


class Keys(BaseModel):
    """Callers show a key that the Functions host knows."""

    model_config = ConfigDict(frozen=True)

    roles: dict[KeyName, KeyRole]
    """By the key's name."""


class Entra(BaseModel):
    """Callers show a token of Microsoft Entra ID."""

    model_config = ConfigDict(frozen=True)

    tenant_id: str
    client_id: str
    """Of the registration that the tokens are for."""
    authority: str = DEFAULT_AUTHORITY


class Settings(BaseModel):
    """All settings, checked."""

    model_config = ConfigDict(frozen=True)

    key_vault_url: str
    data_storage: StorageSettings
    extract_storage: StorageSettings
    """Where the extracts lie; the data account unless ExtractStorage is set."""
    state_container: str = "sendgrid-exports"
    audit_container: str = "sendgrid-audit"
    """In the data account; apart from the state, so that it can be made immutable."""
    extract_container: str = "customerinsights"
    extract_prefix: str = ""
    refresh: OwnSchedule | None = None
    """The environment's scheduled refresh; None means it is off."""
    authentication: Keys | Entra
    """How callers say who they are."""
    notification_hosts: tuple[AllowedHost, ...] = ()
    """Hosts that may be notified although they are of one's own network, or listen on another port than 443."""
    secret_writers: tuple[SecretName, ...] = ()
    """Secrets to which the app may write an API key; none unless SECRET_WRITERS says."""
    app_address: str = ""
    """Where the app answers, without a slash at its end; empty where the platform does not say."""

    def may_write(self, secret: str) -> bool:
        """Whether a secret is one of those; Key Vault tells no upper case from lower."""
        return secret.lower() in {name.lower() for name in self.secret_writers}

    @property
    def extract_place(self) -> str | None:
        """Account and container of the extracts, as `account/container`; None where the account is not told."""
        account = self.extract_storage.account
        return f"{account}/{self.extract_container}".lower() if account else None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from the environment. Raises SettingsError naming the setting to change."""
    values = {name: environment.get(name, "").strip() for name in SETTING_NAMES}
    data = _storage(values, "DataStorage")
    if not data.connection_string:
        _require(values, "DataStorage__blobServiceUri", "DataStorage__queueServiceUri")
    _require(values, "KEY_VAULT_URL")
    if not values["KEY_VAULT_URL"].startswith("https://"):
        raise SettingsError("The app setting KEY_VAULT_URL must be an https:// address.")
    extracts = _storage(values, "ExtractStorage")
    return Settings(
        key_vault_url=values["KEY_VAULT_URL"],
        data_storage=data,
        extract_storage=extracts if extracts.connection_string or extracts.blob_uri else data,
        state_container=values["STATE_CONTAINER"] or "sendgrid-exports",
        audit_container=values["AUDIT_CONTAINER"] or "sendgrid-audit",
        extract_container=values["EXTRACT_CONTAINER"] or "customerinsights",
        extract_prefix=values["EXTRACT_PREFIX"],
        refresh=_refresh(values["REFRESH_SCHEDULE"], values["REFRESH_TIME_ZONE"] or "UTC"),
        authentication=_authentication(values),
        notification_hosts=_allowed_hosts(values["NOTIFICATION_ALLOWED_HOSTS"]),
        secret_writers=_secret_writers(values["SECRET_WRITERS"]),
        app_address=_app_address(environment.get("WEBSITE_HOSTNAME", "").strip()),
    )


def host_problems(environment: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with settings that only the host reads: it then leaves functions out and runs on.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
    """
    tick = environment.get("SCHEDULE_TICK", "")
    if not tick.strip():
        yield "The app setting SCHEDULE_TICK is missing: nothing scheduled runs."
    elif not TICK_FIELDS.fullmatch(tick.strip(" ")):
        yield "The app setting SCHEDULE_TICK must be an NCRONTAB expression, such as */30 * * * * *."
    if not any(all(environment.get(name, "").strip() for name in names) for names in HOST_STORAGE):
        yield "The app setting AzureWebJobsStorage or AzureWebJobsStorage__accountName is missing: no timer runs."


def _allowed_hosts(text: str) -> tuple[AllowedHost, ...]:
    hosts = parse_allowed_hosts(text)
    if hosts is None:
        raise SettingsError(
            "The app setting NOTIFICATION_ALLOWED_HOSTS must be hosts with commas between, each perhaps "
            "with a port, such as alerts.corp.example,10.1.2.3:8443."
        )
    return hosts


def _secret_writers(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",")) if text else ()
    try:
        return TypeAdapter(tuple[SecretName, ...]).validate_python(names)
    except ValidationError:
        raise SettingsError(
            "The app setting SECRET_WRITERS must be names of Key Vault secrets with commas between, such as "
            "sendgrid-api-key,sendgrid-key-brand-b."
        ) from None


def _app_address(host: str) -> str:
    """The address by the host name that the platform tells; Core Tools' hosts speak HTTP."""
    scheme = "http" if host.partition(":")[0] in {"localhost", "127.0.0.1"} else "https"
    return f"{scheme}://{host}" if host else ""


def _storage(values: Mapping[str, str], name: str) -> StorageSettings:
    return StorageSettings(
        connection_string=values[name],
        blob_uri=values[f"{name}__blobServiceUri"],
        queue_uri=values.get(f"{name}__queueServiceUri", ""),
    )


def _require(values: Mapping[str, str], *names: str) -> None:
    for name in names:
        if not values[name]:
            raise SettingsError(f"The app setting {name} is missing.")


def _authentication(values: Mapping[str, str]) -> Keys | Entra:
    _require(values, "AUTHENTICATION")
    match values["AUTHENTICATION"]:
        case "keys":
            _require(values, "KEY_ROLES")
            return _keys(values["KEY_ROLES"])
        case "entra":
            return _entra(values)
        case _:
            raise SettingsError("The app setting AUTHENTICATION must be keys or entra.")


def _keys(text: str) -> Keys:
    try:
        names = json.loads(text)
        roles = {name: {"role": value} if isinstance(value, str) else value for name, value in names.items()}
        return Keys(roles=TypeAdapter(dict[KeyName, KeyRole]).validate_python(roles))
    except (ValueError, AttributeError):
        raise SettingsError(
            "The app setting KEY_ROLES must be a JSON object of names of keys and their roles, such as "
            '{"admin": "Administrator", "crm": {"role": "Operator", "export": "high-value"}}.'
        ) from None


def _entra(values: Mapping[str, str]) -> Entra:
    for name in ("ENTRA_TENANT_ID", "ENTRA_CLIENT_ID"):
        _require(values, name)
        if not UUID_FORM.fullmatch(values[name]):
            raise SettingsError(f"The app setting {name} must be a UUID.")
    authority = values["ENTRA_AUTHORITY"] or DEFAULT_AUTHORITY
    if not authority.startswith("https://"):
        raise SettingsError("The app setting ENTRA_AUTHORITY must be an https:// address.")
    return Entra(
        tenant_id=values["ENTRA_TENANT_ID"].lower(),
        client_id=values["ENTRA_CLIENT_ID"].lower(),
        authority=authority.rstrip("/"),
    )


class _Refresh(BaseModel):
    REFRESH_SCHEDULE: Cron
    REFRESH_TIME_ZONE: TimeZone


def _refresh(cron: str, time_zone: str) -> OwnSchedule | None:
    if not cron:
        return None
    try:
        _Refresh(REFRESH_SCHEDULE=cron, REFRESH_TIME_ZONE=time_zone)
    except ValidationError as error:
        first = error.errors()[0]
        problem = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"The app setting {first['loc'][0]} {problem}.") from None
    return OwnSchedule(kind="cron", cron=cron, time_zone=time_zone)
