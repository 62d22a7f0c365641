"""What a template would deploy, for given parameters: its resources with all expressions worked out.

What only Azure knows (an identity's client ID, say) becomes a readable stand-in, `<id-x.properties.clientId>`.
`uniqueString` and `guid` give stable values, though not Azure's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.check.library import CALLS, UnknownFunctionError
from infra.check.nodes import (
    Access,
    Array,
    Call,
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
    Output,
    Parameter,
    Resource,
    Template,
    Ternary,
    Variable,
)
from infra.check.parse import read_template
from infra.check.planned import Deployment, Plan, Planned, Properties, Stand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.check.planned import Value

type Locals = Mapping[str, Value]


def plan(
    path: Path,
    parameters: Mapping[str, Value] | None = None,
    where: Deployment | None = None,
    texts: Mapping[Path, str] | None = None,
) -> Plan:
    """Work out a template; `texts` stand in for what is in some of the files.

    Raises BicepSyntaxError, KeyError for a parameter without value, UnknownFunctionError.
    """
    result = Plan()
    template = read_template(path, (texts or {}).get(path))
    evaluation = _Evaluation(template, parameters or {}, where or Deployment(), texts or {}, result)
    result.outputs = evaluation.run()
    return result


class _Evaluation:
    """The evaluation of one template."""

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, Value],
        where: Deployment,
        texts: Mapping[Path, str],
        plan: Plan,
    ) -> None:
        self.template = template
        self.where = where
        self._given = parameters
        self._texts = texts
        self._plan = plan
        self._names = {each.name: each for each in template.declarations if not isinstance(each, Output)}
        self._values: dict[str, Value] = {}
        self._nested: dict[tuple[str, ...], Planned] = {}

    def run(self) -> dict[str, Value]:
        for each in self.template.declarations:
            if isinstance(each, Resource | Module):
                self._name(each.name)
        return {each.name: self.value(each.value, {}) for each in self.template.of_kind(Output)}

    def _name(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._declared(name)
        return self._values[name]

    def _declared(self, name: str) -> Value:
        found = self._names[name]
        match found:
            case Parameter():
                if name in self._given:
                    return self._given[name]
                if found.default is None:
                    raise KeyError(f"{self.template.path}: parameter {name} has no value")
                return self.value(found.default, {})
            case Variable():
                return self.value(found.value, {})
            case Resource() | Module():
                return self._deployable(found, found.value, {})
            case _:
                raise TypeError(f"{type(found).__name__} has no value")

    def _deployable(self, found: Resource | Module, node: Expression, local: Locals) -> Value:
        match node:
            case For():
                return [self._deployable(found, node.body, inner) for inner in self._rounds(node, local)]
            case If():
                wanted = self.value(node.condition, local)
                return self._deployable(found, node.body, local) if wanted else None
            case Object() if isinstance(found, Module):
                return self._module(found, node, local)
            case Object() if isinstance(found, Resource):
                return self._resource(found, node, local, None)
            case _:
                raise TypeError(f"{found.name} has no body")

    def _resource(self, found: Resource, node: Object, local: Locals, inside: Planned | None) -> Planned:
        meta = {"parent", "dependsOn", "scope"}
        parent = node.get("parent")
        above = self.value(parent, local) if parent else inside
        body = {
            self._key(each.key, local): self.value(each.value, local)
            for each in node.members
            if each.key not in meta
        }
        kind = f"{inside.type}/{found.type}" if inside else found.type
        scope = node.get("scope")
        planned = Planned(
            type=kind,
            version=found.version or (inside.version if inside else ""),
            name=str(body["name"]),
            id=self._id(kind, str(body["name"]), above, self.value(scope, local) if scope else None),
            body=body,
            existing=found.existing,
            path=str(self.template.path),
        )
        self._plan.resources.append(planned)
        for inner in node.resources:
            self._nested[planned.id, inner.name] = self._resource(inner, inner.body, local, planned)
        return planned

    def _id(self, kind: str, name: str, above: Planned | None, scope: Planned | None) -> str:
        if above is not None:
            return f"{above.id}/{kind.rpartition('/')[2]}/{name}"
        return f"{scope.id if scope else self.where.id}/providers/{kind}/{name}"

    def _module(self, found: Module, node: Object, local: Locals) -> dict[str, Value]:
        path = self.template.path.parent / found.file
        scope = node.get("scope")
        inner = _Evaluation(
            read_template(path, self._texts.get(path)),
            self.value(node.get("params") or Object(members=()), local),
            self.value(scope, local) if scope else self.where,
            self._texts,
            self._plan,
        )
        return {"name": found.name, "outputs": inner.run()}

    def _key(self, key: str | Interpolated, local: Locals) -> str:
        return key if isinstance(key, str) else str(self.value(key, local))

    def _rounds(self, node: For, local: Locals) -> list[Locals]:
        over = self.value(node.over, local)
        return [
            {**local, **dict(zip(node.variables, (item, index), strict=False))} for index, item in enumerate(over)
        ]

    def value(self, node: Expression, local: Locals) -> Value:
        """The value of an expression."""
        match node:
            case Literal():
                return node.value
            case Interpolated():
                return "".join(
                    part if isinstance(part, str) else _text(self.value(part, local)) for part in node.parts
                )
            case Name():
                return local[node.name] if node.name in local else self._name(node.name)
            case Object():
                return {self._key(each.key, local): self.value(each.value, local) for each in node.members}
            case Array():
                return [self.value(item, local) for item in node.items]
            case For():
                return [self.value(node.body, inner) for inner in self._rounds(node, local)]
            case If():
                raise TypeError("a condition outside a resource")
            case _:
                return self._compound(node, local)

    def _compound(self, node: Expression, local: Locals) -> Value:
        match node:
            case Access():
                return _member(self.value(node.of, local), node.name)
            case Nested():
                return self._nested[self.value(node.of, local).id, node.name]
            case Index():
                return self.value(node.of, local)[self.value(node.index, local)]
            case Ternary():
                wanted = self.value(node.condition, local)
                return self.value(node.then if wanted else node.otherwise, local)
            case Operation():
                return self._operation(node, local)
            case Lambda():
                return lambda *values: self.value(
                    node.body, {**local, **dict(zip(node.parameters, values, strict=True))}
                )
            case Call():
                return self._call(node, local)
            case _:
                raise TypeError(f"no value: {node}")

    def _operation(self, node: Operation, local: Locals) -> Value:
        first, *rest = node.operands
        left = self.value(first, local)
        match node.operator, rest:
            case "!", []:
                return not left
            case "-", []:
                return -left
            case "&&", [second]:
                return left and self.value(second, local)
            case "||", [second]:
                return left or self.value(second, local)
            case "??", [second]:
                return self.value(second, local) if left is None else left
            case operator, [second]:
                return _binary(operator, left, self.value(second, local))
            case _:
                raise TypeError(f"operator {node.operator}")

    def _call(self, node: Call, local: Locals) -> Value:
        arguments = [self.value(argument, local) for argument in node.arguments]
        if node.function == "resourceGroup":
            return _group(self.where, arguments)
        if node.function == "subscription":
            return {"id": f"/subscriptions/{self.where.subscription}", "subscriptionId": self.where.subscription}
        if node.function in {"loadJsonContent", "loadTextContent"}:
            arguments = [(self.template.path.parent / arguments[0]).read_text()]
        if node.function in {"resourceId", "subscriptionResourceId"}:
            below = f"/subscriptions/{self.where.subscription}"
            arguments = [self.where.id if node.function == "resourceId" else below, *arguments]
        if node.function not in CALLS:
            raise UnknownFunctionError(node.function)
        return CALLS[node.function](*arguments)


def _group(where: Deployment, arguments: list[str]) -> Value:
    """`resourceGroup()` is the group's own facts; with arguments, or as a scope, it is a place."""
    match arguments:
        case []:
            return {"id": where.id, "name": where.group, "location": "northeurope", "tags": {}}
        case [group]:
            return Deployment(subscription=where.subscription, group=group)
        case _:
            return Deployment(subscription=arguments[0], group=arguments[1])


def _member(of: Value, name: str) -> Value:
    match of:
        case Stand():
            return of.member(name)
        case Planned() | Properties():
            return of.access(name)
        case dict():
            return of[name]
        case _:
            raise TypeError(f"{of!r} has no {name}")


def _binary(operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case ">":
            return left > right
        case "<":
            return left < right
        case ">=":
            return left >= right
        case "<=":
            return left <= right
        case "+":
            return left + right
        case "-":
            return left - right
        case _:
            raise TypeError(f"operator {operator}")


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
