import pytest

from local.functions_host.errors import SettingError
from local.functions_host.routes import Route, Template, find_route


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/runs", "/api/runs", {}),
        ("api/runs", "/API/Runs/", {}),
        ("api/runs", "/api", None),
        ("api/runs", "/api/runs/1", None),
        ("api/{id}", "/api/a%20b", {"id": "a b"}),
        ("api/{id}", "/api/a%2Fb", {"id": "a%2Fb"}),
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
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{id:int?}", "/api/x", None),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest}", "/api/a/b", {"rest": "a/b"}),
        ("{a}/{b?}", "/x", {"a": "x"}),
    ],
)
def test_a_template_matches_paths_as_in_asp_net(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    found = find_route([Route(function_name="f", template=Template.parse(template))], "GET", path)
    assert (found and found[1]) == parameters


@pytest.mark.parametrize(
    "template", ["", "/x", "x//y", "{id:even}", "{a}-{b}", "v{n}", "{*rest}/x", "{a?}/x", "{", "x*"]
)
def test_a_template_that_this_host_does_not_know_is_refused(template: str) -> None:
    with pytest.raises(SettingError):
        Template.parse(template)


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/a/b", "literals"),
        ("/a/7", "constrained"),
        ("/a/x", "parameter"),
        ("/a/x/y", "catch-all"),
        ("/z/b", "late literal"),
    ],
)
def test_the_more_particular_route_wins(path: str, function: str) -> None:
    templates = {
        "catch-all": "{*rest}",
        "late literal": "{x}/b",
        "parameter": "a/{x}",
        "constrained": "a/{x:int}",
        "literals": "a/b",
    }
    routes = [Route(function_name=name, template=Template.parse(text)) for name, text in templates.items()]
    found = find_route(routes, "GET", path)
    assert found is not None
    assert found[0].function_name == function


@pytest.mark.parametrize(
    ("methods", "method", "is_found"),
    [
        ((), "PATCH", True),
        (("GET",), "GET", True),
        (("GET",), "HEAD", True),
        (("GET",), "POST", False),
        (("POST",), "HEAD", False),
    ],
)
def test_a_route_is_found_for_its_methods_only(methods: tuple[str, ...], method: str, *, is_found: bool) -> None:
    route = Route(function_name="f", template=Template.parse("x"), methods=frozenset(methods))
    assert (find_route([route], method, "/x") is not None) is is_found
