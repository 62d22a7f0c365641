"""Templates are worked out as Azure would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.check.evaluate import plan
from infra.check.library import UnknownFunctionError
from infra.check.planned import Deployment

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "resource a 'Microsoft.Storage/storageAccounts@2025-01-01'"

VALUES: dict[str, Any] = {
    "'a${1}${true}'": "a1true",
    "empty('') ? 'yes' : 'no'": "yes",
    "!empty([])": False,
    "1 + 2 > 2 && 3 - 1 == 2": True,
    "null ?? 'b'": "b",
    "[for (x, i) in ['a', 'b']: '${x}${i}']": ["a0", "b1"],
    "[for pair in items({ b: 2, a: 1 }): pair.key]": ["a", "b"],
    "union({ a: 1, b: 1 }, { b: 2 })": {"a": 1, "b": 2},
    "concat([1], [2])": [1, 2],
    "take('abcdef', 3)": "abc",
    "toLower('ABC')": "abc",
    "replace('a-b', '-', '')": "ab",
    "cidrSubnet('10.0.0.0/24', 25, 1)": "10.0.0.128/25",
    "length([1, 2])": 2,
    "contains(['a'], 'a')": True,
    "{ '${'k'}': 1 }": {"k": 1},
    "subscriptionResourceId('A/b', 'c')": f"/subscriptions/{Deployment().subscription}/providers/A/b/c",
    "resourceId('A/b', 'c')": f"{Deployment().id}/providers/A/b/c",
    "uniqueString('a') == uniqueString('a')": True,
    "guid('a') == guid('b')": False,
}


def _plan(tmp_path: Path, text: str, **parameters: object) -> Any:  # noqa: ANN401 - JSON values
    (tmp_path / "main.bicep").write_text(text)
    return plan(tmp_path / "main.bicep", parameters)


@pytest.mark.parametrize("text", VALUES)
def test_expression_has_its_value(text: str, tmp_path: Path) -> None:
    assert _plan(tmp_path, f"output a object = {text}").outputs["a"] == VALUES[text]


def test_parameter_given_wins_over_its_default(tmp_path: Path) -> None:
    text = "param p string = 'x'\noutput a string = p"
    assert _plan(tmp_path, text).outputs["a"] == "x"
    assert _plan(tmp_path, text, p="y").outputs["a"] == "y"


def test_parameter_without_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="parameter p has no value"):
        _plan(tmp_path, "param p string\noutput a string = p")


def test_conditional_resource_is_left_out(tmp_path: Path) -> None:
    text = f"param p bool\n{ACCOUNT} = if (p) {{ name: 'x' }}"
    assert len(_plan(tmp_path, text, p=True).resources) == 1
    assert _plan(tmp_path, text, p=False).resources == []


def test_loop_makes_one_resource_a_round(tmp_path: Path) -> None:
    found = _plan(tmp_path, ACCOUNT + " = [for n in ['x', 'y']: { name: n }]").resources
    assert [each.name for each in found] == ["x", "y"]


def test_child_is_below_its_parent(tmp_path: Path) -> None:
    text = (
        ACCOUNT + " = { name: 'x' }\nresource b 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {\n"
        "  parent: a\n  name: 'default'\n}"
    )
    assert _plan(tmp_path, text).resources[1].id.endswith("/storageAccounts/x/blobServices/default")


def test_what_only_azure_knows_has_a_stand_in(tmp_path: Path) -> None:
    text = ACCOUNT + " = { name: 'x' }\noutput o string = a.properties.primaryEndpoints.blob"
    assert _plan(tmp_path, text).outputs["o"] == "<x.properties.primaryEndpoints.blob>"


def test_module_in_another_group_is_deployed_there(tmp_path: Path) -> None:
    (tmp_path / "inner.bicep").write_text(f"param n string\n{ACCOUNT} = {{ name: n }}\noutput id string = a.id")
    text = (
        "module m 'inner.bicep' = {\n  scope: resourceGroup('s', 'g')\n  params: { n: 'x' }\n}\n"
        "output o string = m.outputs.id"
    )
    expected = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/x"
    assert _plan(tmp_path, text).outputs["o"] == expected


def test_function_without_a_value_here_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownFunctionError):
        _plan(tmp_path, "output a string = base64('x')")
