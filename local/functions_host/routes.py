"""Routes of HTTP functions: ASP.NET route templates, as far as whole segments go.

See https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates. A segment is a literal,
``{name}``, ``{name:constraint}``, ``{name?}`` or, at the end, ``{*name}``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from local.functions_host.errors import SettingError

PARAMETER = re.compile(r"\{(?P<catch_all>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}")
CONSTRAINTS = {
    None: re.compile(".+", re.DOTALL),
    "alpha": re.compile("[A-Za-z]+"),
    "bool": re.compile("true|false", re.IGNORECASE),
    "guid": re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    "int": re.compile(r"-?[0-9]{1,10}"),
    "long": re.compile(r"-?[0-9]{1,19}"),
}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One part of a template, between two slashes."""

    literal: str = ""
    name: str = ""
    constraint: str | None = None
    optional: bool = False
    catch_all: bool = False

    @classmethod
    def parse(cls, text: str) -> "Segment":
        """Read one part of a template.

        Raises:
            SettingError: it is empty or something other than a literal or one parameter.
        """
        if text and not set(text) & set("{}*?"):
            return cls(literal=text)
        found = PARAMETER.fullmatch(text)
        if found is None or found["constraint"] not in CONSTRAINTS:
            raise SettingError(f"'{text}' is no route segment this host knows")
        return cls(
            name=found["name"],
            constraint=found["constraint"],
            optional=bool(found["optional"]) or bool(found["catch_all"]),
            catch_all=bool(found["catch_all"]),
        )

    @property
    def precedence(self) -> int:
        """The lower, the sooner it is tried; the digits of ASP.NET's RoutePrecedence."""
        if self.literal:
            return 1
        return (4 if self.catch_all else 2) + (self.constraint is None)

    def accepts(self, value: str) -> bool:
        """Tell whether a part of a path fits."""
        if self.literal:
            return value.lower() == self.literal.lower()
        return CONSTRAINTS[self.constraint].fullmatch(value) is not None


@dataclass(frozen=True, kw_only=True)
class Template:
    """A whole route template, with the route prefix."""

    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Read a template.

        Raises:
            SettingError: it begins with a slash, or a segment is not one this host knows.
        """
        segments = tuple(Segment.parse(part) for part in text.removesuffix("/").split("/"))
        if any(each.catch_all for each in segments[:-1]):
            raise SettingError("a catch-all parameter must come last in the route")
        optional = [each.optional for each in segments]
        if optional != sorted(optional):
            raise SettingError("only the last parameters of a route can be optional")
        return cls(segments=segments)

    @property
    def precedence(self) -> tuple[int, ...]:
        """Literal segments before parameters, from the left."""
        return tuple(each.precedence for each in self.segments)

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """Return the parameters of a path given in parts, or None when it does not fit."""
        values = list(parts)
        if self.segments[-1].catch_all:
            fixed = len(self.segments) - 1
            values = [*parts[:fixed], *filter(None, ["/".join(parts[fixed:])])]
        if len(values) > len(self.segments):
            return None
        if not all(each.optional for each in self.segments[len(values) :]):
            return None
        matched = list(zip(self.segments, values, strict=False))
        if not all(segment.accepts(value) for segment, value in matched):
            return None
        return {segment.name: value for segment, value in matched if segment.name}


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which requests go to a function; without methods, those of any method."""

    function_name: str
    template: Template
    methods: frozenset[str] = frozenset()

    def allows(self, method: str) -> bool:
        """Tell whether requests of this method are for the function; who answers GET answers HEAD."""
        return not self.methods or method in self.methods or (method == "HEAD" and "GET" in self.methods)


def split_path(raw_path: str) -> list[str]:
    """Return the decoded parts of a path; an encoded slash stays encoded, as in ASP.NET."""
    parts = raw_path.strip("/").split("/")
    return [
        unquote(re.sub("%2f", lambda slash: f"%25{slash[0][1:]}", part, flags=re.IGNORECASE)) for part in parts
    ]


def find_route(routes: Iterable[Route], method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the function's route for a request and its route parameters, or None.

    A path that exists for another method only is not found either: in the real host the method is a
    constraint of the route (WebScriptHostHttpRoutesManager), and so the answer is 404, not 405.
    """
    parts = split_path(raw_path)
    for route in sorted(routes, key=lambda each: each.template.precedence):
        parameters = route.template.match(parts) if route.allows(method) else None
        if parameters is not None:
            return route, parameters
    return None
