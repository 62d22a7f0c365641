import pytest
from starlette.requests import Request

from local.functions_host.keys import Keys, Level


def request(key: str) -> Request:
    return Request({"type": "http", "headers": [(b"x-functions-key", key.encode())], "query_string": b""})


def test_without_any_key_nothing_is_asked_for() -> None:
    assert Keys().level_of(request("")) is Level.ADMIN


@pytest.mark.parametrize(
    "keys", [Keys(master="m"), Keys(host=("h",)), Keys(functions={"f": "k"}), Keys(master="", host=("h",))]
)
def test_with_some_key_an_empty_one_opens_nothing(keys: Keys) -> None:
    assert keys.level_of(request(""), "f") is Level.ANONYMOUS


@pytest.mark.parametrize(
    ("key", "function", "level"),
    [
        ("m", "f", Level.ADMIN),
        ("h", "f", Level.FUNCTION),
        ("k", "f", Level.FUNCTION),
        ("k", "g", Level.ANONYMOUS),
        ("k", "", Level.ANONYMOUS),
        ("é", "f", Level.ANONYMOUS),
    ],
)
def test_a_key_opens_what_it_is_for(key: str, function: str, level: Level) -> None:
    keys = Keys(master="m", host=("h",), functions={"f": "k"})
    assert keys.level_of(request(key), function) is level
