"""Whose key is known, by its name."""

from __future__ import annotations

import pytest

from shared.access.callers import CallerKind
from shared.access.keys import KeyHolders
from shared.errors import UnauthenticatedError
from shared.model.roles import Role
from shared.settings import Keys

SECRET = "0" * 32
KEYS = Keys.model_validate(
    {"roles": {"admin": {"role": "Administrator"}, "crm": {"role": "Operator", "export": "loyal"}}}
)


def test_a_key_is_called_by_its_name_and_has_its_role() -> None:
    caller = KeyHolders(KEYS).identify({"x-functions-key": f"admin.{SECRET}"}, {})
    assert (caller.id, caller.name, caller.kind) == ("admin", "admin", CallerKind.KEY)
    assert (set(caller.roles), caller.is_administrator) == ({Role.ADMINISTRATOR}, True)


def test_a_systems_key_is_bound_to_its_export() -> None:
    caller = KeyHolders(KEYS).identify({}, {"code": f"crm.{SECRET}"})
    assert (set(caller.roles), caller.only_export) == ({Role.OPERATOR}, "loyal")


@pytest.mark.parametrize(
    "key", ["", "admin", "admin.", "admin.1", f".{SECRET}", f"other.{SECRET}", f"Admin.{SECRET}", SECRET * 2]
)
def test_a_key_without_a_known_name_or_too_short_opens_nothing(key: str) -> None:
    with pytest.raises(UnauthenticatedError, match="KEY_ROLES"):
        KeyHolders(KEYS).identify({"x-functions-key": key}, {})


def test_the_header_wins_over_the_address() -> None:
    with pytest.raises(UnauthenticatedError):
        KeyHolders(KEYS).identify({"x-functions-key": "x"}, {"code": f"admin.{SECRET}"})


@pytest.mark.parametrize("suffix", ["", "-id", "-name", "-idp"])
def test_where_keys_count_a_principal_is_refused(suffix: str) -> None:
    headers = {"x-functions-key": f"admin.{SECRET}", f"x-ms-client-principal{suffix}": "ada"}
    with pytest.raises(UnauthenticatedError, match="AUTHENTICATION"):
        KeyHolders(KEYS).identify(headers, {})
