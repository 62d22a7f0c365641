"""Microsoft's compiler accepts every template without a warning, and would write it as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra import parameters
from tools import bicep

if TYPE_CHECKING:
    from tools.bicep import Compiler

INFRA = Path(__file__).parents[2] / "infra"
FILES = [INFRA / "main.bicep", *sorted((INFRA / "modules").glob("*.bicep"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_compiles_without_a_warning(compiler: Compiler, file: Path) -> None:
    compiled = compiler.compile(file)
    assert compiled.diagnostics == ()
    assert json.loads(compiled.template)["resources"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_is_written_as_the_formatter_writes_it(compiler: Compiler, file: Path) -> None:
    assert compiler.format(file) == file.read_text(encoding="utf-8")


def test_every_module_is_called() -> None:
    main = FILES[0].read_text(encoding="utf-8")
    assert [file.name for file in FILES[1:] if f"'modules/{file.name}'" not in main] == []


def test_the_scripts_read_the_parameters_as_the_compiler_does(compiler: Compiler) -> None:
    compiled = json.loads(compiler.compile(INFRA / "main.bicep").template)["parameters"]
    read = parameters.read_template((INFRA / "main.bicep").read_text(encoding="utf-8"))
    secure = {name for name, each in compiled.items() if each["type"].lower().startswith("secure")}
    assert secure <= parameters.FOUND_OUT.keys() <= read.keys()
    assert {name: each.type for name, each in read.items()} == {
        name: each["type"].lower().removeprefix("secure") for name, each in compiled.items()
    }
    for name, each in read.items():
        default = compiled[name]["defaultValue"]
        if isinstance(default, str):
            assert each.default == (None if default.startswith("[") else default), name
        else:
            assert each.default in (default, None if default else default), name


def test_a_compiler_is_found_by_its_name_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "mine"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv("BICEP", str(named))
    assert bicep.find_compiler() == named


def test_without_a_compiler_none_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BICEP", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bicep, "OF_AZ", tmp_path / "bicep")
    monkeypatch.setattr(bicep, "BESIDE", tmp_path / "bicep")
    assert bicep.find_compiler() is None
