"""`make docs`: writes what is made from the code, in docs/ and for infra/: `made_files` names it."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import function_app  # noqa: F401 - registers the operations
from functions import console_page
from functions.openapi import describe_api
from functions.operations import OPERATIONS, Operation
from functions.reference import all_codes
from shared.model.roles import Role
from tools.exports.definitions import Kind
from tools.exports.schemas import schema_text
from tools.telemetry_names import events_table, facts_table

ROOT: Final = Path(__file__).parents[1]
BEGIN: Final = "<!-- made by `make docs`: {} -->"
END: Final = "<!-- end -->"
BODIES: Final = ("ConnectionDraft", "ExportDraft", "FieldMapping", "SourceOptions", "NotificationTarget")
"""Models whose fields docs/api.md lists."""
KINDS: Final = {
    "problem": ("Problems", "In the `code` of a problem document: a request was refused."),
    "run": (
        "Reasons of runs",
        "In the `reason.code` of a run, and of a request that is refused for the same reason.",
    ),
    "rejection": ("Rejected rows", "Beside a row that was not sent."),
    "notification": (
        "Notifications",
        "In the outcomes of a notification target, and of its test: it was not told. docs/notifications.md.",
    ),
    "warning": ("Warnings", "In the `warnings` of an export or a notification target, beside those above."),
    "list": ("Lists that are not known to be ready", "In the `list_not_confirmed.code` of a run."),
}


BOUNDS: Final = {"minimum": "≥", "maximum": "≤", "minLength": "characters ≥", "maxLength": "characters ≤"}


def made_files() -> dict[Path, str]:
    """Every file that is made, or has a made part, with its text."""
    api, telemetry = ROOT / "docs" / "api.md", ROOT / "docs" / "telemetry.md"
    return {
        ROOT / "docs" / "openapi.json": json.dumps(describe_api(), indent=2, ensure_ascii=False) + "\n",
        ROOT / "docs" / "errors.md": errors_page(),
        api: with_made_parts(api, operations=operations_table(), fields=fields_tables()),
        telemetry: with_made_parts(telemetry, events=events_table(), facts=facts_table()),
        ROOT / "infra" / "console-paths.json": json.dumps(console_paths(), indent=2) + "\n",
        **{ROOT / "docs" / "schemas" / f"{kind}.schema.json": schema_text(kind) for kind in Kind},
    }


def console_paths() -> list[str]:
    """Everything that the console loads; what stands in front of the app lets it through by its whole address."""
    return ["/console", *(f"/console/{name}" for name in console_page.files())]


def with_made_parts(page: Path, **parts: str) -> str:
    """A page whose parts of these names are made anew."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin = BEGIN.format(name)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{part}\n\n{END}{rest.partition(END)[2]}"
    return text


def operations_table() -> str:
    """Every operation: what it is called by, what it does, who may, and what is answered."""
    lines = ["| call | what it does | who | answers |", "|---|---|---|---|"]
    lines += [
        f"| `{operation.method} {operation.path}` | {' '.join(operation.description.split())} "
        f"| {_roles(operation)} | {', '.join(_statuses(operation))} |"
        for operation in sorted(OPERATIONS.values(), key=lambda each: (each.path, each.method))
    ]
    return "\n".join(lines)


def _roles(operation: Operation) -> str:
    if operation.rule is None:
        return "everybody"
    return ", ".join(role.value for role in Role if operation.rule.relations.get(role))


def _statuses(operation: Operation) -> Iterator[str]:
    for status in sorted(operation.answers):
        yield str(status)
    for status in sorted(operation.problems):
        yield str(status)


def fields_tables() -> str:
    """The fields of what is sent, each with its form, its default and its meaning."""
    schemas: Mapping[str, Any] = describe_api()["components"]["schemas"]
    return "\n\n".join(_fields_table(name, schemas[name]) for name in BODIES)


def _fields_table(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    lines = [
        f"### {name}",
        "",
        schema.get("description", ""),
        "",
        "| field | form | default | |",
        "|---|---|---|---|",
    ]
    for field, described in schema["properties"].items():
        if described.get("readOnly"):
            continue
        default = "**required**" if field in required else _usual(described)
        text = " ".join(described.get("description", "").split())
        lines.append(f"| `{field}` | {_form(described)} | {default} | {text} |")
    return "\n".join(lines)


def _usual(schema: Mapping[str, Any]) -> str:
    """What counts where a field is not sent; nothing is told of one that another stands in for."""
    told = [schema[name] for name in ("default", "x-default") if name in schema]
    if not told and schema.get("type") == "object":
        told = [{}]
    return f"`{json.dumps(told[0])}`" if told else ""


def _form(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_form(option) for option in options)
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{value}`" for value in values)
    if "items" in schema:
        return f"list of {_form(schema['items'])}"
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    return " ".join([str(schema.get("format") or schema.get("type")), *bounds])


def errors_page() -> str:
    """docs/errors.md."""
    lines = [
        "# Codes",
        "",
        "Every code that the API answers with, what it means and what to do; `GET /api/reasons` gives the same.",
        "Made from the code by `make docs`.",
    ]
    for kind, (title, where) in KINDS.items():
        lines += ["", f"## {title}", "", where, "", "| code | meaning | what to do |", "|---|---|---|"]
        lines += [
            f'| <a id="{code.code}"></a>`{code.code}` | {code.meaning} | {code.action} |'
            for code in all_codes()
            if code.kind == kind
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the files; the status to exit with."""
    for path, text in made_files().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
