from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.definitions import manage as definitions
from shared.definitions.access import Caller
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, PreconditionFailedError
from shared.storage.layout import RunBlobs
from tests.support.factories import NOW, RUN_ID, Clock, a_connection, a_run, an_export, some_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.services import Services

ADMINISTRATOR = Caller(name="admin@example.com", is_administrator=True)
USER = Caller(name="nora@example.com", object_id="5f2a")
STRANGER = Caller(name="erik@example.com", object_id="77aa")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock) -> Services:
    """Services with the connections `marketing`, which the user may use, and `finance`, which she may not."""
    services = some_services(clock)
    put_connection(services, "marketing", users=(USER.name,))
    put_connection(services, "finance")
    return services


def put_connection(services: Services, name: str, **changes: object) -> str:
    saved, _ = definitions.put_connection(services, name, a_connection(**changes), caller=ADMINISTRATOR, etag=None)
    return saved.etag


def put_export(
    services: Services, name: str = "loyal", *, caller: Caller = USER, etag: str | None = None, **changes: object
) -> tuple[str, bool]:
    saved, is_new = definitions.put_export(services, name, an_export(**changes), caller=caller, etag=etag)
    return saved.etag, is_new


# --- who may --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "may"),
    [(ADMINISTRATOR, True), (USER, True), (Caller(name="other name", object_id="5f2a"), True), (STRANGER, False)],
)
def test_a_connection_is_used_by_administrators_and_its_users(caller: Caller, *, may: bool) -> None:
    assert caller.may_use(a_connection(users=("nora@example.com", "5f2a"))) is may


def test_only_an_administrator_saves_connections(services: Services) -> None:
    with pytest.raises(ForbiddenError):
        definitions.put_connection(services, "new", a_connection(), caller=USER, etag=None)


def test_only_an_administrator_deletes_connections(services: Services) -> None:
    with pytest.raises(ForbiddenError):
        definitions.delete_connection(services, "marketing", caller=USER, etag=None)


@pytest.mark.parametrize("connection", ["finance", "no-such"])
def test_a_connection_one_may_not_use_looks_like_one_that_is_not_there(
    services: Services, connection: str
) -> None:
    with pytest.raises(ForbiddenError, match=f"You are not among the users of the connection {connection}."):
        put_export(services, connection=connection)


def test_an_export_of_a_connection_one_may_not_use_cannot_be_deleted(services: Services) -> None:
    put_export(services)
    with pytest.raises(ForbiddenError):
        definitions.delete_export(services, "loyal", caller=STRANGER, etag=None)


def test_an_export_of_a_connection_one_may_not_use_cannot_be_taken_over(services: Services) -> None:
    put_export(services, connection="finance", caller=ADMINISTRATOR)
    with pytest.raises(ForbiddenError):
        put_export(services, connection="marketing", caller=USER)


# --- saving ---------------------------------------------------------------------------------------------------


def test_a_first_save_creates(services: Services) -> None:
    _, is_new = put_export(services)
    saved = definitions.get_export(services, "loyal").document
    assert is_new
    assert (saved.id, saved.definition, saved.created_at, saved.updated_by) == (
        "loyal",
        an_export(),
        NOW,
        USER.name,
    )


def test_a_second_save_keeps_when_it_was_created(services: Services, clock: Clock) -> None:
    put_export(services)
    clock.pass_(60)
    _, is_new = put_export(services, name="loyal", max_contacts=5)
    saved = definitions.get_export(services, "loyal").document
    assert not is_new
    assert (saved.created_at, saved.updated_at, saved.definition.max_contacts) == (NOW, clock.now, 5)


def test_a_save_of_the_version_that_was_read_succeeds(services: Services) -> None:
    etag, _ = put_export(services)
    put_export(services, etag=etag, max_contacts=5)
    assert definitions.get_export(services, "loyal").document.definition.max_contacts == 5


def test_a_save_of_an_older_version_changes_nothing(services: Services) -> None:
    etag, _ = put_export(services)
    put_export(services, max_contacts=5)
    with pytest.raises(PreconditionFailedError):
        put_export(services, etag=etag, max_contacts=6)
    assert definitions.get_export(services, "loyal").document.definition.max_contacts == 5


def test_a_version_of_what_is_not_there_is_stale(services: Services) -> None:
    with pytest.raises(PreconditionFailedError):
        put_export(services, etag="0x1")


def test_an_export_needs_its_connection(services: Services) -> None:
    with pytest.raises(InvalidInputError) as caught:
        put_export(services, connection="no-such", caller=ADMINISTRATOR)
    assert [error.field for error in caught.value.errors] == ["connection"]


# --- reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("get", [definitions.get_connection, definitions.get_export])
def test_what_is_not_there_is_missing(services: Services, get: Callable[[Services, str], object]) -> None:
    with pytest.raises(NotFoundError, match="no-such"):
        get(services, "no-such")


def test_definitions_are_listed_by_id(services: Services) -> None:
    for name in ("vip", "loyal", "churned"):
        put_export(services, name)
    assert [saved.id for saved in definitions.list_exports(services)] == ["churned", "loyal", "vip"]
    assert [saved.id for saved in definitions.list_connections(services)] == ["finance", "marketing"]


def test_what_is_deleted_while_it_is_listed_is_left_out(services: Services) -> None:
    put_export(services, "loyal")
    put_export(services, "vip")
    listing = definitions.list_exports(services)
    next(listing)
    definitions.delete_export(services, "vip", caller=USER, etag=None)
    assert list(listing) == []


# --- deleting -------------------------------------------------------------------------------------------------


def test_a_connection_in_use_is_not_deleted(services: Services) -> None:
    put_export(services)
    with pytest.raises(ConflictError, match="loyal"):
        definitions.delete_connection(services, "marketing", caller=ADMINISTRATOR, etag=None)


def test_a_connection_out_of_use_is_deleted(services: Services) -> None:
    definitions.delete_connection(services, "marketing", caller=ADMINISTRATOR, etag=None)
    with pytest.raises(NotFoundError):
        definitions.get_connection(services, "marketing")


def test_an_older_version_is_not_deleted(services: Services) -> None:
    etag, _ = put_export(services)
    put_export(services, max_contacts=5)
    with pytest.raises(PreconditionFailedError):
        definitions.delete_export(services, "loyal", caller=USER, etag=etag)


@pytest.mark.parametrize("delete", [definitions.delete_connection, definitions.delete_export])
def test_what_is_not_there_cannot_be_deleted(services: Services, delete: Callable[..., None]) -> None:
    with pytest.raises(NotFoundError):
        delete(services, "no-such", caller=ADMINISTRATOR, etag=None)


def test_the_runs_of_a_deleted_export_stay(services: Services) -> None:
    put_export(services)
    name = RunBlobs(export="loyal", run=RUN_ID).document
    services.store.create(name, a_run())
    definitions.delete_export(services, "loyal", caller=USER, etag=None)
    assert [item.name for item in services.store.blobs.list_blobs("runs/")] == [name]
