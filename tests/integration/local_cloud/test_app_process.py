"""The production code path, in a process that has nothing but its environment."""

import pytest

from local.azure.identity import APP_CLIENT_ID, TokenRequest
from local.cloud import LocalCloud
from tests.integration.local_cloud.support import RunApp


def test_the_default_credential_reads_a_secret(cloud: LocalCloud, run_app: RunApp) -> None:
    cloud.vault.set_secret("sendgrid-one", "SG.one")
    assert run_app("read_secret", "sendgrid-one") == "SG.one"


def test_the_default_credential_writes_and_reads_a_blob(run_app: RunApp) -> None:
    assert run_app("copy_blob", "hello") == "hello"


def test_the_default_credential_sends_and_receives_a_message(run_app: RunApp) -> None:
    assert run_app("pass_message", "hello") == ["hello"]


def test_the_app_asks_for_its_own_identity(cloud: LocalCloud, run_app: RunApp) -> None:
    before = len(cloud.identity.requests)
    run_app("copy_blob", "hello")
    asked = TokenRequest(client_id=APP_CLIENT_ID, resource="https://storage.azure.com")
    assert cloud.identity.requests[before:] == [asked]


def test_a_wrong_identity_header_gets_no_token(run_app: RunApp) -> None:
    answer = run_app("read_secret", "sendgrid-one", IDENTITY_HEADER="wrong")
    assert answer == {"error": "ClientAuthenticationError"}


def test_an_identity_that_is_not_assigned_gets_no_token(run_app: RunApp) -> None:
    answer = run_app("read_secret", "sendgrid-one", AZURE_CLIENT_ID="somebody-else")
    assert answer == {"error": "ClientAuthenticationError"}


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_unknown_host_is_not_reached(cloud: LocalCloud, run_app: RunApp, scheme: str) -> None:
    refused_before = len(cloud.proxy.refused)
    run_app("visit", f"{scheme}://unknown.example/page")
    assert any("unknown.example" in target for target in cloud.proxy.refused[refused_before:])


def test_the_environment_holds_nothing_of_the_developers_azure_login(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaks = (
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AzureWebJobsStorage",
        "SENDGRID_API_KEY",
    )
    for name in leaks:
        monkeypatch.setenv(name, "leak")
    assert "leak" not in cloud.environment("stlocal").values()


def test_settings_win_over_the_local_ones(cloud: LocalCloud) -> None:
    assert cloud.environment("stlocal", SCHEDULE_TICK="* * * * * *")["SCHEDULE_TICK"] == "* * * * * *"
