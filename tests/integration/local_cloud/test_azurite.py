import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from local.azure.environment import EXTRACT_CONTAINER
from local.cloud import LocalCloud
from shared.model.messages import every_queue

# The key every Azurite has when nobody sets its accounts:
# https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
WELL_KNOWN_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def write(cloud: LocalCloud, account: str, content: bytes) -> None:
    with cloud.blob_service(account) as service:
        service.get_blob_client(EXTRACT_CONTAINER, "note").upload_blob(content)


def read(cloud: LocalCloud, account: str) -> bytes:
    with cloud.blob_service(account) as service:
        return service.get_blob_client(EXTRACT_CONTAINER, "note").download_blob().readall()


def test_data_outlives_a_stop_and_a_start(cloud: LocalCloud, account: str) -> None:
    write(cloud, account, b"kept")
    cloud.azurite.stop()
    cloud.azurite.start()
    assert read(cloud, account) == b"kept"


def test_messages_outlive_a_stop_and_a_start(cloud: LocalCloud, account: str) -> None:
    with cloud.queue_service(account) as service:
        service.get_queue_client("runs").send_message("kept")
        cloud.azurite.stop()
        cloud.azurite.start()
        [message] = service.get_queue_client("runs").peek_messages()
    assert message.content == "kept"


def test_a_killed_azurite_starts_again_on_its_ports(cloud: LocalCloud, account: str) -> None:
    ports = cloud.azurite.ports
    cloud.azurite.kill()
    cloud.azurite.start()
    cloud.prepare_account(account)
    assert cloud.azurite.ports == ports


def test_a_new_account_is_empty(cloud: LocalCloud, account: str) -> None:
    write(cloud, account, b"elsewhere")
    other = cloud.new_account()
    cloud.prepare_account(other)
    with pytest.raises(ResourceNotFoundError):
        read(cloud, other)


def test_preparing_an_account_again_keeps_its_data(cloud: LocalCloud, account: str) -> None:
    write(cloud, account, b"kept")
    cloud.prepare_account(account)
    assert read(cloud, account) == b"kept"


def test_queues_and_their_poison_queues_are_there(cloud: LocalCloud, account: str) -> None:
    with cloud.queue_service(account) as service:
        names = {queue.name for queue in service.list_queues()}
    assert names == set(every_queue())


def test_the_emulators_well_known_key_opens_nothing(cloud: LocalCloud, account: str) -> None:
    with (
        BlobServiceClient(
            f"https://{account}.blob.core.windows.net",
            credential=WELL_KNOWN_KEY,
            connection_verify=str(cloud.ca_file),
            proxies={"https": cloud.proxy.url},
        ) as service,
        pytest.raises(ClientAuthenticationError),
    ):
        service.create_container("mine")
