"""What a Bicep file says, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake, where it is; lines and columns count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}({self.line},{self.column}): {self.message}"


@dataclass(frozen=True)
class Place:
    """Where something stands in a file."""

    line: int
    column: int


NOWHERE = Place(1, 1)


@dataclass(frozen=True, kw_only=True)
class Node:
    """Anything with a place."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Literal(Node):
    """A number, `true`, `false`, `null`, or a string without interpolation."""

    value: str | int | bool | None


@dataclass(frozen=True, kw_only=True)
class Interpolated(Node):
    """A string with `${…}` in it."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, kw_only=True)
class Member(Node):
    """One `key: value` of an object; the key is an expression only when interpolated."""

    key: str | Interpolated
    value: Expression


@dataclass(frozen=True, kw_only=True)
class Object(Node):
    """`{ … }`, with the resources declared inside it."""

    members: tuple[Member, ...]
    resources: tuple[Resource, ...] = ()

    def get(self, key: str) -> Expression | None:
        """Value of the member of that name."""
        return next((member.value for member in self.members if member.key == key), None)


@dataclass(frozen=True, kw_only=True)
class Array(Node):
    """`[ … ]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, kw_only=True)
class Name(Node):
    """A symbol."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Access(Node):
    """`of.name`, `of.?name` (safe), `of!.name` (asserted)."""

    of: Expression
    name: str
    safe: bool = False
    asserted: bool = False


@dataclass(frozen=True, kw_only=True)
class Nested(Node):
    """`of::name`, a resource declared inside another."""

    of: Expression
    name: str


@dataclass(frozen=True, kw_only=True)
class Index(Node):
    """`of[index]`."""

    of: Expression
    index: Expression


@dataclass(frozen=True, kw_only=True)
class Call(Node):
    """`function(arguments)`."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, kw_only=True)
class Ternary(Node):
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, kw_only=True)
class Operation(Node):
    """An operator with one or two operands."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, kw_only=True)
class Lambda(Node):
    """`(a, b) => body`."""

    parameters: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, kw_only=True)
class For(Node):
    """`[for (item, index) in over: body]`."""

    variables: tuple[str, ...]
    over: Expression
    body: Expression


@dataclass(frozen=True, kw_only=True)
class If(Node):
    """`if (condition) body`, of a resource or module."""

    condition: Expression
    body: Expression


type Expression = (
    Literal
    | Interpolated
    | Object
    | Array
    | Name
    | Access
    | Nested
    | Index
    | Call
    | Ternary
    | Operation
    | Lambda
    | For
    | If
)


@dataclass(frozen=True, kw_only=True)
class Declaration(Node):
    """Something with a name; `decorators` are the `@…` above it."""

    name: str
    decorators: tuple[Call, ...] = ()

    def decorator(self, name: str) -> Call | None:
        """The decorator of that name."""
        return next((call for call in self.decorators if call.function == name), None)


@dataclass(frozen=True, kw_only=True)
class Parameter(Declaration):
    """`param name type = default`."""

    type: str
    default: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Variable(Declaration):
    """`var name = value`."""

    value: Expression


@dataclass(frozen=True, kw_only=True)
class Output(Declaration):
    """`output name type = value`."""

    type: str
    value: Expression


@dataclass(frozen=True, kw_only=True)
class Deployable(Declaration):
    """What resources and modules share: a body that may be conditional or repeated."""

    value: Expression

    @property
    def body(self) -> Object:
        """The object inside `for` and `if`."""
        inner = self.value
        while isinstance(inner, For | If):
            inner = inner.body
        return inner if isinstance(inner, Object) else Object(members=(), place=self.place)

    @property
    def loop(self) -> For | None:
        """The loop around it."""
        return self.value if isinstance(self.value, For) else None

    @property
    def condition(self) -> Expression | None:
        """The condition under which it exists."""
        inner = self.value.body if isinstance(self.value, For) else self.value
        return inner.condition if isinstance(inner, If) else None


@dataclass(frozen=True, kw_only=True)
class Resource(Deployable):
    """`resource name 'type@version' = { … }`."""

    type: str
    version: str
    existing: bool = False


@dataclass(frozen=True, kw_only=True)
class Module(Deployable):
    """`module name 'file.bicep' = { … }`."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """One Bicep file."""

    path: Path
    target_scope: str
    declarations: tuple[Declaration, ...]

    def of_kind[D: Declaration](self, kind: type[D]) -> list[D]:
        """Declarations of that kind, in order."""
        return [item for item in self.declarations if isinstance(item, kind)]


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside one; resources declared inside an object are not among them."""
    match node:
        case Interpolated():
            return tuple(part for part in node.parts if not isinstance(part, str))
        case Object():
            keys = tuple(member.key for member in node.members if not isinstance(member.key, str))
            return (*keys, *(member.value for member in node.members))
        case Array():
            return node.items
        case Access() | Nested():
            return (node.of,)
        case Index():
            return (node.of, node.index)
        case Call():
            return node.arguments
        case Ternary():
            return (node.condition, node.then, node.otherwise)
        case Operation():
            return node.operands
        case Lambda():
            return (node.body,)
        case For():
            return (node.over, node.body)
        case If():
            return (node.condition, node.body)
        case _:
            return ()
