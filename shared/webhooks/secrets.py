"""Signing secrets from Key Vault: the newest, and for a day the one before, so that receivers can keep up."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from shared.errors import RunEndError
from shared.limits import KEY_LIFETIME, OLD_SECRET_KEPT
from shared.webhooks.signature import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pydantic import SecretStr


class SecretVersions(Protocol):
    """Reads a secret and the one before it."""

    def read_versions(self, name: str, *, older_until: datetime) -> tuple[SecretStr, ...]:
        """The newest value, and the one before if the newest was made after `older_until`.

        Raises RunEndError when only a person can help, VaultUnavailableError when it may pass.
        """


class SigningSecrets:
    """The vault's secrets as keys to sign with, kept in memory for a few minutes and nowhere else."""

    def __init__(self, vault: SecretVersions, clock: Callable[[], datetime]) -> None:
        self._vault = vault
        self._clock = clock
        self._known: dict[str, tuple[datetime, tuple[bytes, ...]]] = {}
        self._lock = threading.Lock()

    def keys(self, name: str) -> tuple[bytes, ...]:
        """The keys to sign with, the newest first; none where there is no secret, or it is no signing secret.

        Raises VaultUnavailableError.
        """
        now = self._clock()
        with self._lock:
            read_at, keys = self._known.get(name, (None, ()))
        if read_at is not None and (now - read_at).total_seconds() < KEY_LIFETIME:
            return keys
        keys = self._read(name, now)
        if keys:
            with self._lock:
                self._known[name] = (now, keys)
        return keys

    def _read(self, name: str, now: datetime) -> tuple[bytes, ...]:
        try:
            values = self._vault.read_versions(name, older_until=now - timedelta(seconds=OLD_SECRET_KEPT))
        except RunEndError:
            return ()
        newest, *older = (signing_key(value.get_secret_value()) for value in values)
        return () if newest is None else (newest, *(key for key in older if key is not None))
