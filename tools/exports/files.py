"""Definitions in YAML files: a folder a kind, such as `exports/*.yaml`, whose names are the ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from shared.errors import InvalidInputError
from tools.exports.definitions import Json, Kind, complete, shortest
from tools.exports.schemas import schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDINGS: Final = (".yaml", ".yml")
SCHEMAS: Final = "schemas"
"""Folder beside those of the definitions, for editors."""
IDENTIFIER: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is to be changed in a file."""

    path: Path
    line: int | None
    """From 1."""
    field: str | None
    """Dotted path of the member."""
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return ": ".join(filter(None, (place, self.field, self.message)))


class FilesError(Exception):
    """Files that cannot be applied."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class DefinitionFile:
    """A definition in a file."""

    kind: Kind
    id: str
    path: Path
    document: Json
    """As it is written there."""
    complete: Json
    """With everything it leaves out."""
    root: yaml.Node

    def line_of(self, pointer: str) -> int:
        """Where a member stands, or the innermost that there is of those around it; from 1."""
        node = self.root
        for part in pointer.split("/")[1:]:
            inner = _inner(node, part.replace("~1", "/").replace("~0", "~"))
            if inner is None:
                break
            node = inner
        return int(node.start_mark.line) + 1


def read_folder(folder: Path) -> list[DefinitionFile]:
    """Every definition, connections first, by id. Raises FilesError naming all that is wrong."""
    found: dict[tuple[Kind, str], DefinitionFile] = {}
    faults: list[Fault] = []
    for kind, path in _paths(folder):
        try:
            file = _read(kind, path)
        except FilesError as error:
            faults += error.faults
            continue
        if (kind, file.id) in found:
            faults.append(_fault(path, f"there is another file of {kind} {file.id}; keep one of them"))
        found[kind, file.id] = file
    if faults:
        raise FilesError(*faults)
    return list(found.values())


def write_definition(folder: Path, kind: Kind, identity: str, document: Json) -> Path | None:
    """Write what there is into its file; None where the file says the same already, in whatever form."""
    path = folder / kind.plural / f"{identity}.yaml"
    try:
        if path.exists() and _read(kind, path).complete == complete(kind, document):
            return None
    except FilesError:
        pass  # what cannot be read is written anew
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(shortest(kind, document), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(f"# yaml-language-server: $schema=../{SCHEMAS}/{kind}.schema.json\n{text}", encoding="utf-8")
    return path


def write_schemas(folder: Path) -> None:
    """Write the schemas that the files name."""
    (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
    for kind in Kind:
        (folder / SCHEMAS / f"{kind}.schema.json").write_text(schema_text(kind), encoding="utf-8")


def _paths(folder: Path) -> Iterator[tuple[Kind, Path]]:
    if not any((folder / kind.plural).is_dir() for kind in Kind):
        raise FilesError(_fault(folder, "has no folder connections, exports or notifications"))
    for kind in Kind:
        for path in sorted((folder / kind.plural).glob("*")):
            if path.suffix in ENDINGS:
                yield kind, path


def _read(kind: Kind, path: Path) -> DefinitionFile:
    if not IDENTIFIER.fullmatch(path.stem):
        message = "the name of the file is the id: 1 to 63 lower-case letters, digits and inner hyphens"
        raise FilesError(_fault(path, message))
    root, document = _parse(path)
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise FilesError(_fault(path, "must hold a mapping of names to values"))
    file = DefinitionFile(kind=kind, id=path.stem, path=path, document=document, complete={}, root=root)
    try:
        return DefinitionFile(**(vars(file) | {"complete": complete(kind, document)}))
    except InvalidInputError as error:
        raise FilesError(
            *(
                Fault(path=path, line=file.line_of(each.pointer or ""), field=each.field, message=each.message)
                for each in error.errors
            )
        ) from None


def _parse(path: Path) -> tuple[yaml.Node, Any]:
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if root is None:
            raise FilesError(_fault(path, "is empty"))
        return root, loader.construct_document(root)
    except UnicodeDecodeError:
        raise FilesError(_fault(path, "is not UTF-8")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise FilesError(_fault(path, error.problem or "is not YAML", mark.line + 1 if mark else None)) from None
    except yaml.YAMLError:
        raise FilesError(_fault(path, "has characters that YAML does not allow")) from None


def _fault(path: Path, message: str, line: int | None = None) -> Fault:
    return Fault(path=path, line=line, field=None, message=message)


def _inner(node: yaml.Node, name: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
        inner: yaml.Node = node.value[int(name)]
        return inner
    return None


class _Loader(yaml.SafeLoader):
    """Reads YAML as editors do, by version 1.2: `off`, `no` and dates are texts, and no name stands twice.

    https://yaml.org/spec/1.2.2/#103-core-schema
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - overridden
        names: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in names:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
            names.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))
