from collections.abc import Collection
from functools import partial
from http import HTTPMethod

import anyio
import httpx
import pytest

from local.functions_host.errors import SettingError
from local.functions_host.http_server import Admin, HttpApplication
from local.functions_host.keys import Keys, Level
from local.functions_host.protos import RpcHttp, TypedData
from local.functions_host.routes import starlette_paths
from local.functions_host.triggers import HttpTrigger
from local.functions_host.worker import Function


def http_trigger(name: str, template: str, methods: Collection[str] = ()) -> HttpTrigger:
    return HttpTrigger(
        function=Function(name=name, function_id=name, trigger={}, outputs=()),
        paths=starlette_paths(template),
        methods=frozenset(methods),
        level=Level.ANONYMOUS,
    )


def request(
    triggers: Collection[HttpTrigger], method: str, path: str
) -> tuple[httpx.Response, list[tuple[str, RpcHttp]]]:
    """Return the answer to a request, and the calls: which function saw what."""
    calls = []

    async def call(trigger: HttpTrigger, value: TypedData) -> TypedData:
        assert value.http is not None
        calls.append((trigger.function.name, value.http))
        return TypedData(string="done")

    admin = Admin(start_by_hand=lambda _name, _text: False, problem_of=lambda _name: None, drain=lambda: None)
    application = HttpApplication({each.function.name: each for each in triggers}, Keys(), call, admin)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://host") as client:
            return await client.request(method, path)

    return anyio.run(ask), calls


def called(triggers: Collection[HttpTrigger], path: str) -> str | None:
    """Return the name of the function that a GET of a path reaches."""
    _, calls = request(triggers, "GET", path)
    return calls[0][0] if calls else None


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/runs", "/api/runs", {}),
        ("api/runs", "/API/Runs/", {}),
        ("API/Runs", "/api/runs", {}),
        ("api/runs", "/api", None),
        ("api/runs", "/api/runs/1", None),
        ("api/runs", "/api/runs%0A", None),
        ("api/r.ns", "/api/runs", None),
        ("api/{id}", "/api/a%20b", {"id": "a b"}),
        ("api/{id}", "/api/a%2Fb", {"id": "a%2Fb"}),
        ("api/{id}", "/api/a%2fb", {"id": "a%2fb"}),
        ("api/{id}", "/api/%C3%A9%0A", {"id": "é\n"}),
        ("api/{id}", "/api/%zz%FF", {"id": "%zz\N{REPLACEMENT CHARACTER}"}),
        ("api/{id}", "/api//", None),
        ("api/{id:int}", "/api/-7", {"id": "-7"}),
        ("api/{id:int}", "/api/7x", None),
        (
            "api/{id:guid}",
            "/api/00000000-0000-0000-0000-00000000000A",
            {"id": "00000000-0000-0000-0000-00000000000A"},
        ),
        ("api/{id:guid}", "/api/0", None),
        ("api/{id:alpha}/x", "/api/abc/x", {"id": "abc"}),
        ("api/{id:alpha}/x", "/api/ab1/x", None),
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{id:int?}", "/api/x", None),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest}", "/api/a/b", {"rest": "a/b"}),
        ("api/{**rest}", "/api/a%2Fb/%0A", {"rest": "a%2Fb/\n"}),
        ("{a}/{b?}", "/x", {"a": "x"}),
        ("{a}/{b?}/{*c}", "/x/y/z/z", {"a": "x", "b": "y", "c": "z/z"}),
    ],
)
def test_a_template_matches_paths_as_in_asp_net(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    _, calls = request([http_trigger("f", template)], "GET", path)
    assert (calls[0][1].params if calls else None) == parameters


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("", "'' is no route segment this host knows, which are: a text, {name},"),
        ("/x", "'' is no route segment"),
        ("x//y", "'' is no route segment"),
        ("{id:even}", "'{id:even}' is no route segment"),
        ("{id:int:min(1)}", "is no route segment"),
        ("{id=7}", "is no route segment"),
        ("{7}", "is no route segment"),
        ("{a}-{b}", "is no route segment"),
        ("v{n}", "is no route segment"),
        ("{", "is no route segment"),
        ("x*", "is no route segment"),
        ("{*rest:int}", "is no route segment"),
        ("{*rest?}", "is no route segment"),
        ("{*rest}/x", "optional parameters must come after all others, and a catch-all parameter last"),
        ("{*rest}/{a?}", "optional parameters must come after"),
        ("{*rest}/{*more}", "optional parameters must come after"),
        ("{a?}/x", "optional parameters must come after"),
        ("{a}/{a}", "two of its parameters have the same name"),
    ],
)
def test_a_template_that_this_host_does_not_know_is_refused(template: str, problem: str) -> None:
    with pytest.raises(SettingError) as caught:
        starlette_paths(template)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("path", "function"), [("/a/b", "a_parameter"), ("/a/b/c", "b_literals"), ("/z", "c_everything")]
)
def test_of_routes_that_fit_the_one_of_the_first_function_by_name_wins(path: str, function: str) -> None:
    triggers = [
        http_trigger("c_everything", "{*rest}"),
        http_trigger("b_literals", "a/b/{x?}"),
        http_trigger("a_parameter", "a/{x}"),
    ]
    assert called(triggers, path) == function


@pytest.mark.parametrize(
    ("methods", "method", "is_found"),
    [
        ((), "PATCH", True),
        ((), "HEAD", True),
        (("GET",), "GET", True),
        (("GET",), "HEAD", False),
        (("GET",), "POST", False),
        (("GET",), "OPTIONS", False),
        (("POST",), "HEAD", False),
    ],
)
def test_a_route_is_found_for_its_methods_only(methods: tuple[str, ...], method: str, *, is_found: bool) -> None:
    answer, calls = request([http_trigger("f", "x", methods)], method, "/x")
    assert (answer.status_code, bool(calls)) == ((200, True) if is_found else (404, False))


@pytest.mark.parametrize(("method", "path"), [("POST", "/x"), ("GET", "/"), ("GET", "/x/y")])
def test_what_is_not_found_has_an_empty_answer(method: str, path: str) -> None:
    answer, _ = request([http_trigger("f", "x", ("GET",))], method, path)
    assert (answer.status_code, answer.content, answer.headers.get("allow")) == (404, b"", None)


def test_a_method_that_one_function_does_not_take_reaches_the_next_one() -> None:
    triggers = [http_trigger("a", "x", ("GET",)), http_trigger("b", "{any}", ("PUT",))]
    ask = partial(request, triggers, path="/x")
    assert [name for method in (HTTPMethod.GET, HTTPMethod.PUT) for name, _ in ask(method)[1]] == ["a", "b"]


def test_the_function_sees_the_address_with_its_encoding() -> None:
    _, calls = request([http_trigger("f", "{id}")], "GET", "/a%2Fb%20c?d=%2F")
    assert calls[0][1].url == "http://host/a%2Fb%20c?d=%2F"
