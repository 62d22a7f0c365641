"""Checks one Bicep file, and the modules it calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.check.arguments import check_argument
from infra.check.assignment import Assignment
from infra.check.azure_types import (
    ANY,
    STRING,
    ArrayType,
    Deployed,
    ObjectType,
    Property,
    ResourceTypes,
    Type,
    named_type,
)
from infra.check.functions import DECORATES, DECORATORS, PARAMETER_DEFAULT_ONLY
from infra.check.inference import Inference
from infra.check.nodes import (
    Array,
    Call,
    Declaration,
    Deployable,
    Expression,
    Literal,
    Module,
    Object,
    Output,
    Parameter,
    Place,
    Problem,
    Resource,
    Template,
    Variable,
    children,
)
from infra.check.parse import BicepSyntaxError, read_template
from infra.check.references import names_in, reaches, uses
from infra.check.unify import hint

if TYPE_CHECKING:
    from pathlib import Path

    from infra.check.inference import Locals

_META = ("parent", "scope", "dependsOn")
_OWN_SCOPE = ("resourceGroup", "subscription", "tenant", "managementGroup")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A resource with its full type, wherever in the file it is declared."""

    resource: Resource
    type: str
    version: str
    inside: Resource | None


class TemplateCheck:
    """The check of one file; `problems` fills while it runs."""

    def __init__(self, template: Template, types: ResourceTypes) -> None:
        self.template = template
        self.problems: set[Problem] = set()
        self._types = types
        self._names: dict[str, Declaration] = {}
        self._placed: dict[int, Placed] = {}
        self._modules: dict[str, Template | None] = {}
        self._referred: set[int] = set()
        self._inference = Inference(
            folder=template.path.parent, names=self._names, deployed=self._deployed, report=self.report
        )
        self._assignment = Assignment(self._inference, self.report)

    def report(self, place: Place, message: str) -> None:
        """Note a problem."""
        self.problems.add(Problem(str(self.template.path), place.line, place.column, message))

    def run(self) -> list[Problem]:
        """Check everything in the file; problems in order."""
        for declaration in self.template.declarations:
            self._declare(declaration)
        for declaration in self.template.declarations:
            self._decorators(declaration)
            self._declaration(declaration)
        self._unused()
        self._cycles()
        return sorted(self.problems)

    def _declare(self, declaration: Declaration) -> None:
        if isinstance(declaration, Resource):
            self._place(declaration, None)
        if isinstance(declaration, Output):
            return
        if declaration.name in self._names:
            self.report(declaration.place, f"'{declaration.name}' is declared twice")
        self._names[declaration.name] = declaration

    def _place(self, resource: Resource, inside: Placed | None) -> None:
        placed = Placed(
            resource=resource,
            type=f"{inside.type}/{resource.type}" if inside else resource.type,
            version=resource.version or (inside.version if inside else ""),
            inside=inside.resource if inside else None,
        )
        self._placed[id(resource)] = placed
        for inner in resource.body.resources:
            self._place(inner, placed)

    def _deployed(self, found: Resource | Module) -> Deployed:
        conditional = found.condition is not None
        if isinstance(found, Module):
            return Deployed("module", found.file, self._outputs(found), conditional)
        placed = self._placed[id(found)]
        self._referred.add(id(found))
        body = self._types.find(placed.type, placed.version)
        return Deployed("resource", placed.type, body or ANY, conditional)

    def _outputs(self, module: Module) -> Type:
        template = self._module(module)
        if template is None:
            return ANY
        outputs = {each.name: Property(named_type(each.type)) for each in template.of_kind(Output)}
        return ObjectType(module.file, {"outputs": Property(ObjectType(module.file, outputs))})

    def _module(self, module: Module) -> Template | None:
        if module.file not in self._modules:
            path = self.template.path.parent / module.file
            self._modules[module.file] = _read_or_none(path)
        return self._modules[module.file]

    def _declaration(self, declaration: Declaration) -> None:
        match declaration:
            case Parameter():
                self._parameter(declaration)
            case Variable():
                self._inference.type_of(declaration.value, {})
                self._forbid(declaration.value)
            case Output():
                want = named_type(declaration.type)
                self._assignment.check(declaration.value, want, f"output {declaration.name}", {})
                self._secrets(declaration)
            case Resource():
                self._resource(declaration)
            case Module():
                self._call_module(declaration)
            case _:
                pass

    def _decorators(self, declaration: Declaration) -> None:
        for call in declaration.decorators:
            wanted = DECORATORS.get(call.function)
            if wanted is None:
                self.report(call.place, f"unknown decorator '{call.function}'{hint(call.function, DECORATORS)}")
                continue
            if len(wanted) != len(call.arguments):
                self.report(call.place, f"@{call.function}() takes {len(wanted)} argument")
            for argument, want in zip(call.arguments, wanted, strict=False):
                self._assignment.check(argument, want, f"@{call.function}()", {})
            above = DECORATES.get(call.function)
            if above and not (isinstance(declaration, Parameter | Output) and declaration.type in above):
                self.report(call.place, f"@{call.function}() does not go with '{declaration.name}'")

    def _parameter(self, parameter: Parameter) -> None:
        if parameter.default is None:
            return
        path = f"param {parameter.name}"
        check_argument(self._assignment, parameter, parameter.default, path, {})
        if parameter.decorator("secure") and isinstance(parameter.default, Literal) and parameter.default.value:
            self.report(parameter.place, f"{path}: a secret has no default")

    def _forbid(self, node: Expression) -> None:
        if isinstance(node, Call) and node.function in PARAMETER_DEFAULT_ONLY:
            self.report(node.place, f"{node.function}() belongs in the default of a parameter")
        for child in children(node):
            self._forbid(child)

    def _secrets(self, output: Output) -> None:
        for name in names_in(output.value):
            found = self._names.get(name)
            if isinstance(found, Parameter) and found.decorator("secure"):
                self.report(output.place, f"output {output.name}: '{name}' is a secret")

    def _locals(self, declaration: Deployable) -> Locals:
        if declaration.condition is not None:
            inside = self._inference.loop_locals(declaration.loop, {}) if declaration.loop else {}
            kind = self._inference.type_of(declaration.condition, inside)
            if str(kind) not in {"bool", "any"}:
                self.report(declaration.condition.place, f"a condition must be bool, not {kind}")
        return self._inference.loop_locals(declaration.loop, {}) if declaration.loop else {}

    def _resource(self, resource: Resource) -> None:
        placed = self._placed[id(resource)]
        local = self._locals(resource)
        body = self._types.find(placed.type, placed.version)
        if body is None:
            self._unknown_type(placed)
        self._forbid(resource.value)
        self._family(placed)
        self._meta(resource, local)
        own = Object(
            members=tuple(each for each in resource.body.members if each.key not in _META),
            place=resource.body.place,
        )
        if resource.existing:
            self._existing(own, local)
        elif body is not None:
            self._assignment.check(own, body, placed.type, local)
        for inner in resource.body.resources:
            self._resource(inner)

    def _unknown_type(self, placed: Placed) -> None:
        versions = self._types.versions(placed.type)
        if versions:
            message = f"'{placed.type}' has no version {placed.version!r}, known are {', '.join(versions)}"
        else:
            known = dict.fromkeys(self._types.names())
            message = f"unknown resource type '{placed.type}'{hint(placed.type.lower(), known)}"
        self.report(placed.resource.place, message)

    def _existing(self, own: Object, local: Locals) -> None:
        for member in own.members:
            if member.key != "name":
                self.report(member.place, f"'{member.key}' cannot be set on an existing resource")
            self._assignment.check(member.value, STRING, "name", local)
        if own.get("name") is None:
            self.report(own.place, "missing required property 'name'")

    def _family(self, placed: Placed) -> None:
        """A child names its parent, and a parent of the right type."""
        parent = placed.resource.body.get("parent")
        depth = placed.type.count("/")
        if parent is None:
            if depth > 1 and placed.inside is None:
                self.report(placed.resource.place, f"'{placed.type}' needs a parent")
            return
        found = self._inference.find_resource(parent)
        if found is None:
            self.report(parent.place, "parent: not a resource")
            return
        expected = placed.type.rpartition("/")[0]
        if self._placed[id(found)].type.lower() != expected.lower():
            self.report(parent.place, f"parent: must be a '{expected}', not a '{self._placed[id(found)].type}'")

    def _meta(self, resource: Resource, local: Locals) -> None:
        for name in ("parent", "scope"):
            value = resource.body.get(name)
            if value is None:
                continue
            kind = self._inference.type_of(value, local)
            if not isinstance(kind, Deployed) and not _is_scope(value):
                self.report(value.place, f"{name}: must be a resource, not {kind}")
        self._depends_on(resource)

    def _depends_on(self, declaration: Deployable) -> None:
        value = declaration.body.get("dependsOn")
        if value is None:
            return
        if not isinstance(value, Array):
            self.report(value.place, "dependsOn: expected array")
            return
        for item in value.items:
            kind = self._inference.type_of(item, {})
            inner = kind.item if isinstance(kind, ArrayType) else kind
            if not isinstance(inner, Deployed):
                self.report(item.place, f"dependsOn: must be a resource or module, not {kind}")

    def _call_module(self, module: Module) -> None:
        local = self._locals(module)
        self._forbid(module.value)
        self._depends_on(module)
        template = self._module(module)
        if template is None:
            self.report(module.place, f"no readable module at '{module.file}'")
        scope = module.body.get("scope")
        if scope is not None:
            self._inference.type_of(scope, local)
            if not _is_scope(scope):
                self.report(scope.place, "scope: must be resourceGroup(), subscription() or the like")
        for member in module.body.members:
            if member.key not in {"name", "scope", "dependsOn", "params"}:
                self.report(member.place, f"a module takes no '{member.key}'")
        name = module.body.get("name")
        if name is not None:
            self._assignment.check(name, STRING, "name", local)
        if template is not None:
            self._arguments(module, template, local)

    def _arguments(self, module: Module, template: Template, local: Locals) -> None:
        given = module.body.get("params") or Object(members=(), place=module.place)
        if not isinstance(given, Object):
            self.report(given.place, "params: expected object")
            return
        parameters = {each.name: each for each in template.of_kind(Parameter)}
        wanted = {
            each.name: Property(ANY, required=each.default is None and not each.type.endswith("?"))
            for each in parameters.values()
        }
        self._assignment.check_members(given, wanted, None, module.file, local)
        for member in given.members:
            if isinstance(member.key, str) and member.key in parameters:
                path = f"{module.file}: {member.key}"
                check_argument(self._assignment, parameters[member.key], member.value, path, local)
                self._secure_argument(parameters[member.key], member.value)

    def _secure_argument(self, parameter: Parameter, value: Expression) -> None:
        """A secret stays one on its way into a module."""
        for name in names_in(value):
            found = self._names.get(name)
            is_secret = isinstance(found, Parameter) and found.decorator("secure")
            if is_secret and not parameter.decorator("secure"):
                self.report(value.place, f"'{name}' is a secret, '{parameter.name}' of the module is not")

    def _unused(self) -> None:
        for name, declaration in self._names.items():
            existing = isinstance(declaration, Resource) and declaration.existing
            if name in self._inference.used or not (isinstance(declaration, Parameter | Variable) or existing):
                continue
            self.report(declaration.place, f"'{name}' is not used")
        for placed in self._placed.values():
            inner = placed.resource
            if placed.inside and inner.existing and id(inner) not in self._referred:
                self.report(inner.place, f"'{inner.name}' is not used")

    def _cycles(self) -> None:
        edges = {name: set(uses(each)) & self._names.keys() for name, each in self._names.items()}
        for name in edges:
            if reaches(edges, name, name):
                self.report(self._names[name].place, f"'{name}' depends on itself")


def _is_scope(node: Expression) -> bool:
    return isinstance(node, Call) and node.function in _OWN_SCOPE


def _read_or_none(path: Path) -> Template | None:
    try:
        return read_template(path)
    except (OSError, BicepSyntaxError):
        return None


def check_file(path: Path, types: ResourceTypes, text: str | None = None) -> list[Problem]:
    """Problems of one file; `text` stands in for what is in it."""
    try:
        template = read_template(path, text)
    except BicepSyntaxError as error:
        return error.problems
    except OSError as error:
        return [Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]
    return TemplateCheck(template, types).run()


def files_of(path: Path) -> list[Path]:
    """The file and, in the order they are met, all modules it calls."""
    found: list[Path] = []
    todo = [path]
    while todo:
        each = todo.pop(0)
        if each in found:
            continue
        found.append(each)
        template = _read_or_none(each)
        if template is not None:
            todo.extend((each.parent / module.file) for module in template.of_kind(Module))
    return found
