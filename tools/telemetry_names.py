"""Tables of what the app logs, from the documented names in shared/telemetry.py."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "shared" / "telemetry.py"
TRACE_FACTS = {
    "trace": ("id", "The trace of the run, the same in every line about it, also across functions."),
    "operation_id": (
        "id",
        "The trace of the invocation where it is another one; `OperationId` of the platform's rows.",
    ),
}
"""What every line tells, whatever it is about."""


def events_table() -> str:
    """Every event, with its meaning."""
    lines = ["| event | when |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name.lower()}` | {text} |" for name, _, text in documented("Event"))])


def facts_table() -> str:
    """Every fact, with its unit and its meaning."""
    facts = [(name, unit, text) for name, unit, text in documented("Facts")]
    facts += [(name, unit, text) for name, (unit, text) in TRACE_FACTS.items()]
    lines = ["| fact | unit | what it tells |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {unit} | {text} |" for name, unit, text in sorted(facts))])


def documented(name: str) -> Iterator[tuple[str, str, str]]:
    """The members of a class: name, unit, and the text below it, which each must have."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    members = [node for node in found.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    for member in members:
        target = member.targets[0] if isinstance(member, ast.Assign) else member.target
        unit = ast.unparse(member.annotation) if isinstance(member, ast.AnnAssign) else ""
        below = found.body[found.body.index(member) + 1 :][:1]
        text = below[0].value.value if below and isinstance(below[0], ast.Expr) else ""  # type: ignore[attr-defined]  # a text
        if not text:
            raise ValueError(f"{name}.{ast.unparse(target)} says nothing of itself in {SOURCE.name}")
        yield ast.unparse(target), re.sub(r" \| None$", "", unit).lower(), " ".join(text.split())
