"""The command line: plan, apply, export."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tools.exports.api import Api, ApiError, headers_from
from tools.exports.definitions import Kind
from tools.exports.files import FilesError, read_folder, write_definition, write_schemas
from tools.exports.plan import Action, Step, StepRefusedError, apply, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from tools.exports.files import Fault

URL: Final = "SENDGRID_EXPORTS_URL"
NOTHING_LEFT, REFUSED, DIFFERENT = 0, 1, 2
"""Statuses to exit with: nothing is left to do, it was refused or could not be asked, there is something to do."""
SIGNS: Final[Mapping[Action, str]] = {
    Action.CREATE: "+",
    Action.CHANGE: "~",
    Action.NONE: "=",
    Action.DRIFT: "?",
    Action.DELETE: "-",
}
VALUE_MAX: Final = 200
"""Most characters of a value that are shown."""


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Do what the command line says; the status to exit with."""
    options = _parser(environment).parse_args(arguments)
    say = _Speaker(as_json=options.json)
    try:
        if not options.url:
            raise ApiError(f"Say where the app is: --url, or {URL} in the environment.")  # noqa: TRY301 - one place tells all
        with Api(options.url, headers_from(environment), transport=transport) as api:
            return _run(options, api, say)
    except FilesError as error:
        say.refusal(error, [_fault(each) for each in error.faults])
    except StepRefusedError as error:
        say.refusal(error, [_fault(each) for each in error.faults], code=error.refusal.code)
    except (ApiError, OSError) as error:
        say.refusal(error, [])
    return REFUSED


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.exports",
        description="Connections, exports and notification targets as YAML files; docs/config-as-code.md.",
        epilog="Exits with 0 when nothing is left to do, 1 when refused or unreachable, 2 when a plan changes.",
    )
    parser.add_argument("what", choices=("plan", "apply", "export"))
    parser.add_argument("folder", metavar="DIR", type=Path, help="has folders of definitions")
    parser.add_argument("--url", default=environment.get(URL), help=f"of the app; default: {URL}")
    parser.add_argument(
        "--delete", action="store_true", help="delete what is in no file (plan tells what that would be)"
    )
    parser.add_argument("--json", action="store_true", help="tell it as one JSON object")
    return parser


def _run(options: argparse.Namespace, api: Api, say: _Speaker) -> int:
    if options.what == "export":
        return _export(options.folder, api, say)
    steps = make_plan(api, read_folder(options.folder), delete=options.delete)
    if options.what == "plan":
        say.plan(steps)
        return DIFFERENT if any(step.does_something for step in steps) else NOTHING_LEFT
    say.steps = steps
    apply(api, steps, done=say.applied)
    say.end()
    return NOTHING_LEFT


def _export(folder: Path, api: Api, say: _Speaker) -> int:
    for kind in Kind:
        for identity in api.list_ids(kind):
            found = api.find(kind, identity)
            if found is not None and (path := write_definition(folder, kind, identity, found.definition)):
                say.written.append(str(path))
    write_schemas(folder)
    say.end()
    return NOTHING_LEFT


class _Speaker:
    """Tells what was found and done, to people as it happens, to programs as one object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.steps: Sequence[Step] = ()
        self.written: list[str] = []
        self._applied: list[str] = []

    def plan(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        if not self._as_json:
            for step in steps:
                print("\n".join(_lines(step)))
            print(_sum(steps))
        self.end()

    def applied(self, step: Step) -> None:
        self._applied.append(f"{step.kind}/{step.id}")
        if not self._as_json:
            print(f"{SIGNS[step.action]} {step.kind} {step.id}: {step.action}d")

    def refusal(self, error: Exception, faults: list[dict[str, object]], *, code: str | None = None) -> None:
        if not self._as_json:
            print(error, file=sys.stderr)
            return
        self.end(error={"message": str(error).partition("\n")[0], "code": code, "faults": faults})

    def end(self, **more: object) -> None:
        if self._as_json:
            steps = [_step(step) for step in self.steps]
            told = {"steps": steps, "applied": self._applied, "written": self.written, **more}
            print(json.dumps(told, ensure_ascii=False))
        else:
            for path in self.written:
                print(path)


def _lines(step: Step) -> list[str]:
    note = ": in no file, and left alone" if step.action is Action.DRIFT else ""
    lines = [f"{SIGNS[step.action]} {step.kind} {step.id}{note}"]
    for each in step.differences:
        if step.action is Action.CREATE:
            lines.append(f"    {each.pointer}: {_shown(each.after)}")
        else:
            lines.append(f"    {each.pointer}: {_shown(each.before)} → {_shown(each.after)}")
    return lines


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}…"


def _sum(steps: Sequence[Step]) -> str:
    counts = {action: sum(step.action is action for step in steps) for action in Action}
    return ", ".join(f"{action}: {count}" for action, count in counts.items())


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "id": step.id,
        "action": step.action,
        "file": str(step.file.path) if step.file else None,
        "differences": [vars(each) for each in step.differences],
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {"file": str(fault.path), "line": fault.line, "field": fault.field, "message": fault.message}
