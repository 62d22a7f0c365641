"""Settings → clients → services: built once per process, on first use."""

from __future__ import annotations

import functools
import logging
import os
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.notifications.try_target import TryGate
    from shared.runs.preview_gate import PreviewGate
    from shared.runs.watch import Watch
    from shared.services import Authenticator, Services
    from shared.settings import Entra, Keys

_lock = threading.Lock()
THREADS: Final = 16
"""Threads of the worker, unless the setting says; the host's own default would be 1,000."""
READ_AHEAD: Final = 8
"""Connections beside those of the worker's threads, for what is read ahead and written behind."""


@functools.cache
def _built() -> tuple[Services, Services]:
    _quieten_libraries()
    return _build()


def http_level() -> func.AuthLevel:
    """Whether the host asks for a key before the app is called.

    With Microsoft Entra ID it does not: the app asks for a token, and nobody shares a key.
    """
    return func.AuthLevel.ANONYMOUS if _is_entra() else func.AuthLevel.FUNCTION


def sign_in_origin() -> str | None:
    """Whom a page asks for tokens; None where callers have keys."""
    from shared.settings import DEFAULT_AUTHORITY

    authority = os.environ.get("ENTRA_AUTHORITY", "").strip() or DEFAULT_AUTHORITY
    return f"https://{urlsplit(authority).netloc}" if _is_entra() else None


def _is_entra() -> bool:
    return os.environ.get("AUTHENTICATION", "").strip() == "entra"


def get_services() -> Services:
    """The services of this process for messages and timers. Raises SettingsError naming the setting to change."""
    with _lock:
        return _built()[0]


def get_http_services() -> Services:
    """The same for those who wait for an answer: silent storage costs them seconds. Raises SettingsError."""
    with _lock:
        return _built()[1]


@functools.cache
def reading_extracts() -> PreviewGate:
    """Lets a few callers of this process read extracts at a time."""
    from shared.runs.preview_gate import PreviewGate

    return PreviewGate()


@functools.cache
def watching_runs() -> Watch:
    """Lets a few callers of this process wait for runs at a time."""
    from shared.runs.watch import Watch

    return Watch()


@functools.cache
def trying_targets() -> TryGate:
    """Lets a few callers of this process try notification targets at a time."""
    from shared.notifications.try_target import TryGate

    return TryGate()


def _quieten_libraries() -> None:
    """Libraries log URLs and headers at INFO; ours is the only voice below WARNING."""
    for name in ("httpx", "httpcore", "azure", "msal", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("sendgrid_export").setLevel(logging.INFO)


def _build() -> tuple[Services, Services]:
    # the SDKs are heavy: a cold start that only answers /health does without them
    import random
    import uuid
    from datetime import UTC, datetime

    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    from shared.audit.audit import Audit, keep_telling
    from shared.audit.log import AuditLog
    from shared.key_vault import KeyVault, Secrets
    from shared.sendgrid.client import SendGridClient
    from shared.sendgrid.gateway import SendGridGateway
    from shared.sendgrid.rate_limiter import RateLimiter
    from shared.services import Services
    from shared.settings import read_settings
    from shared.storage.azure import (
        FOR_CALLERS,
        FOR_MESSAGES,
        AzureBlobs,
        AzureQueues,
        Patience,
        blob_service,
        queue_service,
    )
    from shared.storage.documents import Store
    from shared.storage.heartbeat import Heartbeat, keep_beating
    from shared.webhooks.client import WebhookClient
    from shared.webhooks.gateway import WebhookGateway
    from shared.webhooks.secrets import SigningSecrets

    def now() -> datetime:
        return datetime.now(UTC)

    settings = read_settings(os.environ)
    credential = DefaultAzureCredential()
    connections = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "") or THREADS) + READ_AHEAD
    client = SendGridClient()
    vault = KeyVault(
        SecretClient(settings.key_vault_url, credential, retry_total=2, connection_timeout=10, read_timeout=30)
    )
    secrets = Secrets(vault, now)
    webhooks = WebhookGateway(
        client=WebhookClient(settings.notification_hosts), secrets=SigningSecrets(vault, now), clock=now
    )
    authenticator = _authenticator(settings.authentication, now)

    audit_service = blob_service(settings.data_storage, credential, patience=FOR_CALLERS, connections=connections)
    audit_blobs = AzureBlobs(audit_service.get_container_client(settings.audit_container))
    audit = Audit(AuditLog(audit_blobs, now, uuid.uuid4().hex[:12]), now)

    def services(patience: Patience) -> Services:
        state = blob_service(settings.data_storage, credential, patience=patience, connections=connections)
        extracts = blob_service(settings.extract_storage, credential, patience=patience, connections=connections)
        queues = queue_service(settings.data_storage, credential, patience=patience, connections=connections)
        store = Store(AzureBlobs(state.get_container_client(settings.state_container)))
        return Services(
            settings=settings,
            store=store,
            extracts=AzureBlobs(extracts.get_container_client(settings.extract_container)),
            queues=AzureQueues(queues),
            sendgrid=SendGridGateway(
                client=client,
                secrets=secrets,
                limiter=RateLimiter(store),
                clock=now,
                jitter=random.random,
            ),
            webhooks=webhooks,
            heartbeat=Heartbeat(store.blobs, now),
            authenticator=authenticator,
            audit=audit,
            audit_blobs=audit_blobs,
            clock=now,
            jitter=random.random,
        )

    for_messages = services(FOR_MESSAGES)
    keep_beating(for_messages.heartbeat)
    keep_telling(audit)
    return for_messages, services(FOR_CALLERS)


def _authenticator(how: Keys | Entra, clock: Callable[[], datetime]) -> Authenticator:
    from shared.access.keys import KeyHolders
    from shared.settings import Keys

    if isinstance(how, Keys):
        return KeyHolders(how)
    from shared.access.signing_keys import SigningKeys
    from shared.access.tokens import TokenHolders

    published = f"{how.authority}/{how.tenant_id}/discovery/v2.0/keys"
    return TokenHolders(how, SigningKeys(published, clock))
