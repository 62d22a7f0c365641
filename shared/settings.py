"""The app settings. Every setting the code reads is named here and in local.settings.sample.json."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import SettingsError
from shared.model.definitions import Cron, OwnSchedule, TimeZone

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
    "EXTRACT_CONTAINER",
    "EXTRACT_PREFIX",
    "REFRESH_SCHEDULE",
    "REFRESH_TIME_ZONE",
)
"""What the code reads; the host reads SCHEDULE_TICK and the connections' other members for itself."""


HOST_STORAGE: Final = (
    ("AzureWebJobsStorage",),
    ("AzureWebJobsStorage__accountName",),
    ("AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri"),
)
"""Ways to tell the host where its own storage is; https://learn.microsoft.com/azure/azure-functions/functions-reference"""
TICK_FIELDS: Final = re.compile(r"(?:[^ ]+ +){4,5}[^ ]+|(?:\d+\.)?\d{1,2}:\d{2}:\d{2}")


class StorageSettings(BaseModel):
    """How to reach a storage account: by connection string, or by the app's identity."""

    model_config = ConfigDict(frozen=True)

    connection_string: str = Field(default="", repr=False)
    blob_uri: str = ""
    queue_uri: str = ""


class Settings(BaseModel):
    """All settings, checked."""

    model_config = ConfigDict(frozen=True)

    key_vault_url: str
    data_storage: StorageSettings
    extract_storage: StorageSettings
    """Where the extracts lie; the data account unless ExtractStorage is set."""
    state_container: str = "sendgrid-exports"
    extract_container: str = "customerinsights"
    extract_prefix: str = ""
    refresh: OwnSchedule | None = None
    """The environment's scheduled refresh; None means it is off."""


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
        extract_container=values["EXTRACT_CONTAINER"] or "customerinsights",
        extract_prefix=values["EXTRACT_PREFIX"],
        refresh=_refresh(values["REFRESH_SCHEDULE"], values["REFRESH_TIME_ZONE"] or "UTC"),
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
