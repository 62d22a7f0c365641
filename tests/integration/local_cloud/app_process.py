"""Talks to the platform as the function app does: unmodified clients, and only the environment to go by.

Prints one JSON value: the answer, or {"error": …} with the name of the exception.
"""

import json
import os
import sys

import httpx
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient


def read_secret(name: str) -> str | None:
    with DefaultAzureCredential() as credential:
        client = SecretClient(os.environ["KEY_VAULT_URL"], credential, retry_total=0)
        return client.get_secret(name).value


def copy_blob(content: str) -> str:
    url = os.environ["DataStorage__blobServiceUri"]  # noqa: SIM112 - so it is called in Azure
    with DefaultAzureCredential() as credential, BlobServiceClient(url, credential) as service:
        blob = service.get_blob_client(os.environ["STATE_CONTAINER"], "note")
        blob.upload_blob(content)
        return blob.download_blob().readall().decode()


def pass_message(content: str) -> list[str]:
    url = os.environ["DataStorage__queueServiceUri"]  # noqa: SIM112 - so it is called in Azure
    with DefaultAzureCredential() as credential, QueueServiceClient(url, credential) as service:
        queue = service.get_queue_client("runs")
        queue.send_message(content)
        return [message.content for message in queue.receive_messages()]


def visit(url: str) -> int:
    return httpx.get(url).status_code


COMMANDS = {each.__name__: each for each in (read_secret, copy_blob, pass_message, visit)}


def main(command: str, argument: str) -> None:
    try:
        answer: object = COMMANDS[command](argument)
    except (AzureError, httpx.HTTPError) as error:
        answer = {"error": type(error).__name__}
    print(json.dumps(answer))  # noqa: T201 - this is the answer to the test


if __name__ == "__main__":
    main(*sys.argv[1:])
