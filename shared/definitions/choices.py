"""What SendGrid has behind a connection, so that nobody types an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.definitions.manage import get_connection
from shared.errors import FieldError, InvalidInputError
from shared.sendgrid import choices
from shared.sendgrid.gateway import Account

if TYPE_CHECKING:
    from uuid import UUID

    from shared.sendgrid.choices import ContactFields, ContactList
    from shared.services import Services


def list_lists(services: Services, connection: str) -> tuple[ContactList, ...]:
    """The lists of the account, by name. Raises NotFoundError, RunEndError, TransientError."""
    return choices.list_lists(services.sendgrid, _account(services, connection))


def list_fields(services: Services, connection: str) -> ContactFields:
    """The fields of the account. Raises NotFoundError, RunEndError, TransientError."""
    return choices.list_fields(services.sendgrid, _account(services, connection))


def find_list(services: Services, connection: str, name: str) -> UUID:
    """The list of that name. Raises InvalidInputError unless there is one and no other, and what lists raise."""
    found = [each.id for each in list_lists(services, connection) if each.name == name]
    if len(found) == 1:
        return found[0]
    message = "names more than one list; give list_id" if found else "names no list of the connection's account"
    problem = FieldError(field="list_name", message=message, pointer="/list_name")
    raise InvalidInputError("The list cannot be told by its name.", problem)


def _account(services: Services, connection: str) -> Account:
    definition = get_connection(services, connection).document.definition
    return Account(connection=connection, secret_name=definition.secret_name, region=definition.region)
