"""The HTTP API of segments."""

from __future__ import annotations

import azure.functions as func

from functions.answers import SegmentList, answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer
from functions.wiring import reading_extracts
from shared.definitions import manage, segments

blueprint = func.Blueprint()


@endpoint(
    blueprint,
    "GET",
    "segments",
    answers={200: Answer(description="All segments, by name.", model=SegmentList)},
    problems=(409, 429),
)
def list_segments(call: Call) -> func.HttpResponse:
    """The segments that the caller may export, each with its newest extract and the columns to map.

    A few at a time: 429 beyond.
    """
    settings = call.services.settings
    with reading_extracts().entered(call.caller.id):
        found = segments.list_segments(
            call.services.extracts, prefix=settings.extract_prefix, place=settings.extract_place
        )
    allowed = _allowed(call)
    shown = [segment for segment in found if allowed is None or segment.segment in allowed]
    return answer(SegmentList(segments=tuple(shown)))


def _allowed(call: Call) -> frozenset[str] | None:
    """Segments that may go through some connection the caller may use; None: all of them."""
    if call.caller.is_administrator:
        return None
    seen = [saved.definition.segments for saved in manage.list_connections(call.services) if call.may_see(saved)]
    if None in seen:
        return None
    return frozenset(segment for segments_of_one in seen for segment in segments_of_one or ())
