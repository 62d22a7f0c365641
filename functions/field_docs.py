"""What the docstrings below the fields of a model say: written once, they are in the description, too."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel


def described_fields(model: type[BaseModel]) -> dict[str, str]:
    """Field → what its docstring says, of the model and those it is made from."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind.__module__.startswith(("shared.", "functions.")):
            found |= dict(_of_class(kind))
    return {name: text for name, text in found.items() if name in model.model_fields}


def _of_class(kind: type) -> Iterator[tuple[str, str]]:
    """Annotated names that a docstring follows."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for node, following in itertools.pairwise(body):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            yield node.target.id, inspect.cleandoc(following.value.value)
