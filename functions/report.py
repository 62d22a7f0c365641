"""A run's story as one self-contained HTML page: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.runs.views import RunDetails

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
h1 { margin-bottom: 0 } .quiet { color: #595959 } .status { font-weight: 600 }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd } td.n, th.n { text-align: right }
svg { width: 100%; height: auto } .note { border-left: 4px solid #8a5a00; padding-left: .8rem }
"""
COLOURS: Final = {
    "sent": "#1a7f37",
    "duplicate": "#6e7781",
    "rejected": "#bf8700",
    "not_sent": "#cf222e",
    "queued": "#6e7781",
    "planning": "#8250df",
    "uploading": "#0969da",
    "importing": "#1a7f37",
}
WIDTH: Final = 800
BAR: Final = 28
CHUNKS_SHOWN: Final = 200


def render(story: RunDetails) -> str:
    """The page."""
    title = f"{story.export}, run {story.id}"
    counts = story.counts
    outcomes = [(name, getattr(counts, name)) for name in ("sent", "duplicate", "rejected", "not_sent")]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(story.export)}</h1>"
        f'<p class="quiet">Run {escape(story.id)}, {escape(story.trigger.replace("_", " "))}, '
        f"requested by {escape(story.requested_by)}</p>"
        f'<p><span class="status">{escape(story.status.replace("_", " "))}</span>. '
        f"{escape(story.reason.message if story.reason else '')} {escape(story.next_step)}</p>"
        + "".join(f'<p class="note">{escape(warning)}</p>' for warning in story.warnings)
        + f"<h2>{counts.rows_read:,} rows read</h2>"
        + _bar("Outcome of the rows", outcomes)
        + _table(("Outcome", "Rows"), _outcome_rows(story))
        + "<h2>Stages</h2>"
        + _bar("Seconds by stage", [(stage.name, stage.seconds) for stage in story.stages])
        + _table(("Stage", "Seconds"), [(stage.name, f"{stage.seconds:,.1f}") for stage in story.stages])
        + _throttling(story)
        + _list_counts(story)
        + _chunks(story)
        + "</body></html>"
    )


def _outcome_rows(story: RunDetails) -> list[tuple[str, str]]:
    counts = story.counts
    return [
        ("sent", f"{counts.sent:,}"),
        ("duplicate", f"{counts.duplicate:,}"),
        ("rejected", f"{counts.rejected:,}"),
        *(
            (f"- {reason.replace('_', ' ')}", f"{number:,}")
            for reason, number in counts.rejected_by_reason.items()
        ),
        ("not sent", f"{counts.not_sent:,}"),
        *((f"cut to SendGrid's length: {field}", f"{number:,}") for field, number in counts.cut.items()),
    ]


def _bar(title: str, parts: Sequence[tuple[str, float]]) -> str:
    """One bar, divided in proportion, with a legend below."""
    total = sum(size for _, size in parts) or 1
    x, shapes = 0.0, []
    for name, size in parts:
        width = WIDTH * size / total
        shapes.append(f'<rect x="{x:.1f}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[name]}"/>')
        x += width
    step = WIDTH / max(len(parts), 1)
    for index, (name, size) in enumerate(parts):
        left = index * step
        shapes.append(f'<rect x="{left:.0f}" y="{BAR + 12}" width="12" height="12" fill="{COLOURS[name]}"/>')
        label = f"{name.replace('_', ' ')} {size:,.10g}"
        shapes.append(f'<text x="{left + 18:.0f}" y="{BAR + 23}" font-size="14">{escape(label)}</text>')
    height = BAR + 34
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(shapes)}</svg>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th{_number(index)}>{escape(text)}</th>" for index, text in enumerate(heads))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_number(index)}>{escape(str(cell))}</td>" for index, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _number(column: int) -> str:
    return ' class="n"' if column else ""


def _throttling(story: RunDetails) -> str:
    if not story.throttling.waits:
        return "<p>SendGrid never made the run wait.</p>"
    return (
        f"<p>Chunks had to wait {story.throttling.waits:,} times for SendGrid, "
        f"{story.throttling.seconds:,.0f} seconds in all (many wait at the same time).</p>"
    )


def _list_counts(story: RunDetails) -> str:
    if story.list_count_after is None:
        return ""
    before = "unknown" if story.list_count_before is None else f"{story.list_count_before:,}"
    return f"<p>Contacts on the list by SendGrid's count: {before} before, {story.list_count_after:,} after.</p>"


def _chunks(story: RunDetails) -> str:
    if not story.deliveries:
        return ""
    rows = [
        (chunk.number, f"{chunk.contacts:,}", chunk.status, chunk.requests, chunk.waits, " ".join(chunk.jobs))
        for chunk in story.deliveries[:CHUNKS_SHOWN]
    ]
    more = len(story.deliveries) - CHUNKS_SHOWN
    note = f"<p>… and {more:,} more; the JSON answer has them all.</p>" if more > 0 else ""
    heads = ("Chunk", "Contacts", "Status", "Requests", "Waits", "Import jobs")
    return "<h2>Chunks</h2>" + _table(heads, rows) + note
