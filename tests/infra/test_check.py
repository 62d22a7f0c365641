"""The checker sees mistakes, and leaves what is right alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.check.__main__ import types_file
from infra.check.nodes import Access, Index, Literal, Operation, Ternary, Variable
from infra.check.parameters import check_parameters
from infra.check.parse import BicepSyntaxError, read_template
from infra.check.template import check_file

if TYPE_CHECKING:
    from pathlib import Path

    from infra.check.azure_types import ResourceTypes
    from infra.check.nodes import Expression

VAULT = """\
resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kv-x'
  location: 'x'
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
  }
}
"""

WRONG = {
    "param a string = 1": "param a: expected string, got int",
    "param a int = '1'": "param a: expected int, got string",
    "param a array = {}": "param a: expected array, got object",
    "@allowed(['x', 'y'])\nparam a string = 'z'": "'z' is not one of the known values ['x', 'y']",
    "@maxValue(3)\nparam a int = 4": "4 is beyond @maxValue(3)",
    "@minValue('3')\nparam a int": "@minValue(): expected int, got string",
    "@allowed()\nparam a int": "@allowed() takes 1 argument",
    "@sekure()\nparam a string": "unknown decorator 'sekure', did you mean 'secure'?",
    "param a string": "'a' is not used",
    "var a = b": "undefined symbol 'b'",
    "var a = 'x${b}'": "undefined symbol 'b'",
    "var a = [for x in y: x]": "undefined symbol 'y'",
    "var a = [for x in [1]: z]": "undefined symbol 'z'",
    "var a = map([1], x => y)": "undefined symbol 'y'",
    "var a = [for x in 'abc': x]": "a loop needs an array, not string",
    "var a = { b: 1 }\noutput c int = a.d": "has no property 'd'",
    "var a = { b: { c: 1 } }\noutput c int = a.b.d": "has no property 'd'",
    "var a = [{ b: 1 }]\noutput c int = a[0].d": "has no property 'd'",
    "var a = [1]\noutput c int = a['b']": "an array is indexed by int, not string",
    "var a = 'x'\noutput c string = a.length": "string has no property 'length'",
    "var a = 1\nvar a = 2": "'a' is declared twice",
    "var a = b\nvar b = a": "'a' depends on itself",
    "var a = toLowr('X')": "unknown function 'toLowr', did you mean 'toLower'?",
    "var a = toLower(1)": "toLower() takes string here, not int",
    "var a = toLower()": "toLower() takes 1 to 1 arguments",
    "var a = replace('a', 'b')": "replace() takes 3 to 3 arguments",
    "var a = empty('x') ? 1 : nope": "undefined symbol 'nope'",
    "var a = 'x' ? 1 : 2": "a condition must be bool, not string",
    "var a = !'x'": "a condition must be bool, not string",
    "var a = utcNow()": "utcNow() belongs in the default of a parameter",
    "var a = subscription().name": "has no property 'name'",
    "output a string = 1": "output a: expected string, got int",
    "output a int = [for x in [1]: x]": "output a: expected int, got array",
    "@secure()\nparam a string\noutput b string = a": "output b: 'a' is a secret",
    "module a 'nowhere.bicep' = { name: 'a' }": "no readable module at 'nowhere.bicep'",
    "resource a 'Microsoft.KeyVault/vault@2024-11-01' = { name: 'a' }": "unknown resource type",
    "resource a 'Microsoft.KeyVault/vaults@1999-01-01' = { name: 'a' }": "has no version '1999-01-01'",
    "resource a 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = { name: 'a', properties: {} }": "needs a parent",
    VAULT.replace("  name: 'kv-x'\n", ""): "missing required property 'name'",
    VAULT.replace("location", "locaton"): "did you mean 'location'?",
    VAULT.replace("'standard'", "'Standard'"): "'Standard' is not one of the known values",
    VAULT.replace("'A'", "'B'"): "'B' is not one of the known values",
    VAULT.replace("tenantId: tenant", "provisioningState: tenant"): "'provisioningState' is read-only",
    VAULT.replace("tenant()", "tenants()"): "unknown function 'tenants'",
    VAULT + "output a string = vault.properties.vaultUrl": "did you mean 'vaultUri'?",
    VAULT + "output a object = vault": "expected object, got resource",
    VAULT + "output a string = '${vault}'": "only strings, numbers and booleans fit into a string",
    VAULT.replace("= {\n  name", "= if (1 > 2) {\n  name")
    + "output a string = vault.properties.vaultUri": "may not have been deployed",
    VAULT.replace("= {\n  name", "existing = {\n  name"): "cannot be set on an existing resource",
    "resource a 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: 'a' }": "'a' is not used",
}

RIGHT = (
    VAULT,
    VAULT + "output a string = vault.properties.vaultUri",
    VAULT + "output a string = vault.id",
    VAULT.replace("= {\n  name", "= if (1 > 2) {\n  name") + "output a string = vault!.properties.vaultUri",
    VAULT.replace("= {\n  name", "= if (1 > 2) {\n  name") + "output a string = vault.?properties.vaultUri ?? ''",
    VAULT.replace("location: 'x'", "location: 'x'\n  tags: { a: 'b', 'c-d': 'e' }"),
    VAULT.replace("sku: {", "networkAcls: null\n    sku: {"),
    VAULT.replace("sku: {", "accessPolicies: []\n    sku: {"),
    "param a string = resourceGroup().location\noutput b string = a",
    "@description('x')\n@minLength(1)\nparam a string\noutput b string = a",
    "@secure()\nparam a string = ''\n"
    + VAULT
    + "resource s 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(a)) {\n"
    "  parent: vault\n  name: 's'\n  properties: { value: a }\n}",
    "param a array\noutput b array = [for (x, i) in a: { x: x, i: i }]",
    "var a = [for x in range(0, 3): x * 2]\noutput b int = a[0]",
    "var a = { b: 1 }\noutput b int = a.b",
    "var a = { b: 1 }\noutput b int = a['b']",
    "output a object = union({ a: 1 }, { b: 2 })",
    "output a array = map(['a'], x => toUpper(x))",
    "output a array = filter([1, 2], x => x > 1)",
    "output a int = reduce([1, 2], 0, (x, y) => x + y)",
    "output a string = az.resourceGroup().name",
    "output a string = '''many\nlines'''",
    "param x string\noutput a bool = x == 'y' && !(1 > 2) || contains(['a'], 'a')",
    "targetScope = 'subscription'\noutput a string = subscription().subscriptionId",
    "output a string = 'it\\'s ${1 + 1}'",
)


def _problems(text: str, folder: Path, types: ResourceTypes) -> list[str]:
    return [problem.message for problem in check_file(folder / "main.bicep", types, text)]


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_mistake_is_reported(text: str, tmp_path: Path, types: ResourceTypes) -> None:
    found = _problems(text, tmp_path, types)
    assert any(WRONG[text] in message for message in found), found


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_left_alone(text: str, tmp_path: Path, types: ResourceTypes) -> None:
    assert [each for each in _problems(text, tmp_path, types) if "is not used" not in each] == []


@pytest.mark.parametrize("text", ["param", "resource a = {", "var a = (1", "var a = 'x", "output a string ="])
def test_what_is_not_bicep_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BicepSyntaxError, match="syntax error"):
        read_template(tmp_path / "main.bicep", text)


def test_what_this_tool_cannot_read_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(BicepSyntaxError, match="does not read"):
        read_template(tmp_path / "main.bicep", "type a = { b: string }")


def test_problem_says_where(tmp_path: Path, types: ResourceTypes) -> None:
    problem = check_file(tmp_path / "main.bicep", types, "var a = 1\noutput b int = a + nope")[0]
    assert str(problem) == f"{tmp_path}/main.bicep(2,20): undefined symbol 'nope'"


def _value(text: str, tmp_path: Path) -> Expression:
    return read_template(tmp_path / "x", f"var a = {text}").of_kind(Variable)[0].value


def test_access_after_a_condition_belongs_to_its_last_part(tmp_path: Path) -> None:
    value = _value("p ? q : r[0].s", tmp_path)
    assert isinstance(value, Ternary)
    assert isinstance(value.otherwise, Access)
    assert isinstance(value.otherwise.of, Index)


def test_access_after_parentheses_belongs_to_all_inside(tmp_path: Path) -> None:
    assert isinstance(_value("(p ? q : r).s", tmp_path), Access)


def test_not_applies_to_the_whole_access(tmp_path: Path) -> None:
    value = _value("!a.b[1]", tmp_path)
    assert isinstance(value, Operation)
    assert isinstance(value.operands[0], Index)


def test_escapes_are_understood(tmp_path: Path) -> None:
    value = _value(r"'it\'s\n\u{1F600}'", tmp_path)
    assert value == Literal(value="it's\n\U0001f600")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('{"nme": {"value": "x"}}', "unknown parameter 'nme', did you mean 'name'?"),
        ('{"name": {"value": 1}}', "'name' must be string"),
        ('{"name": {"value": "x"}, "count": {"value": true}}', "'count' must be int"),
        ('{"name": {"value": "x"}, "kind": {"value": "c"}}', "'kind' must be one of ['a', 'b']"),
        ('{"name": {"value": "x"}, "key": {"value": "SG.x"}}', "'key' is a secret and must not be in a file"),
        ("{}", "missing parameter 'name'"),
    ],
)
def test_parameters_file_is_checked(value: str, message: str, tmp_path: Path) -> None:
    text = (
        "param name string\nparam count int = 1\n@allowed(['a', 'b'])\nparam kind string = 'a'\n"
        "@secure()\nparam key string = ''"
    )
    file = tmp_path / "main.parameters.json"
    file.write_text(json.dumps({"parameters": json.loads(value)}))
    template = read_template(tmp_path / "main.bicep", text)
    assert message in [problem.message for problem in check_parameters(file, template)]


def _command(
    root: Path, *arguments: str, types: str = str(types_file().parent)
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.check", *arguments]
    return subprocess.run(  # noqa: S603 - our own words
        command, cwd=root, env={"BICEP_TYPES": types}, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("types")
def test_command_says_what_was_not_checked(root: Path) -> None:
    done = _command(root, "infra/main.bicep")
    assert done.returncode == 0
    assert "not checked here: the Bicep compiler, what-if, a real deployment" in done.stdout


@pytest.mark.usefixtures("types")
def test_command_fails_on_a_problem(root: Path, tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text("var a = b")
    done = _command(root, str(tmp_path / "main.bicep"))
    assert (done.returncode, "undefined symbol 'b'" in done.stdout) == (1, True)


def test_command_is_loud_where_there_is_no_type_data(root: Path, tmp_path: Path) -> None:
    done = _command(root, "infra/main.bicep", types=str(tmp_path))
    assert (done.returncode, "NOTHING WAS CHECKED" in done.stdout) == (0, True)
