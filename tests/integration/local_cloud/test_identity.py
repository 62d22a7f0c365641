import httpx
import pytest

from local.azure.identity import APP_CLIENT_ID
from local.cloud import LocalCloud

RESOURCE = "https://storage.azure.com"


def ask(cloud: LocalCloud, **changes: str) -> httpx.Response:
    settings = cloud.environment("stlocal")
    query = {"api-version": "2019-08-01", "resource": RESOURCE, "client_id": APP_CLIENT_ID} | changes
    header = {"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]}
    return httpx.get(settings["IDENTITY_ENDPOINT"], params=query, headers=header, trust_env=False)


def test_a_token_comes_with_its_expiry_in_unix_seconds_as_text(cloud: LocalCloud) -> None:
    assert ask(cloud).json()["expires_on"].isdigit()


@pytest.mark.parametrize("change", [{"api-version": "2017-09-01"}, {"resource": ""}, {"client_id": "other"}])
def test_a_wrong_request_is_refused(cloud: LocalCloud, change: dict[str, str]) -> None:
    assert ask(cloud, **change).status_code == 400


def test_a_refused_identity_is_on_record(cloud: LocalCloud) -> None:
    ask(cloud, client_id="curious")
    assert cloud.identity.requests[-1].client_id == "curious"
