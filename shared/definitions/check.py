"""Check a connection: is its key in the vault, does SendGrid take it, may it use Marketing Campaigns?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.definitions.manage import get_connection
from shared.model.documents import Document
from shared.sendgrid.gateway import Account
from shared.sendgrid.preflight import check_key

if TYPE_CHECKING:
    from shared.services import Services


class Checked(Document):
    """The connection works."""

    key_accepted: bool
    consent_given: bool
    """Without it no run starts."""


def check_connection(services: Services, connection: str) -> Checked:
    """Raises NotFoundError, RunEndError with what to change, TransientError when somebody does not answer."""
    definition = get_connection(services, connection).document.definition
    account = Account(connection=connection, secret_name=definition.secret_name, region=definition.region)
    check_key(services.sendgrid, account, attempt=1)
    return Checked(key_accepted=True, consent_given=definition.consent is not None)
