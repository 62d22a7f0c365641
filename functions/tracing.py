"""Every call of a function belongs to a trace: that of its message if it has one, else its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func  # noqa: TC002 - the host's worker evaluates the annotations

from shared import trace

if TYPE_CHECKING:
    from collections.abc import Callable

    type Traced = Callable[[func.HttpRequest, func.Context], func.HttpResponse]


def traceparent_of(context: func.Context) -> str | None:
    """The invocation's own place in a trace, as the host has handed it over."""
    told: str | None = context.trace_context.trace_parent
    return told


def traced(handler: Callable[[func.HttpRequest], func.HttpResponse]) -> Traced:
    """An HTTP function whose work belongs to its invocation's trace; that goes on the caller's, if one is sent."""

    def handle(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with trace.entered(traceparent_of(context)):
            return handler(request)

    handle.__name__, handle.__doc__ = handler.__name__, handler.__doc__
    return handle
