"""The HTTP API of segments."""

from __future__ import annotations

import azure.functions as func

from functions.answers import SegmentList, answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer, text
from functions.requests import json_parameter
from functions.wiring import reading_extracts
from shared.definitions import manage, segments
from shared.definitions.segment_details import SegmentDetails, describe_segment
from shared.errors import InvalidInputError
from shared.model.definitions import SourceOptions

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


@endpoint(
    blueprint,
    "GET",
    "segments/{segment}",
    answers={200: Answer(description="The segment.", model=SegmentDetails)},
    parameters=(
        text(
            "source",
            "How its files are found and written, as `source` of an export, in JSON.",
            contentMediaType="application/json",
        ),
    ),
    problems=(429,),
)
def get_segment(call: Call) -> func.HttpResponse:
    """One segment: its newest extract, and of each column its type and some masked values of the first rows.

    Also of the columns that no mapping takes. A few at a time: 429 beyond.
    """
    source = json_parameter(call.request, "source", SourceOptions)
    if not source.names_segment and _allowed(call) is not None:
        raise InvalidInputError("You may read some segments only.", manage.layout_problem("source.layout"))
    with reading_extracts().entered(call.caller.id):
        return answer(describe_segment(call.services, call.segment, source))


def _allowed(call: Call) -> frozenset[str] | None:
    """Segments that may go through some connection the caller may use; None: all of them."""
    if call.caller.is_administrator:
        return None
    seen = [saved.definition.segments for saved in manage.list_connections(call.services) if call.may_see(saved)]
    if None in seen:
        return None
    return frozenset(segment for segments_of_one in seen for segment in segments_of_one or ())
