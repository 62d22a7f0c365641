"""Settings → clients → services: built once per process, on first use."""

from __future__ import annotations

import functools
import logging
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.services import Services

_lock = threading.Lock()


@functools.cache
def _built() -> Services:
    _quieten_libraries()
    return _build()


def get_services() -> Services:
    """The services of this process. Raises SettingsError naming the setting to change."""
    with _lock:
        return _built()


def _quieten_libraries() -> None:
    """Libraries log URLs and headers at INFO; ours is the only voice below WARNING."""
    for name in ("httpx", "httpcore", "azure", "msal"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("sendgrid_export").setLevel(logging.INFO)


def _build() -> Services:
    # the SDKs are heavy: a cold start that only answers /health does without them
    import random
    from datetime import UTC, datetime

    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    from shared.key_vault import KeyVault, Secrets
    from shared.sendgrid.client import SendGridClient
    from shared.sendgrid.gateway import SendGridGateway
    from shared.sendgrid.rate_limiter import RateLimiter
    from shared.services import Services
    from shared.settings import read_settings
    from shared.storage.azure import AzureBlobs, AzureQueues, blob_service, queue_service
    from shared.storage.documents import Store
    from shared.storage.heartbeat import Heartbeat, keep_beating

    def now() -> datetime:
        return datetime.now(UTC)

    settings = read_settings(os.environ)
    credential = DefaultAzureCredential()
    state = blob_service(settings.data_storage, credential).get_container_client(settings.state_container)
    extracts = blob_service(settings.extract_storage, credential).get_container_client(settings.extract_container)
    store = Store(AzureBlobs(state))
    vault = KeyVault(
        SecretClient(settings.key_vault_url, credential, retry_total=2, connection_timeout=10, read_timeout=30)
    )
    heartbeat = Heartbeat(store.blobs, now)
    keep_beating(heartbeat)
    return Services(
        settings=settings,
        store=store,
        extracts=AzureBlobs(extracts),
        heartbeat=heartbeat,
        queues=AzureQueues(queue_service(settings.data_storage, credential)),
        sendgrid=SendGridGateway(
            client=SendGridClient(),
            secrets=Secrets(vault, now),
            limiter=RateLimiter(store),
            clock=now,
            jitter=random.random,
        ),
        clock=now,
        jitter=random.random,
    )
