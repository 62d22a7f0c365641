import pytest

from local.functions_host.outputs import expand
from local.functions_host.protos import TypedData


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (TypedData(string="hello"), ["hello"]),
        (TypedData(string=""), [""]),
        (TypedData(bytes=b"[1, 2]"), ["[1, 2]"]),
        (TypedData(string='["a", "b"]'), ["a", "b"]),
        (TypedData(string=' [{"a": 1}] '), ['{\n  "a": 1\n}']),
        (TypedData(string='{"a":"é"}'), ['{\n  "a": "é"\n}']),
        (TypedData(json='["a", {"b": 2}]'), ["a", '{\n  "b": 2\n}']),
        (TypedData(json='"text"'), ["text"]),
        (TypedData(json="{}"), ["{}"]),
        (TypedData(string="[]"), []),
        (TypedData(int=7), ["7"]),
    ],
)
def test_a_value_becomes_messages_as_in_the_real_host(value: TypedData, messages: list[str]) -> None:
    assert [content.decode() for content in expand(value)] == messages


@pytest.mark.parametrize("text", ["[oops]", '{"a": 1}\n{"a": 2}'])
def test_what_looks_like_json_and_is_none_fails(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra data"):
        expand(TypedData(string=text))
