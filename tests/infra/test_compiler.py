"""Microsoft's compiler accepts every template without a warning, and would write it as it stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tools.bicep import NOT_FOUND, compile_file, find_compiler, format_file

INFRA = Path(__file__).parents[2] / "infra"
FILES = [INFRA / "main.bicep", *sorted((INFRA / "modules").glob("*.bicep"))]


@pytest.fixture(scope="module")
def compiler() -> Path:
    found = find_compiler()
    if found is None:
        pytest.skip(NOT_FOUND)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_compiles_without_a_warning(compiler: Path, file: Path) -> None:
    compiled = compile_file(compiler, file)
    assert compiled.diagnostics == ()
    assert json.loads(compiled.template)["resources"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_is_written_as_the_formatter_writes_it(compiler: Path, file: Path) -> None:
    assert format_file(compiler, file) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("subscriptionResourceId(", "noSuchFunction(", "BCP057"),
        (
            "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.hostBlobs)",
            "granted.hostBlobs",
            "use-resource-id-functions",
        ),
        ("principalType: 'ServicePrincipal'", "kindOfPrincipal: 'ServicePrincipal'", "BCP037"),
    ],
)
def test_a_mistake_is_refused(compiler: Path, tmp_path: Path, old: str, new: str, words: str) -> None:
    folder = shutil.copytree(INFRA, tmp_path / "infra")
    file = folder / "modules" / "roles.bicep"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace(old, new), encoding="utf-8")
    assert old in source
    assert any(words in line for line in compile_file(compiler, file).diagnostics)
