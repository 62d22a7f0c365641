"""What refers to what in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.check.nodes import (
    Declaration,
    Expression,
    For,
    Module,
    Name,
    Object,
    Parameter,
    Resource,
    Variable,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def names_in(node: Expression) -> Iterator[str]:
    """Names an expression refers to, those in resources inside it included."""
    if isinstance(node, Name):
        yield node.name
    for child in children(node):
        yield from names_in(child)
    if isinstance(node, Object):
        for inner in node.resources:
            yield from names_in(inner.value)


def uses(declaration: Declaration) -> Iterator[str]:
    """Names a declaration cannot do without."""
    match declaration:
        case Parameter(default=None):
            return
        case Parameter(default=default) if default is not None:
            yield from names_in(default)
        case Variable() | Resource() | Module():
            hidden = declaration.value.variables if isinstance(declaration.value, For) else ()
            yield from (name for name in names_in(declaration.value) if name not in hidden)
        case _:
            return


def reaches(edges: Mapping[str, set[str]], start: str, goal: str) -> bool:
    """Whether one gets from `start` to `goal` in one step or more."""
    seen: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo.extend(edges[name])
    return False
