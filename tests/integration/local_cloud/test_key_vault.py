from collections.abc import Iterator

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from local.azure.clients import OperatorCredential
from local.azure.environment import VAULT_URL
from local.azure.tokens import issue_token
from local.cloud import LocalCloud


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[SecretClient]:
    settings = cloud.environment("stlocal")
    credential = OperatorCredential(endpoint=settings["IDENTITY_ENDPOINT"], header=settings["IDENTITY_HEADER"])
    with SecretClient(
        VAULT_URL,
        credential,
        connection_verify=str(cloud.ca_file),
        proxies={"https": cloud.proxy.url},
        retry_total=0,
    ) as secret_client:
        yield secret_client


def read_with(web: httpx.Client, token: str) -> httpx.Response:
    return web.get(f"{VAULT_URL}/secrets/anything/", headers={"Authorization": f"Bearer {token}"})


def test_the_newest_version_is_the_current_one(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("rotated", "old")
    cloud.vault.set_secret("rotated", "new")
    assert client.get_secret("rotated").value == "new"


def test_an_old_version_stays_readable_by_its_name(cloud: LocalCloud, client: SecretClient) -> None:
    version = cloud.vault.set_secret("rotated", "old")
    cloud.vault.set_secret("rotated", "new")
    old = client.get_secret("rotated", version)
    assert (old.value, old.properties.version) == ("old", version)


def test_an_unknown_secret_is_not_found(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("never-set")


def test_an_unknown_version_is_not_found(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("rotated", "new")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("rotated", "0" * 32)


def test_a_deleted_secret_is_not_found(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("deleted", "value")
    cloud.vault.delete_secret("deleted")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("deleted")


def test_a_forbidden_secret_is_refused_by_its_role(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("forbidden", "value")
    cloud.vault.forbid("forbidden")
    with pytest.raises(HttpResponseError, match="ForbiddenByRbac") as refusal:
        client.get_secret("forbidden")
    assert refusal.value.status_code == 403


def test_a_secret_is_written_by_the_app(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("written", "old")
    made = client.set_secret("written", "new", content_type="SendGrid API key")
    assert (made.value, client.get_secret("written", made.properties.version).value) == ("new", "new")
    assert cloud.vault.values("written") == ["old", "new"]


def test_a_secret_that_may_be_read_only_is_not_written(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("read-only", "old")
    cloud.vault.forbid_writing("read-only")
    with pytest.raises(HttpResponseError, match="ForbiddenByRbac") as refusal:
        client.set_secret("read-only", "new")
    assert refusal.value.status_code == 403
    assert client.get_secret("read-only").value == "old"


def test_a_deleted_secret_is_not_written(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("deleted-before", "old")
    cloud.vault.delete_secret("deleted-before")
    with pytest.raises(HttpResponseError, match="deleted but recoverable") as refusal:
        client.set_secret("deleted-before", "new")
    assert refusal.value.status_code == 409


def test_a_permitted_secret_is_readable_again(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("permitted", "value")
    cloud.vault.forbid("permitted")
    cloud.vault.permit("permitted")
    assert client.get_secret("permitted").value == "value"


def test_a_vault_that_is_away_answers_503(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.unavailable(away=True)
    try:
        with pytest.raises(HttpResponseError) as outage:
            client.get_secret("anything")
    finally:
        cloud.vault.unavailable(away=False)
    assert outage.value.status_code == 503


def test_a_vault_that_was_away_comes_back_with_its_secrets(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("kept", "value")
    cloud.vault.unavailable(away=True)
    cloud.vault.unavailable(away=False)
    assert client.get_secret("kept").value == "value"


def test_a_request_without_a_token_is_challenged(web: httpx.Client) -> None:
    answer = web.get(f"{VAULT_URL}/secrets/anything/")
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "token",
    [
        issue_token(audience="https://storage.azure.com", client_id="app").value,
        issue_token(audience="https://vault.azure.net", client_id="app", lifetime_seconds=-60).value,
        "garbage",
    ],
    ids=["for_storage", "expired", "garbage"],
)
def test_an_unfit_token_is_unauthorized(web: httpx.Client, token: str) -> None:
    assert read_with(web, token).status_code == 401


def test_the_vault_has_seen_bearer_tokens_only(cloud: LocalCloud, client: SecretClient) -> None:
    cloud.vault.set_secret("seen", "value")
    client.get_secret("seen")
    assert cloud.vault.authorization_schemes == {"Bearer"}
