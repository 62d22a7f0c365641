"""From the text of a Bicep file to its nodes, by the tree-sitter grammar.

Not read, because the grammar cannot: spread (`...x`), `resourceInput<>`, `extension`, `.bicepparam`. Not read,
because the project has no use for them: user-defined types and functions, imports, `assert`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tree_sitter
import tree_sitter_bicep

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
    Member,
    Module,
    Name,
    Nested,
    Object,
    Operation,
    Output,
    Parameter,
    Place,
    Problem,
    Resource,
    Template,
    Ternary,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_POSTFIX = {"member_expression", "subscript_expression"}
_OPERATIONS = {"binary_expression", "unary_expression"}
_SHOWN = 40


class BicepSyntaxError(Exception):
    """The file is not Bicep, or Bicep this tool does not read; `problems` says where."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read_template(path: Path, text: str | None = None) -> Template:
    """Parse a file, or `text` as if it stood in that file. Raises BicepSyntaxError."""
    root = _PARSER.parse((path.read_text() if text is None else text).encode()).root_node
    problems = [_problem(path, node) for node in _broken(root)]
    if problems:
        raise BicepSyntaxError(problems)
    try:
        return _template(path, root)
    except _UnsupportedError as error:
        raise BicepSyntaxError([error.problem(path)]) from None


class _UnsupportedError(Exception):
    def __init__(self, node: tree_sitter.Node) -> None:
        super().__init__(node.type)
        self.node = node

    def problem(self, path: Path) -> Problem:
        place = _place(self.node)
        return Problem(str(path), place.line, place.column, f"this tool does not read '{self.node.type}'")


def _broken(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _broken(child)


def _problem(path: Path, node: tree_sitter.Node) -> Problem:
    place = _place(node)
    near = _text(node).split("\n")[0][:_SHOWN]
    return Problem(str(path), place.line, place.column, f"syntax error near {near!r}")


def _place(node: tree_sitter.Node) -> Place:
    return Place(node.start_point[0] + 1, node.start_point[1] + 1)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def _parts(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _template(path: Path, root: tree_sitter.Node) -> Template:
    scope = "resourceGroup"
    declarations: list[Declaration] = []
    decorators: tuple[Call, ...] = ()
    for node in _parts(root):
        if node.type == "decorators":
            decorators = tuple(_decorator(child) for child in _parts(node))
        elif node.type == "target_scope_assignment":
            scope = _plain_string(_parts(node)[0])
        elif node.type != "metadata_declaration":
            declarations.append(_declaration(node, decorators))
            decorators = ()
    return Template(path=path, target_scope=scope, declarations=tuple(declarations))


def _decorator(node: tree_sitter.Node) -> Call:
    call = _expression(_parts(node)[0])
    if not isinstance(call, Call):
        raise _UnsupportedError(node)
    return call


def _declaration(node: tree_sitter.Node, decorators: tuple[Call, ...]) -> Declaration:
    name, *rest = _parts(node)
    text, place = _text(name), _place(name)
    match node.type:
        case "parameter_declaration":
            default = _expression(rest[1]) if len(rest) > 1 else None
            return Parameter(name=text, type=_text(rest[0]), default=default, decorators=decorators, place=place)
        case "variable_declaration":
            return Variable(name=text, value=_expression(rest[0]), decorators=decorators, place=place)
        case "output_declaration":
            value = _expression(rest[1])
            return Output(name=text, type=_text(rest[0]), value=value, decorators=decorators, place=place)
        case "resource_declaration":
            return _resource(node, decorators)
        case "module_declaration":
            file = _plain_string(rest[0])
            value = _expression(rest[1])
            return Module(name=text, file=file, value=value, decorators=decorators, place=place)
        case _:
            raise _UnsupportedError(node)


def _resource(node: tree_sitter.Node, decorators: tuple[Call, ...] = ()) -> Resource:
    name, spec, body = _parts(node)
    kind, _, version = _plain_string(spec).partition("@")
    return Resource(
        name=_text(name),
        type=kind,
        version=version,
        existing=any(child.type == "existing" for child in node.children),
        value=_expression(body),
        decorators=decorators,
        place=_place(name),
    )


def _plain_string(node: tree_sitter.Node) -> str:
    value = _string(node)
    if not isinstance(value, Literal) or not isinstance(value.value, str):
        raise _UnsupportedError(node)
    return value.value


def _string(node: tree_sitter.Node) -> Literal | Interpolated:
    parts: list[str | Expression] = []
    for child in node.named_children:
        if child.type == "interpolation":
            parts.append(_expression(_parts(child)[0]))
            continue
        text = _unescape(_text(child)) if child.type == "escape_sequence" else _text(child)
        if parts and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(text)
    if all(isinstance(part, str) for part in parts):
        return Literal(value="".join(map(str, parts)), place=_place(node))
    return Interpolated(parts=tuple(parts), place=_place(node))


def _unescape(sequence: str) -> str:
    if point := re.fullmatch(r"\\u\{([0-9A-Fa-f]+)\}", sequence):
        return chr(int(point.group(1), 16))
    return _ESCAPES.get(sequence[1], sequence[1:])


def _object(node: tree_sitter.Node) -> Object:
    members: list[Member] = []
    resources: list[Resource] = []
    for child in _parts(node):
        if child.type != "object_property":
            raise _UnsupportedError(child)
        key, *value = _parts(child)
        if key.type == "resource_declaration":
            resources.append(_resource(key))
        else:
            members.append(Member(key=_key(key), value=_expression(value[0]), place=_place(key)))
    return Object(members=tuple(members), resources=tuple(resources), place=_place(node))


def _key(node: tree_sitter.Node) -> str | Interpolated:
    if node.type != "string":
        return _text(node)
    key = _string(node)
    return str(key.value) if isinstance(key, Literal) else key


def _expression(node: tree_sitter.Node) -> Expression:
    place = _place(node)
    match node.type:
        case "string":
            return _string(node)
        case "number":
            return Literal(value=int(_text(node)), place=place)
        case "boolean":
            return Literal(value=_text(node) == "true", place=place)
        case "null":
            return Literal(value=None, place=place)
        case "identifier":
            return Name(name=_text(node), place=place)
        case "object":
            return _object(node)
        case "array":
            return Array(items=tuple(map(_expression, _parts(node))), place=place)
        case "parenthesized_expression":
            return _expression(_parts(node)[0])
        case _:
            return _compound(node)


def _compound(node: tree_sitter.Node) -> Expression:
    place, parts = _place(node), _parts(node)
    match node.type:
        case "member_expression" | "subscript_expression":
            return _postfix(node)
        case "resource_expression":
            return Nested(of=_expression(parts[0]), name=_text(parts[1]), place=_place(parts[1]))
        case "call_expression":
            return _call(node)
        case "ternary_expression":
            condition, then, otherwise = map(_expression, parts)
            return Ternary(condition=condition, then=then, otherwise=otherwise, place=place)
        case "binary_expression" | "unary_expression":
            return Operation(operator=_operator(node), operands=tuple(map(_expression, parts)), place=place)
        case "lambda_expression":
            names = _parts(parts[0]) if parts[0].type == "parenthesized_expression" else [parts[0]]
            return Lambda(parameters=tuple(map(_text, names)), body=_expression(parts[1]), place=place)
        case "for_statement":
            names = _parts(parts[0]) if parts[0].type == "for_loop_parameters" else [parts[0]]
            over, body = map(_expression, parts[1:])
            return For(variables=tuple(map(_text, names)), over=over, body=body, place=place)
        case "if_statement":
            return If(condition=_expression(parts[0]), body=_expression(parts[1]), place=place)
        case _:
            raise _UnsupportedError(node)


def _postfix(node: tree_sitter.Node) -> Expression:
    """`of.name` or `of[index]`, and whatever such accesses `of` ends with."""
    chain = [node]
    while (base := _parts(chain[-1])[0]).type in _POSTFIX:
        chain.append(base)
    return _bind(base, chain[::-1])


def _bind(base: tree_sitter.Node, chain: list[tree_sitter.Node]) -> Expression:
    """Apply the accesses of `chain`, innermost first.

    The grammar binds them too loosely: `a ? b : c.d` comes as `(a ? b : c).d`. So where `base` is an operator
    without parentheses, they belong to its last operand.
    """
    place = _place(base)
    if base.type == "ternary_expression":
        condition, then, last = _parts(base)
        return Ternary(
            condition=_expression(condition),
            then=_expression(then),
            otherwise=_bind(last, chain),
            place=place,
        )
    if base.type in _OPERATIONS:
        *first, last = _parts(base)
        operands = (*map(_expression, first), _bind(last, chain))
        return Operation(operator=_operator(base), operands=operands, place=place)
    value = _expression(base)
    for node in chain:
        value = _access(node, value)
    return value


def _operator(node: tree_sitter.Node) -> str:
    return next(child.type for child in node.children if not child.is_named)


def _access(node: tree_sitter.Node, of: Expression) -> Expression:
    last = _parts(node)[-1]
    signs = {child.type for child in node.children if not child.is_named}
    if node.type == "subscript_expression":
        return Index(of=of, index=_expression(last), place=_place(node))
    return Access(of=of, name=_text(last), safe=".?" in signs, asserted="!" in signs, place=_place(last))


def _call(node: tree_sitter.Node) -> Expression:
    function, arguments = _parts(node)
    if function.type == "member_expression":  # az.resourceGroup() is resourceGroup()
        space, function = _parts(function)
        if _text(space) not in {"az", "sys"}:
            raise _UnsupportedError(node)
    if function.type not in {"identifier", "property_identifier"}:
        raise _UnsupportedError(node)
    values = tuple(map(_expression, _parts(arguments)))
    return Call(function=_text(function), arguments=values, place=_place(function))
