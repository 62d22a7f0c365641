from __future__ import annotations

import ast
import json
import re
from collections import UserDict
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.model.roles import Role
from shared.settings import SETTING_NAMES, Entra, Keys, read_settings
from tests.support.factories import ENVIRONMENT, a_schedule, some_settings

APP = Path(__file__).parents[3]
BY_IDENTITY = {
    "AUTHENTICATION": "keys",
    "KEY_ROLES": '{"admin": "Administrator"}',
    "KEY_VAULT_URL": "https://vault.example",
    "DataStorage__blobServiceUri": "https://data.blob.example",
    "DataStorage__queueServiceUri": "https://data.queue.example",
}


class Noting(UserDict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def sample_names() -> set[str]:
    sample = json.loads((APP / "local.settings.sample.json").read_text(encoding="utf-8"))
    return set(sample["Values"])


def placeholders() -> set[str]:
    """Settings that host.json and the triggers' decorators refer to as %NAME%."""
    files = [APP / "host.json", APP / "function_app.py", *(APP / "functions").glob("*.py")]
    return {name for file in files for name in re.findall(r"%(\w+)%", file.read_text(encoding="utf-8"))}


def connections() -> set[str]:
    """Settings that the triggers' decorators name as their connection."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (APP / "functions").glob("*.py")]
    calls = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("_trigger")
    ]
    values = [word.value for call in calls for word in call.keywords if word.arg == "connection"]
    constants = {
        target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {
        str(constants[value.id] if isinstance(value, ast.Name) else ast.literal_eval(value)) for value in values
    }


# --- who may call ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["none", "Entra", "key"])
def test_how_callers_are_known_must_be_said(value: str) -> None:
    with pytest.raises(SettingsError, match="AUTHENTICATION must be keys or entra"):
        some_settings(AUTHENTICATION=value)


def test_keys_have_roles_and_perhaps_one_export() -> None:
    roles = '{"admin": "Administrator", "crm": {"role": "Operator", "export": "loyal"}}'
    found = some_settings(KEY_ROLES=roles).authentication
    assert isinstance(found, Keys)
    assert {name: (each.role, each.export) for name, each in found.roles.items()} == {
        "admin": (Role.ADMINISTRATOR, None),
        "crm": (Role.OPERATOR, "loyal"),
    }


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[]",
        '"admin"',
        '{"admin": "administrator"}',
        '{"admin": null}',
        '{"": "Viewer"}',
        '{"a.b": "Viewer"}',
        '{"a": {"role": "Viewer", "exports": "x"}}',
        '{"a": {"role": "Viewer", "export": "No such id"}}',
    ],
)
def test_roles_of_keys_that_cannot_be_read_let_the_app_not_start(value: str) -> None:
    with pytest.raises(SettingsError, match="KEY_ROLES"):
        some_settings(KEY_ROLES=value)


ENTRA = {
    "AUTHENTICATION": "entra",
    "ENTRA_TENANT_ID": "AAAAAAAA-0000-4000-8000-000000000001",
    "ENTRA_CLIENT_ID": "bbbbbbbb-0000-4000-8000-000000000002",
}


def test_entra_needs_a_tenant_and_a_registration() -> None:
    found = some_settings(**ENTRA).authentication
    assert isinstance(found, Entra)
    assert (found.tenant_id, found.authority) == (
        ENTRA["ENTRA_TENANT_ID"].lower(),
        "https://login.microsoftonline.com",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENTRA_TENANT_ID", ""),
        ("ENTRA_TENANT_ID", "common"),
        ("ENTRA_CLIENT_ID", ""),
        ("ENTRA_CLIENT_ID", "*"),
        ("ENTRA_AUTHORITY", "http://login.example"),
    ],
)
def test_entra_is_not_guessed_at(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        some_settings(**ENTRA | {name: value})


# --- the sample ---------------------------------------------------------------------------------------------


def test_the_sample_names_every_setting_the_code_reads() -> None:
    assert set(SETTING_NAMES) <= sample_names()


def test_the_code_reads_the_settings_it_names_and_no_others() -> None:
    environment = Noting(dict(ENVIRONMENT))
    read_settings(environment)
    assert environment.asked == {*SETTING_NAMES, "WEBSITE_HOSTNAME"}  # which the platform sets


def test_the_sample_names_every_setting_of_the_triggers() -> None:
    assert placeholders() == {"SCHEDULE_TICK"}
    assert placeholders() | connections() <= sample_names()


def test_the_sample_names_nothing_that_nobody_reads() -> None:
    hosts_own = {
        "FUNCTIONS_WORKER_RUNTIME",
        "AzureWebJobsStorage",
        "AzureWebJobsDisableHomepage",
        "PYTHON_THREADPOOL_THREAD_COUNT",
    }
    assert sample_names() - set(SETTING_NAMES) - placeholders() == hosts_own


def test_the_sample_holds_no_secret() -> None:
    sample = (APP / "local.settings.sample.json").read_text(encoding="utf-8")
    assert not re.search(r"AccountKey=|SharedAccessSignature|sig=|SG\.", sample)


def test_the_sample_is_valid() -> None:
    values = json.loads((APP / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    assert read_settings(values).refresh is None


# --- reading ------------------------------------------------------------------------------------------------


def test_the_rest_has_defaults() -> None:
    settings = some_settings()
    assert (settings.state_container, settings.extract_container, settings.extract_prefix, settings.refresh) == (
        "sendgrid-exports",
        "customerinsights",
        "",
        None,
    )
    assert settings.audit_container == "sendgrid-audit"


def test_the_audit_log_may_lie_in_another_container() -> None:
    assert some_settings(AUDIT_CONTAINER="who-did-what").audit_container == "who-did-what"


def test_storage_may_be_reached_by_identity() -> None:
    data = read_settings(BY_IDENTITY).data_storage
    assert (data.connection_string, data.blob_uri, data.queue_uri) == (
        "",
        "https://data.blob.example",
        "https://data.queue.example",
    )


@pytest.mark.parametrize("name", BY_IDENTITY)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        read_settings({**BY_IDENTITY, name: " "})


def test_the_vault_is_reached_over_https_only() -> None:
    with pytest.raises(SettingsError, match="KEY_VAULT_URL"):
        some_settings(KEY_VAULT_URL="http://vault.example")


def test_extracts_lie_in_the_data_account_unless_told_otherwise() -> None:
    settings = some_settings()
    assert settings.extract_storage == settings.data_storage


@pytest.mark.parametrize(
    ("name", "member"), [("ExtractStorage", "connection_string"), ("ExtractStorage__blobServiceUri", "blob_uri")]
)
def test_extracts_may_lie_in_an_account_of_their_own(name: str, member: str) -> None:
    assert getattr(some_settings(**{name: "there"}).extract_storage, member) == "there"


def test_blanks_around_a_value_do_not_count() -> None:
    assert some_settings(EXTRACT_PREFIX=" exports/ ").extract_prefix == "exports/"


def test_the_refresh_has_a_schedule_and_a_zone() -> None:
    settings = some_settings(REFRESH_SCHEDULE="0 4 * * *", REFRESH_TIME_ZONE="Europe/Stockholm")
    assert settings.refresh == a_schedule("0 4 * * *", "Europe/Stockholm")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFRESH_SCHEDULE", "0 6 1-7 * MON"),
        ("REFRESH_SCHEDULE", "every day"),
        ("REFRESH_SCHEDULE", "99 4 * * *"),
        ("REFRESH_TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_refresh_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        some_settings(**{"REFRESH_SCHEDULE": "0 4 * * *", name: value})


def test_no_connection_string_is_in_a_repr() -> None:
    assert "AccountKey" not in repr(some_settings(DataStorage="AccountName=a;AccountKey=k"))


# --- secrets that the app may write ---------------------------------------------------------------------------


def test_no_secret_may_be_written_unless_it_is_named() -> None:
    assert not some_settings().may_write("sendgrid-api-key")


def test_named_secrets_may_be_written_in_any_case_of_letters() -> None:
    settings = some_settings(SECRET_WRITERS="sendgrid-api-key, Brand-B")
    assert [settings.may_write(name) for name in ("SendGrid-API-key", "brand-b", "brand", "")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("value", ["*", "a,,b", "sendgrid_key", "https://kv.vault.azure.net/secrets/a"])
def test_what_names_no_secret_is_said(value: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_WRITERS must be names of Key Vault secrets"):
        some_settings(SECRET_WRITERS=value)
