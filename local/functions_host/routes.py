"""Routes of HTTP functions: ASP.NET route templates, as routes of Starlette.

See https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates. A segment is a text,
``{name}``, ``{name:constraint}``, ``{name?}`` or, at the end, ``{*name}``; everything else is refused.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, compile_path
from starlette.types import Scope

from local.functions_host.errors import SettingError

CONSTRAINTS = {
    "alpha": "[A-Za-z]+",
    "guid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "int": "-?[0-9]{1,10}",
}
PARAMETER = re.compile(
    r"\{(?:\*\*?(?P<rest>[a-z_]\w*)|(?P<name>[a-z_]\w*)(?::(?P<constraint>\w+))?(?P<optional>\?)?)\}",
    re.ASCII | re.IGNORECASE,
)
KNOWN = ", ".join(["a text", "{name}", *(f"{{name:{each}}}" for each in CONSTRAINTS), "{name?}", "{*name}"])
OPTIONAL, CATCH_ALL = 1, 2

for _name, _regex in CONSTRAINTS.items():
    # Under names of their own, for Starlette's int has no minus sign and arrives as a number.
    register_url_convertor(f"asp_{_name}", type(_name, (StringConvertor,), {"regex": _regex})())

type Endpoint = Callable[[Request], Awaitable[Response]]


class TemplateRoute(Route):
    """A route that matches as in the real host: in any case, and for its methods only.

    A path that exists for another method only is not found: in the real host the method is a constraint of the
    route (WebScriptHostHttpRoutesManager), and so the answer is 404, not 405. HEAD is a method like any other.
    """

    def __init__(self, path: str, endpoint: Endpoint, methods: Collection[str]) -> None:
        """Take a path of Starlette's; without methods, those of any method."""
        super().__init__(path, endpoint)
        self.methods = set(methods) or None
        pattern = self.path_regex.pattern.removesuffix("$") + r"\Z"  # "$" would let a line feed pass
        self.path_regex = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for this route: wholly or not at all."""
        match, child_scope = super().matches(scope)
        return (match, child_scope) if match is Match.FULL else (Match.NONE, {})


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """One part of a path of Starlette's; the rank is 0 for what must be there."""

    text: str
    rank: int = 0

    @classmethod
    def read(cls, text: str) -> "_Segment":
        """Read one part of a template.

        Raises:
            SettingError: it is empty or something other than a text or one parameter.
        """
        if text and not set(text) & set("{}*?"):
            return cls(text=text)
        found = PARAMETER.fullmatch(text)
        if found is None or found["constraint"] not in {None, *CONSTRAINTS}:
            raise SettingError(f"'{text}' is no route segment this host knows, which are: {KNOWN}")
        if found["rest"]:
            return cls(text=f"{{{found['rest']}:path}}", rank=CATCH_ALL)
        kind = f":asp_{found['constraint']}" if found["constraint"] else ""
        return cls(text=f"{{{found['name']}{kind}}}", rank=OPTIONAL if found["optional"] else 0)


def starlette_paths(template: str) -> tuple[str, ...]:
    """Return the paths that a template stands for: the first without its optional parameters, then with each.

    Raises:
        SettingError: a segment is not one this host knows, or its place or its name is wrong.
    """
    segments = [_Segment.read(part) for part in template.removesuffix("/").split("/")]
    ranks = [each.rank for each in segments]
    if ranks != sorted(ranks) or ranks.count(CATCH_ALL) > 1:
        raise SettingError("optional parameters must come after all others, and a catch-all parameter last")
    lengths = range(ranks.count(0), len(segments) + 1)
    paths = tuple("/" + "/".join(each.text for each in segments[:length]) for length in lengths)
    try:
        compile_path(paths[-1])
    except ValueError as error:
        raise SettingError("two of its parameters have the same name") from error
    return paths


def decoded_path(raw_path: bytes) -> str:
    """Return a path as it is matched: without slashes at its ends, and decoded but for an encoded slash."""
    text = raw_path.decode("latin-1").strip("/")
    return "/" + unquote(re.sub("%(2f)", r"%25\1", text, flags=re.IGNORECASE))
