from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions import manage as definitions
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, PreconditionFailedError
from shared.model.roles import Role
from shared.storage.layout import RunBlobs, export_blob
from tests.support.factories import NOW, RUN_ID, Clock, a_caller, a_draft, a_run, an_export, some_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.access.callers import Caller
    from shared.services import Services

ADMINISTRATOR = a_caller(Role.ADMINISTRATOR, id="admin")
USER = a_caller(Role.CONTRIBUTOR, id="nora")
STRANGER = a_caller(Role.CONTRIBUTOR, id="erik")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock) -> Services:
    """Services with the connections `marketing`, which the user may use, and `finance`, which she may not."""
    services = some_services(clock)
    put_connection(services, "marketing", users=(USER.id,))
    put_connection(services, "finance")
    return services


def put_connection(services: Services, name: str, **changes: object) -> str:
    draft = a_draft(**changes)
    put = definitions.put_connection(services, name, draft, caller=ADMINISTRATOR, etag=None)
    return put.versioned.etag


def put_export(
    services: Services, name: str = "loyal", *, caller: Caller = USER, etag: str | None = None, **changes: object
) -> tuple[str, bool]:
    put = definitions.put_export(services, name, an_export(**changes), caller=caller, etag=etag)
    return put.versioned.etag, put.is_new


# --- who may --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connection", ["finance", "no-such"])
def test_a_connection_one_may_not_use_looks_like_one_that_is_not_there(
    services: Services, connection: str
) -> None:
    with pytest.raises(ForbiddenError, match=f"You are not among the users of the connection {connection}."):
        put_export(services, connection=connection)


def test_an_export_of_a_connection_one_may_not_use_cannot_be_taken_over(services: Services) -> None:
    put_export(services, connection="finance", caller=ADMINISTRATOR)
    with pytest.raises(NotFoundError, match=r"There is no export loyal\."):
        put_export(services, connection="marketing", caller=USER)


def test_an_export_that_was_led_elsewhere_after_it_was_looked_at_is_not_taken_over(services: Services) -> None:
    """Whether one may is judged by the very version that is written over."""
    put_export(services)
    look = services.store.find

    def find(name: str, kind: Any) -> Any:  # noqa: ANN401 - any document
        found = look(name, kind)
        if name == export_blob("loyal") and not led:
            led.append(name)
            put_export(services, connection="finance", caller=ADMINISTRATOR)
        return found

    led: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.store, "find", find)
        with pytest.raises(PreconditionFailedError):
            put_export(services, max_contacts=5)
    assert definitions.get_export(services, "loyal").document.definition.connection == "finance"


def test_an_export_has_only_segments_that_its_connection_may_export(services: Services) -> None:
    put_connection(services, "marketing", users=(USER.id,), segments=("Loyal",))
    put_export(services)
    with pytest.raises(InvalidInputError) as caught:
        put_export(services, segments=("Loyal", "Staff"))
    assert [(error.field, error.message) for error in caught.value.errors] == [("segments", "may not hold Staff")]


def test_a_consent_is_the_callers_and_given_now(services: Services, clock: Clock) -> None:
    given = definitions.get_connection(services, "marketing").document.definition.consent
    assert given is not None
    assert (given.given_by, given.given_at) == (ADMINISTRATOR.actor, NOW)
    clock.pass_(60)
    other = a_caller(Role.ADMINISTRATOR, id="other")
    for version, by, at in [("1", ADMINISTRATOR, NOW), ("2", other, clock.now)]:
        draft = a_draft(consent={"text": given.text, "version": version})
        definitions.put_connection(services, "marketing", draft, caller=other, etag=None)
        now = definitions.get_connection(services, "marketing").document.definition.consent
        assert now is not None
        assert (now.given_by, now.given_at) == (by.actor, at)


def test_a_document_that_cannot_be_read_hides_no_other_and_can_be_deleted(services: Services) -> None:
    put_export(services)
    services.store.blobs.upsert(export_blob("broken"), b'{"id": "broken", "definition": {"time_zone": "Mars"}}')
    assert [saved.id for saved in definitions.list_exports(services)] == ["loyal"]
    with pytest.raises(ConflictError, match=r"exports/broken\.json"):
        definitions.get_export(services, "broken")
    definitions.delete_export(services, "broken", etag=None)
    with pytest.raises(NotFoundError):
        definitions.get_export(services, "broken")


def test_an_export_made_anew_is_another_one(services: Services) -> None:
    put_export(services)
    first = definitions.get_export(services, "loyal").document.uid
    put_export(services, max_contacts=5)
    assert definitions.get_export(services, "loyal").document.uid == first
    definitions.delete_export(services, "loyal", etag=None)
    put_export(services)
    assert definitions.get_export(services, "loyal").document.uid != first


# --- saving ---------------------------------------------------------------------------------------------------


def test_a_first_save_creates(services: Services) -> None:
    _, is_new = put_export(services)
    saved = definitions.get_export(services, "loyal").document
    assert is_new
    assert (saved.id, saved.definition, saved.created_at, saved.updated_by) == (
        "loyal",
        an_export(),
        NOW,
        USER.actor,
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
    definitions.delete_export(services, "vip", etag=None)
    assert list(listing) == []


# --- deleting -------------------------------------------------------------------------------------------------


def test_a_connection_in_use_is_not_deleted(services: Services) -> None:
    put_export(services)
    with pytest.raises(ConflictError, match="loyal"):
        definitions.delete_connection(services, "marketing", etag=None)


def test_a_connection_out_of_use_is_deleted(services: Services) -> None:
    definitions.delete_connection(services, "marketing", etag=None)
    with pytest.raises(NotFoundError):
        definitions.get_connection(services, "marketing")


def test_an_older_version_is_not_deleted(services: Services) -> None:
    etag, _ = put_export(services)
    put_export(services, max_contacts=5)
    with pytest.raises(PreconditionFailedError):
        definitions.delete_export(services, "loyal", etag=etag)


@pytest.mark.parametrize("delete", [definitions.delete_connection, definitions.delete_export])
def test_what_is_not_there_cannot_be_deleted(services: Services, delete: Callable[..., None]) -> None:
    with pytest.raises(NotFoundError):
        delete(services, "no-such", etag=None)


def test_the_runs_of_a_deleted_export_stay(services: Services) -> None:
    put_export(services)
    name = RunBlobs(export="loyal", run=RUN_ID).document
    services.store.create(name, a_run())
    definitions.delete_export(services, "loyal", etag=None)
    assert [item.name for item in services.store.blobs.list_blobs("runs/")] == [name]
