"""What type an expression has; names, members and functions that do not exist are reported on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.check.azure_types import (
    ANY,
    BOOL,
    INT,
    NULL,
    STRING,
    AnyType,
    ArrayType,
    Choice,
    Deployed,
    ObjectType,
    Property,
    Scalar,
    Type,
    named_type,
)
from infra.check.functions import FUNCTIONS, type_of_json
from infra.check.nodes import (
    Access,
    Array,
    Call,
    Declaration,
    Expression,
    For,
    If,
    Index,
    Interpolated,
    Lambda,
    Literal,
    Module,
    Name,
    Nested,
    Object,
    Operation,
    Parameter,
    Place,
    Resource,
    Ternary,
    Variable,
    children,
)
from infra.check.unify import alike, common, hint, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

type Locals = Mapping[str, Type]
type Report = Callable[[Place, str], None]

_BOOLEAN = {"==", "!=", "<", ">", "<=", ">=", "=~", "!~", "&&", "||", "!"}
_OF_EVERY_RESOURCE = {name: Property(STRING) for name in ("id", "name", "type", "apiVersion")}
_KNOWN_BEFORE_DEPLOYMENT = frozenset({"id", "name", "type", "apiVersion"})


class Inference:
    """Infers types in one file; `deployed` gives the type of a resource or module."""

    def __init__(
        self,
        *,
        folder: Path,
        names: Mapping[str, Declaration],
        deployed: Callable[[Resource | Module], Deployed],
        report: Report,
    ) -> None:
        self._folder = folder
        self._names = names
        self._deployed = deployed
        self._report = report
        self._known: dict[str, Type] = {}
        self._busy: set[str] = set()
        self.used: set[str] = set()
        """Names that something refers to."""

    def type_of(self, node: Expression, local: Locals) -> Type:
        """Type of an expression among the local variables of loops and lambdas."""
        match node:
            case Literal():
                return _literal(node)
            case Interpolated():
                return self._interpolated(node, local)
            case Name():
                return self._name(node, local)
            case Object():
                return self._object(node, local)
            case Array():
                types = [self.type_of(item, local) for item in node.items]
                return ArrayType(common(types))
            case Access():
                return self._access(node, local)
            case Nested():
                return self._nested(node, local)
            case Index():
                return self._index(node, local)
            case Call():
                return self._call(node, local)
            case Ternary():
                self._expect_bool(node.condition, local)
                return common([self.type_of(node.then, local), self.type_of(node.otherwise, local)])
            case Operation():
                return self._operation(node, local)
            case Lambda():
                return self.type_of(node.body, {**local, **dict.fromkeys(node.parameters, ANY)})
            case For():
                return ArrayType(self.type_of(node.body, self.loop_locals(node, local)))
            case If():
                return self.type_of(node.body, local)

    def loop_locals(self, node: For, local: Locals) -> Locals:
        """The local variables inside a loop."""
        over = self.type_of(node.over, local)
        if not isinstance(over, ArrayType | AnyType):
            self._report(node.over.place, f"a loop needs an array, not {over}")
        item = over.item if isinstance(over, ArrayType) else ANY
        return {**local, **dict(zip(node.variables, (item, INT), strict=False))}

    def find_resource(self, node: Expression) -> Resource | None:
        """The declaration of the resource that an expression refers to; None when it is not one."""
        match node:
            case Name():
                found = self._names.get(node.name)
                return found if isinstance(found, Resource) else None
            case Nested():
                outer = self.find_resource(node.of)
                inside = outer.body.resources if outer else ()
                return next((inner for inner in inside if inner.name == node.name), None)
            case Index():
                return self.find_resource(node.of)
            case _:
                return None

    def _name(self, node: Name, local: Locals) -> Type:
        if node.name in local:
            return local[node.name]
        found = self._names.get(node.name)
        if found is None:
            self._report(node.place, f"undefined symbol '{node.name}'{hint(node.name, self._names)}")
            return ANY
        self.used.add(node.name)
        return self._declared(found)

    def _declared(self, found: Declaration) -> Type:
        name = found.name
        if name not in self._known and name not in self._busy:
            self._busy.add(name)
            self._known[name] = self._declared_now(found)
            self._busy.discard(name)
        return self._known.get(name, ANY)

    def _declared_now(self, found: Declaration) -> Type:
        match found:
            case Parameter():
                return self._parameter(found)
            case Variable():
                return self.type_of(found.value, {})
            case Resource() | Module():
                one = self._deployed(found)
                return ArrayType(one) if found.loop else one
            case _:
                return ANY

    def _parameter(self, found: Parameter) -> Type:
        allowed = found.decorator("allowed")
        if allowed and found.type == "string" and allowed.arguments:
            choices = allowed.arguments[0]
            if isinstance(choices, Array):
                return Choice(tuple(str(item.value) for item in choices.items if isinstance(item, Literal)))
        return named_type(found.type)

    def _interpolated(self, node: Interpolated, local: Locals) -> Type:
        for part in children(node):
            if isinstance(self.type_of(part, local), ArrayType | ObjectType | Deployed):
                self._report(part.place, "only strings, numbers and booleans fit into a string")
        return STRING

    def _object(self, node: Object, local: Locals) -> Type:
        built = ObjectType("object")
        for member in node.members:
            kind = self.type_of(member.value, local)
            if isinstance(member.key, str):
                built.properties[member.key] = Property(kind)
            else:
                self.type_of(member.key, local)
                built.other = ANY
        return built

    def _access(self, node: Access, local: Locals) -> Type:
        of = self.type_of(node.of, local)
        if isinstance(of, Deployed):
            return self._deployed_access(node, of)
        return self._property(node.place, of, node.name)

    def _deployed_access(self, node: Access, of: Deployed) -> Type:
        if of.kind == "module" and node.name != "outputs":
            if node.name != "name":
                self._report(node.place, f"a module has no '{node.name}', only outputs")
            return STRING
        if of.conditional and not (node.safe or node.asserted or node.name in _KNOWN_BEFORE_DEPLOYMENT):
            self._report(node.place, f"may not have been deployed: write `!.{node.name}` or `.?{node.name}`")
        if of.kind == "resource" and node.name in _OF_EVERY_RESOURCE:
            return STRING
        return self._property(node.place, of.body, node.name)

    def _property(self, place: Place, of: Type, name: str) -> Type:
        match of:
            case ObjectType():
                found = of.properties.get(name)
                if found:
                    return found.type
                if of.other is None:
                    self._report(place, f"'{of.name}' has no property '{name}'{hint(name, of.properties)}")
                return of.other or ANY
            case Scalar() | Choice() | ArrayType():
                self._report(place, f"{of} has no property '{name}'")
                return ANY
            case _:
                return ANY

    def _nested(self, node: Nested, local: Locals) -> Type:
        self.type_of(node.of, local)
        found = self.find_resource(node)
        if found is None:
            self._report(node.place, f"no resource '{node.name}' inside")
            return ANY
        return self._deployed(found)

    def _index(self, node: Index, local: Locals) -> Type:
        of, index = self.type_of(node.of, local), self.type_of(node.index, local)
        if isinstance(of, ArrayType):
            if not isinstance(index, AnyType) and index != INT:
                self._report(node.index.place, f"an array is indexed by int, not {index}")
            return of.item
        if isinstance(of, ObjectType) and isinstance(node.index, Literal):
            return self._property(node.index.place, of, str(node.index.value))
        if isinstance(of, Scalar | Choice | Deployed):
            self._report(node.place, f"{of} cannot be indexed")
        return ANY

    def _operation(self, node: Operation, local: Locals) -> Type:
        if node.operator in {"!", "&&", "||"}:
            for operand in node.operands:
                self._expect_bool(operand, local)
            return BOOL
        types = [self.type_of(operand, local) for operand in node.operands]
        if node.operator == "??":
            return common(types)
        if node.operator in {"==", "!="}:
            self._compare(node, types)
        return BOOL if node.operator in _BOOLEAN else INT

    def _compare(self, node: Operation, types: list[Type]) -> None:
        left, right = types
        for choice, value in ((left, right), (right, left)):
            if isinstance(choice, Choice) and isinstance(value, Choice) and len(value.values) == 1:
                if value.values[0] not in choice.values:
                    self._report(node.place, f"can never be '{value.values[0]}', only {list(choice.values)}")
                return

    def _expect_bool(self, node: Expression, local: Locals) -> None:
        kind = self.type_of(node, local)
        if not isinstance(kind, AnyType) and kind != BOOL:
            self._report(node.place, f"a condition must be bool, not {kind}")

    def _call(self, node: Call, local: Locals) -> Type:
        signature = FUNCTIONS.get(node.function)
        types = [self.type_of(argument, local) for argument in node.arguments]
        if signature is None:
            self._report(node.place, f"unknown function '{node.function}'{hint(node.function, FUNCTIONS)}")
            return ANY
        most = len(signature.parameters)
        if len(types) < signature.required or (len(types) > most and not signature.variadic):
            self._report(node.place, f"{node.function}() takes {signature.required} to {most} arguments")
        expected = [*signature.parameters, *signature.parameters[-1:] * len(types)]
        for argument, got, want in zip(node.arguments, types, expected, strict=False):
            if not alike(got, want):
                self._report(argument.place, f"{node.function}() takes {want} here, not {got}")
        return self._result(node, types, signature.returns)

    def _result(self, node: Call, types: list[Type], returns: Type) -> Type:
        match node.function, types:
            case "loadJsonContent" | "loadTextContent", _:
                return self._load(node, returns)
            case "concat" | "union", [first, *_]:
                return merged(types) if isinstance(first, ObjectType) else common(types)
            case "items", [ObjectType() as of]:
                values = [each.type for each in of.properties.values()]
                value = common(values) if values and of.other is None else ANY
                return ArrayType(ObjectType("item", {"key": Property(STRING), "value": Property(value)}))
            case "first" | "last", [ArrayType() as array]:
                return array.item
            case "take" | "skip", [ArrayType() as array, *_]:
                return array
            case "take" | "skip", [Scalar() | Choice(), *_]:
                return STRING
            case _:
                return returns

    def _load(self, node: Call, returns: Type) -> Type:
        match node.arguments:
            case (Literal(value=str(name)), *_):
                path = self._folder / name
            case _:
                self._report(node.place, f"{node.function}() needs a literal path")
                return returns
        if not path.is_file():
            self._report(node.place, f"no file '{name}' beside this one")
            return returns
        if node.function == "loadJsonContent":
            return type_of_json(json.loads(path.read_text()), name)
        return STRING


def _literal(node: Literal) -> Type:
    match node.value:
        case None:
            return NULL
        case bool():
            return BOOL
        case int():
            return INT
        case str():
            return Choice((node.value,))
