"""Fails when azure-functions-runtime, whose inside is no public interface, is no longer what the host expects."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import azure_functions_runtime as library
import pytest

from local.functions_host import protos

# Made only when a placeholder is turned into an app, which this host never does.
NOT_NEEDED = {"FunctionEnvironmentReloadResponse"}


def trees() -> Iterator[ast.AST]:
    for path in Path(library.__file__).parent.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text()))


def chain(node: ast.AST) -> list[str]:
    """Return a.b.c as a list, or nothing when it does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    before = chain(node.value) if isinstance(node, ast.Attribute) else []
    return [*before, node.attr] if before and isinstance(node, ast.Attribute) else []


def message_names() -> set[tuple[str, ...]]:
    names = (chain(node) for node in trees() if isinstance(node, ast.Attribute))
    return {tuple(name[1:]) for name in names if name[:1] == ["protos"]}


def made_messages() -> set[tuple[str, tuple[str, ...]]]:
    calls = ((chain(node.func), node) for node in trees() if isinstance(node, ast.Call))
    return {
        (name[1], tuple(keyword.arg or "" for keyword in call.keywords))
        for name, call in calls
        if name[:1] == ["protos"] and name[1] not in NOT_NEEDED
    }


@pytest.mark.parametrize(
    "name",
    ["worker_init_request", "functions_metadata_request", "function_load_request", "invocation_request"],
)
def test_the_library_has_a_handler_for_each_request(name: str) -> None:
    handler = getattr(library, name)
    assert inspect.iscoroutinefunction(handler)
    assert list(inspect.signature(handler).parameters) == ["request"]


@pytest.mark.parametrize("name", ["start_threadpool_executor", "stop_threadpool_executor"])
def test_the_threads_of_the_library_can_be_started_and_stopped(name: str) -> None:
    assert not inspect.signature(getattr(library, name)).parameters


def test_every_message_the_library_refers_to_exists() -> None:
    names = {name for name in message_names() if name[0] not in NOT_NEEDED}
    assert len(names) > 20
    for name in names:
        found: object = protos
        for part in name:
            found = getattr(found, part)


def test_every_field_the_library_sets_exists() -> None:
    made = made_messages()
    assert len(made) > 15
    unknown = {
        (name, field) for name, fields in made for field in fields if field not in vars(protos)[name]().__dict__
    }
    assert unknown == set()


def test_the_values_of_same_site_that_the_library_looks_up_exist() -> None:
    assert isinstance(protos.RpcHttpCookie.SameSite, SimpleNamespace)
    assert set(vars(protos.RpcHttpCookie.SameSite)) == {"None", "Lax", "Strict", "ExplicitNone"}
