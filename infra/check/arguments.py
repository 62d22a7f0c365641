"""Whether a value may be given to a parameter, by its type and its decorators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.check.azure_types import INT, Choice, Type, named_type
from infra.check.nodes import Array, Expression, Literal, Parameter

if TYPE_CHECKING:
    from infra.check.assignment import Assignment
    from infra.check.inference import Locals


def check_argument(
    assignment: Assignment, parameter: Parameter, value: Expression, path: str, local: Locals
) -> None:
    """Report what keeps `value` from being given to a parameter."""
    assignment.check(value, _accepted(parameter), path, local)
    if not isinstance(value, Literal) or value.value is None:
        return
    size = len(value.value) if isinstance(value.value, str) else value.value
    low, high = ("minLength", "maxLength") if isinstance(value.value, str) else ("minValue", "maxValue")
    for name, sign in ((low, -1), (high, 1)):
        bound = _bound(parameter, name)
        if bound is not None and sign * size > sign * bound:
            assignment.report(value.place, f"{path}: {value.value!r} is beyond @{name}({bound})")


def _bound(parameter: Parameter, decorator: str) -> int | None:
    limit = parameter.decorator(decorator)
    match limit and limit.arguments:
        case (Literal(value=int(bound)),):
            return bound
        case _:
            return None


def _accepted(parameter: Parameter) -> Type:
    allowed = parameter.decorator("allowed")
    if allowed and allowed.arguments and isinstance(allowed.arguments[0], Array):
        values = [item.value for item in allowed.arguments[0].items if isinstance(item, Literal)]
        if all(isinstance(value, str) for value in values):
            return Choice(tuple(map(str, values)))
        return INT
    return named_type(parameter.type)
