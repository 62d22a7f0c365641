from itertools import combinations

import pytest

from function_app import app

type Routes = dict[str, tuple[str, list[str]]]


@pytest.fixture(scope="module")
def routes() -> Routes:
    """Return the method and the parts of the route of each HTTP function."""
    app.functions_bindings = {}  # the library reads an app once and then takes every name for a double
    triggers = {function.get_function_name(): function.get_trigger() for function in app.get_functions()}
    settings = {name: trigger.get_dict_repr() for name, trigger in triggers.items() if trigger}
    return {
        f"{name} {method.value}": (method.value, trigger["route"].split("/"))
        for name, trigger in settings.items()
        if trigger["type"] == "httpTrigger"
        for method in trigger["methods"]
    }


def overlap(one: list[str], other: list[str]) -> bool:
    """Tell whether some path fits both routes; a part with a star, the last one, takes all that is left."""
    star = next((each for each in (one, other) if "*" in each[-1]), None)
    if star is not None:
        fixed = len(star) - 1
        return all(a == b or "{" in a + b for a, b in zip(one[:fixed], other[:fixed], strict=False))
    return len(one) == len(other) and all(a == b or "{" in a + b for a, b in zip(one, other, strict=True))


def test_no_request_fits_two_functions_for_the_real_host_would_choose_by_their_names(routes: Routes) -> None:
    assert not [
        (name, rival)
        for (name, (method, route)), (rival, (other_method, other_route)) in combinations(routes.items(), 2)
        if method == other_method and overlap(route, other_route)
    ]


def test_no_route_has_parts_that_the_comparison_does_not_know(routes: Routes) -> None:
    assert len(routes) > 1
    assert not [name for name, (_, parts) in routes.items() if set("".join(parts)) & set("?:")]
    assert not [name for name, (_, parts) in routes.items() if "*" in "".join(parts[:-1])]
