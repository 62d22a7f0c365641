"""What the messages of the worker protocol share: fields as strict as protobuf's."""

from dataclasses import dataclass, fields
from functools import cache
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints


def _runtime_types(hint: Any) -> tuple[type, ...]:  # noqa: ANN401  # type hints have no common type
    if isinstance(hint, UnionType):
        return tuple(kind for member in get_args(hint) for kind in _runtime_types(member))
    return (get_origin(hint) or hint,)


@cache
def _field_types(message: type["Message"]) -> dict[str, tuple[type, ...]]:
    hints = get_type_hints(message)
    return {each.name: _runtime_types(hints[each.name]) for each in fields(message)}


@dataclass(kw_only=True)
class Message:
    """What all messages share: checked fields, and groups of which one field at most is set."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        types = _field_types(type(self))  # type: ignore[arg-type]  # a class is hashable, its instances are not
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None:
                setattr(
                    self,
                    each.name,
                    each.default_factory() if callable(each.default_factory) else each.default,
                )
            elif not isinstance(value, types[each.name]):
                message = f"{type(self).__name__}.{each.name} cannot be of type {type(value).__name__}"
                raise TypeError(message)
        for group in self.oneofs.values():
            if sum(getattr(self, name) is not None for name in group) > 1:
                raise TypeError(f"{type(self).__name__} takes one of {', '.join(group)}")

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802  # the name protobuf gives it
        """Return the name of the field of the group that is set, or None."""
        return next((name for name in self.oneofs[group] if getattr(self, name) is not None), None)
