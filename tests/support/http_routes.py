"""The HTTP functions that the app registers, so that no test forgets one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from azure.functions.decorators.http import HttpTrigger

import function_app
from tests.support.factories import called

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import azure.functions as func


@dataclass(frozen=True, kw_only=True)
class HttpRoute:
    """One of them."""

    name: str
    method: str
    methods: tuple[str, ...]
    """With HEAD, where it is one."""
    path: str
    """Below the host, with the names of what varies in braces."""
    function: Callable[[func.HttpRequest], func.HttpResponse]

    @property
    def parameters(self) -> list[str]:
        """Names of what varies."""
        return re.findall(r"{\*?(\w+)}", self.path)


@cache
def http_routes() -> Mapping[str, HttpRoute]:
    """All of them, by name; the app tells them once."""
    found = {}
    function_app.app.functions_bindings = {}  # the library takes every name for a double the second time
    for function in function_app.app.get_functions():
        for binding in function.get_bindings():
            if isinstance(binding, HttpTrigger):
                name = str(function.get_function_name())
                found[name] = HttpRoute(
                    name=name,
                    method=str(next(iter(binding.methods or ()))),
                    methods=tuple(str(each) for each in binding.methods or ()),
                    path=str(binding.route),
                    function=called(function.get_user_function()),
                )
    return found


def api_routes() -> Mapping[str, HttpRoute]:
    """Those of the API; the others are pages of the console."""
    return {name: route for name, route in http_routes().items() if route.path.startswith("api/")}
