"""The HTTP API's operations: what each takes and gives, told once, for callers and for the description."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from functions.problems import answering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.problems import Handler
    from shared.access.policy import Rule
    from shared.model.documents import Document

JSON: Final = "application/json"
ID: Final = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
"""Pattern of the id of a connection or export, as `shared.model.definitions.Identifier` has it."""
RUN_ID: Final = "^[0-9]{8}T[0-9]{6}Z-[a-z0-9]{1,16}$"
"""Pattern of a run's id, as `shared.model.definitions.RunId` has it."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter in the query, or a header."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of its value."""
    where: Literal["query", "header"] = "query"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered where all is well."""

    description: str
    model: type[Document] | None = None
    media: str = JSON
    """Of an answer that is no JSON, unless that is asked for."""
    also: str | None = None
    """Media type of the same as text for those who ask for that instead."""
    headers: tuple[str, ...] = ()
    """Of HEADERS."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A function and its route."""

    name: str
    method: str
    path: str
    """Below the host, such as `/api/exports/{id}`."""
    description: str
    rule: Rule | None
    """Who may; None: everybody."""
    answers: Mapping[int, Answer]
    body: type[Document] | None = None
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = field(default=())
    """Statuses of problem documents, beside those that every operation may answer."""

    @property
    def summary(self) -> str:
        """The first line of its description."""
        return self.description.partition("\n")[0].rstrip(".")

    @property
    def query(self) -> frozenset[str]:
        """Names of the parameters in its query."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.where == "query")


HEADERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "ETag": ("Version of the document, for If-Match.", {"type": "string"}),
    "Location": ("Where the run is to be seen.", {"type": "string"}),
    "Retry-After": ("Seconds after which it is worth to ask again.", {"type": "string"}),
    "Link": ("The next part, with rel=next; RFC 8288.", {"type": "string"}),
    "Content-Language": ("The language of the page.", {"type": "string"}),
    "Content-Disposition": ("What to call the file.", {"type": "string"}),
    "Idempotency-Replayed": ("true where the request was sent before, under the same key.", {"type": "string"}),
}
IF_MATCH: Final = Parameter(
    name="If-Match",
    where="header",
    description="The version that was read, as its ETag says; * for any. With another one nothing is changed.",
    schema={"type": "string"},
)
IF_NONE_MATCH: Final = Parameter(
    name="If-None-Match",
    where="header",
    description="* creates only: what is there already is left as it is.",
    schema={"type": "string", "pattern": r"^\*$"},
)
IDEMPOTENCY_KEY: Final = Parameter(
    name="Idempotency-Key",
    where="header",
    description="Under the same key the same request of the same caller starts one run, for 24 hours.",
    schema={"type": "string", "minLength": 1, "maxLength": 255},
)


def number(name: str, description: str, *, least: int = 1, most: int, default: int) -> Parameter:
    """A whole number in the query."""
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name=name, description=description, schema=schema)


def text(name: str, description: str, **schema: object) -> Parameter:
    """A text in the query."""
    return Parameter(name=name, description=description, schema={"type": "string", **schema})


RETRY_AFTER: Final = "3"
"""Seconds after which a run that was started or cancelled is worth a look."""


OPERATIONS: Final[dict[str, Operation]] = {}
"""By the function's name; filled as functions are registered."""


def open_to_all(
    path: str, *, answers: Mapping[int, Answer], problems: tuple[int, ...] = ()
) -> Callable[[Handler], Handler]:
    """Describe a function that asks for nobody, and let it answer."""

    def register(work: Handler) -> Handler:
        OPERATIONS[work.__name__] = Operation(
            name=work.__name__,
            method="GET",
            path=f"/api/{path}",
            description=inspect.getdoc(work) or "",
            rule=None,
            answers=answers,
            problems=problems,
        )
        return answering(work)

    return register
