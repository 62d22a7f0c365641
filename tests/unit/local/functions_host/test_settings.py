import pytest
from azure import identity

from local.functions_host.errors import SettingError
from local.functions_host.settings import container_client, queue_client, resolve

CONNECTION_STRING = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"
URIS = {
    "Data__queueServiceUri": "https://a.queue.core.windows.net",
    "Data__blobServiceUri": "https://a.blob.core.windows.net",
}


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return the client ids for which a managed identity was made; None stands for the system-assigned one."""
    made: list[str | None] = []

    def make(client_id: str | None = None) -> object:
        made.append(client_id)
        return identity.AzureCliCredential()

    monkeypatch.setattr(identity, "ManagedIdentityCredential", make)
    return made


def test_names_in_percent_signs_are_replaced_by_settings() -> None:
    assert resolve("a-%ONE%-%TWO%", {"ONE": "1", "TWO": "2"}) == "a-1-2"


def test_a_text_without_names_stays_as_it_is() -> None:
    assert resolve("0 0 * * * *", {}) == "0 0 * * * *"


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingError, match="the app setting ONE is not set"):
        resolve("%ONE%", {})


def test_a_connection_string_wins_over_an_identity() -> None:
    client = queue_client("Data", "work", {"Data": CONNECTION_STRING} | URIS)
    assert client.url == "https://a.queue.core.windows.net/work"
    assert client.credential.account_name == "a"


def test_a_user_assigned_identity_is_chosen_by_its_client_id(credentials: list[str | None]) -> None:
    settings = URIS | {"Data__credential": "managedidentity", "Data__clientId": "user-assigned"}
    assert queue_client("Data", "work", settings).url == "https://a.queue.core.windows.net/work"
    assert container_client("Data", "box", settings).url == "https://a.blob.core.windows.net/box"
    assert credentials == ["user-assigned"]


def test_without_a_credential_setting_the_default_credential_is_used() -> None:
    assert isinstance(queue_client("Data", "work", URIS).credential, identity.DefaultAzureCredential)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "neither the app setting Data nor Data__queueServiceUri is set"),
        ({"Data": "nonsense"}, "the app setting Data is no connection string"),
        ({"Data": ""}, "the app setting Data is no connection string"),
        ({"Data__queueServiceUri": "http://a"}, "Data__queueServiceUri must be an https address"),
        (URIS | {"Data__credential": "magic"}, "Data__credential can only be managedidentity"),
    ],
)
def test_an_incomplete_connection_is_refused(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        queue_client("Data", "work", settings)
