"""Whether an expression may stand where a type is expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.check.azure_types import (
    ArrayType,
    Choice,
    Discriminated,
    ObjectType,
    Property,
    Scalar,
    Type,
)
from infra.check.nodes import Array, Expression, For, If, Literal, Object, Place, Ternary
from infra.check.unify import alike, hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.check.inference import Inference, Locals, Report

_SHOWN = 8


class Assignment:
    """Checks values against types; mistakes are reported at the value."""

    def __init__(self, inference: Inference, report: Report) -> None:
        self._inference = inference
        self.report = report

    def check(self, node: Expression, want: Type, path: str, local: Locals) -> None:
        """Report what keeps `node` from being a `want`; `path` says where it goes."""
        match node, want:
            case If(), _:
                self.check(node.body, want, path, local)
            case Ternary(), _:
                self._inference.type_of(node, local)
                self.check(node.then, want, path, local)
                self.check(node.otherwise, want, path, local)
            case Object(), ObjectType():
                self._inference.type_of(node, local)
                self.check_members(node, want.properties, want.other, path, local)
            case Object(), Discriminated():
                self._inference.type_of(node, local)
                self._discriminated(node, want, path, local)
            case Array(), ArrayType():
                for index, item in enumerate(node.items):
                    self.check(item, want.item, f"{path}[{index}]", local)
            case For(), ArrayType():
                inside = self._inference.loop_locals(node, local)
                self.check(node.body, want.item, f"{path}[]", inside)
            case _:
                self._compare(node.place, self._inference.type_of(node, local), want, path)
                self._limits(node, want, path)

    def check_members(
        self,
        node: Object,
        properties: Mapping[str, Property],
        other: Type | None,
        path: str,
        local: Locals,
    ) -> None:
        """Report unknown, read-only, doubled, missing and ill-typed members of an object."""
        seen: set[str] = set()
        for member in node.members:
            if not isinstance(member.key, str):
                if other is None:
                    self.report(member.place, f"{path}: takes no names made from expressions")
                else:
                    self.check(member.value, other, f"{path}[…]", local)
                continue
            if member.key in seen:
                self.report(member.place, f"{path}: '{member.key}' is given twice")
            seen.add(member.key)
            inner = f"{path}.{member.key}"
            known = properties.get(member.key)
            if known is None and other is None:
                self.report(member.place, f"{path}: unknown property '{member.key}'{hint(member.key, properties)}")
            elif known and known.read_only:
                self.report(member.place, f"{path}: '{member.key}' is read-only")
            else:
                want = known.type if known else other
                if want is not None:
                    self.check(member.value, want, inner, local)
        self._missing(node.place, properties, seen, path)

    def _missing(self, place: Place, properties: Mapping[str, Property], seen: set[str], path: str) -> None:
        for name, each in properties.items():
            if each.required and not each.read_only and name not in seen:
                self.report(place, f"{path}: missing required property '{name}'")

    def _discriminated(self, node: Object, want: Discriminated, path: str, local: Locals) -> None:
        value = node.get(want.discriminator)
        if value is None:
            self.report(node.place, f"{path}: missing required property '{want.discriminator}'")
        elif isinstance(value, Literal):
            element = want.elements.get(str(value.value))
            if element is None:
                self.report(value.place, f"{path}.{want.discriminator}: not one of {list(want.elements)}")
            else:
                properties = {**want.base, **element.properties}
                self.check_members(node, properties, element.other, path, local)

    def _compare(self, place: Place, got: Type, want: Type, path: str) -> None:
        match got, want:
            case ObjectType(), ObjectType():
                self._compare_objects(place, got, want, path)
            case ArrayType(), ArrayType():
                self._compare(place, got.item, want.item, f"{path}[]")
            case Choice(), Choice():
                wrong = [value for value in got.values if value not in want.values]
                if wrong:
                    known = list(want.values[:_SHOWN])
                    self.report(place, f"{path}: {wrong[0]!r} is not one of the known values {known}")
            case _:
                if not alike(got, want):
                    self.report(place, f"{path}: expected {want}, got {got}")

    def _compare_objects(self, place: Place, got: ObjectType, want: ObjectType, path: str) -> None:
        for name, each in got.properties.items():
            known = want.properties.get(name)
            if known is None and want.other is None:
                self.report(place, f"{path}: unknown property '{name}'{hint(name, want.properties)}")
            elif known and known.read_only:
                self.report(place, f"{path}: '{name}' is read-only")
            else:
                inner = known.type if known else want.other
                if inner is not None:
                    self._compare(place, each.type, inner, f"{path}.{name}")
        if got.other is None:
            self._missing(place, want.properties, set(got.properties), path)

    def _limits(self, node: Expression, want: Type, path: str) -> None:
        if not (isinstance(node, Literal) and isinstance(node.value, str) and isinstance(want, Scalar)):
            return
        if want.max_length is not None and len(node.value) > want.max_length:
            self.report(node.place, f"{path}: longer than {want.max_length}")
        if want.min_length is not None and len(node.value) < want.min_length:
            self.report(node.place, f"{path}: shorter than {want.min_length}")
        if want.pattern and not re.search(want.pattern, node.value):
            self.report(node.place, f"{path}: does not match {want.pattern}")
