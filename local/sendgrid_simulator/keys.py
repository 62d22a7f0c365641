"""API keys and what they may do.

The scopes are those published under "Marketing Campaigns" and "User account":
https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions. Which of them guards which call is not
published, beyond `marketing.read` for reading; that the four `marketing_campaigns` scopes guard writing, and that
one scope for each doing guards all suppressions, is our choice.
"""

import secrets
from collections.abc import Iterable
from typing import Final

READ: Final = "marketing.read"
CREATE: Final = "marketing_campaigns.create"
UPDATE: Final = "marketing_campaigns.update"
DELETE: Final = "marketing_campaigns.delete"
ACCOUNT_READ: Final = "user.account.read"
USERNAME_READ: Final = "user.username.read"

SUPPRESSION_READ: Final = "suppression.read"
SUPPRESSION_CREATE: Final = "suppression.create"
SUPPRESSION_DELETE: Final = "suppression.delete"
ERASE: Final = "recipients.erasejob.create"

MARKETING_SCOPES: Final = (READ, CREATE, "marketing_campaigns.read", UPDATE, DELETE)
OTHER_SCOPES: Final = (
    ACCOUNT_READ,
    USERNAME_READ,
    SUPPRESSION_READ,
    SUPPRESSION_CREATE,
    SUPPRESSION_DELETE,
    ERASE,
)
ALL_SCOPES: Final = (*MARKETING_SCOPES, *OTHER_SCOPES)

TODAYS_SCOPES: Final = (READ, "marketing.automation.read", *OTHER_SCOPES)
"""What a key with full access lists today: no scope for writing is among those of Marketing.

https://github.com/kenzo0107/terraform-provider-sendgrid lists them; that `marketing.read` lets a key write, too,
is the only reading under which such keys work.
"""

_ID_LENGTH, _SECRET_LENGTH = 22, 43


class ApiKeys:
    """The keys of one account."""

    def __init__(self) -> None:
        self._scopes: dict[str, tuple[str, ...]] = {}

    def create(self, scopes: Iterable[str]) -> str:
        """Makes a key of SendGrid's form: SG., 22 characters, a dot, 43 characters; 69 in all."""
        key = f"SG.{_random(_ID_LENGTH)}.{_random(_SECRET_LENGTH)}"
        self._scopes[key] = tuple(scopes)
        return key

    def revoke(self, key: str) -> None:
        """Makes a key unknown; does nothing when it already is."""
        self._scopes.pop(key, None)

    def scopes_of(self, key: str) -> tuple[str, ...] | None:
        """Gives a key's scopes, or nothing for an unknown key."""
        return self._scopes.get(key)


def _random(length: int) -> str:
    return secrets.token_urlsafe(length)[:length]
