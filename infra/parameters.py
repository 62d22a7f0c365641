"""Decides on the parameters of infra/main.bicep: those of the last deployment, and what was asked for.

deploy.sh calls this; any Python from 3.9 on. What is deployed is kept with the deployment itself, in the parameter
`keptParameters`, defaults included: neither another person's upgrade nor a new version changes what nobody asked
for.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parent / "main.bicep"
PARAMETER = re.compile(r"^param (?P<name>\w+) (?P<type>\w+)(?P<many>\[\])?(?: = (?P<default>.+))?$", re.MULTILINE)
LITERAL = re.compile(r"'[^'$\\]*'|-?\d+|true|false|\[(?:'[\w-]+')?\]|\{\}")
TYPES = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
Value = Any
"""What JSON can say."""
FOUND_OUT = {
    "sendGridApiKey": "put the key into SENDGRID_API_KEY: a command line and a file are seen by others",
    "entraClientId": "say --entra: the app itself names its registration",
    "recoverVault": "deploy.sh finds out whether the vault was deleted",
    "budgetStartDate": "the first day of a budget is that of the one there is, or of this month",
    "keptParameters": "deploy.sh writes it",
}
"""Parameters that nobody gives and that are not kept, with what to do instead."""
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"


class ParameterError(Exception):
    """Parameters that cannot be deployed; says what to change."""


@dataclass(frozen=True)
class Parameter:
    """One that the template has."""

    type: str
    default: Value
    """None where the template works it out."""


@dataclass(frozen=True)
class Wish:
    """What whoever deploys asks for."""

    named: dict[str, Value]
    """By --parameter and --secret."""
    filed: dict[str, Value]
    """In a file."""
    forgotten: list[str]
    """Go back to the template's default."""


def read_template(text: str) -> dict[str, Parameter]:
    """The parameters of a Bicep file, by name."""
    return {
        found["name"]: Parameter("array" if found["many"] else found["type"], _literal(found["default"] or ""))
        for found in PARAMETER.finditer(text)
    }


def _literal(text: str) -> Value:
    return json.loads(text.replace("'", '"')) if LITERAL.fullmatch(text) else None


def read_words(known: dict[str, Parameter], words: list[str]) -> dict[str, Value]:
    """Read KEY=VALUE. Raises ParameterError."""
    return dict(_read_word(known, word) for word in words)


def _read_word(known: dict[str, Parameter], word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not equals:
        raise ParameterError(f"--parameter takes KEY=VALUE, not {word}")
    kind = _require_known(known, name).type
    if kind == "string":
        return name, text
    try:
        value = json.loads(text.lower() if kind == "bool" else text)
    except ValueError:
        value = None
    return name, _require_type(name, kind, value)


def read_file(known: dict[str, Parameter], path: Path) -> dict[str, Value]:
    """Read a file of parameters, as --show-parameters writes it. Raises ParameterError."""
    try:
        members = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        values = {name: each["value"] for name, each in members.items()}
    except OSError:
        raise ParameterError(f"{path} cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ParameterError(f"{path} is no file of parameters, such as --show-parameters writes") from None
    return {name: _require_type(name, _require_known(known, name).type, value) for name, value in values.items()}


def read_wish(known: dict[str, Parameter], options: argparse.Namespace) -> Wish:
    """What the command line asks for. Raises ParameterError."""
    filed: dict[str, Value] = {}
    for path in options.file:
        filed.update(read_file(known, path))
    return Wish(read_words(known, options.set), filed, options.forget)


def _require_known(known: dict[str, Parameter], name: str) -> Parameter:
    if name in FOUND_OUT:
        raise ParameterError(f"{name} cannot be given: {FOUND_OUT[name]}")
    if name not in known:
        near = "".join(f"; did you mean {each}?" for each in difflib.get_close_matches(name, known, 1))
        raise ParameterError(f"infra/main.bicep has no parameter {name}{near}")
    return known[name]


def _require_type(name: str, kind: str, value: Value) -> Value:
    if not isinstance(value, TYPES[kind]) or (kind == "int" and isinstance(value, bool)):
        such = {"array": '["a", "b"]', "object": '{"a": "b"}', "int": "7", "bool": "true", "string": '"a"'}[kind]
        raise ParameterError(f"{name} takes a value of type {kind}, such as {such}")
    return value


def decide(
    known: dict[str, Parameter],
    deployed: dict[str, Value] | None,
    wish: Wish,
    *,
    first: dict[str, Value],
    closed: bool,
) -> dict[str, Value]:
    """All parameters to deploy with, worked-out ones left to the template. Raises ParameterError.

    `first` counts where nothing was deployed before; `closed`: storage or vault are closed to the internet now.
    """
    defaults = {name: each.default for name, each in known.items() if each.default is not None}
    before = first if deployed is None else deployed
    gone = [name for name in before if name not in known and name not in wish.forgotten]
    if gone:
        raise ParameterError(
            f"{gone[0]} was deployed as {shown(before[gone[0]])}, and this version has no such parameter; "
            f"say --forget {gone[0]} to do without it"
        )
    stays = {name: value for name, value in before.items() if name not in wish.forgotten}
    decided = {**defaults, **stays, **wish.filed, **wish.named}
    was_private = closed or before.get("network") == "private"
    if was_private and decided["network"] != "private" and "network" not in wish.named:
        raise ParameterError(
            "storage and vault are closed to the internet, and this would open them: say "
            "--parameter network=private to keep them closed, or --parameter network=public to open them"
        )
    unreadable = [name for name in decided["secretWriters"] if name not in decided["secretNames"]]
    if unreadable:
        raise ParameterError(
            f"secretWriters names {unreadable[0]}, which secretNames does not: the app writes only what it reads"
        )
    return {name: value for name, value in sorted(decided.items()) if name not in FOUND_OUT}


def compare(
    known: dict[str, Parameter], deployed: dict[str, Value] | None, decided: dict[str, Value]
) -> list[str]:
    """What the deployment changes in the parameters, in lines for people. Values that stay are not shown."""
    defaults = {name: each.default for name, each in known.items() if name in decided and each.default is not None}
    before = defaults if deployed is None else deployed
    changed = [name for name in sorted({*before, *decided}) if before.get(name) != decided.get(name)]
    stays = [name for name in decided if name not in changed and decided[name] != known[name].default]
    lines = [f"  {name}: {_shown_in(before, name)} → {_shown_in(decided, name)}" for name in changed]
    if deployed is None:
        lines.insert(0, "parameters     the defaults" + (", but:" if changed else ""))
    else:
        lines.insert(0, "parameters     change:" if changed else "parameters     as deployed before")
    if stays:
        lines.append(f"               others than the defaults, as before: {', '.join(stays)}")
    if not decided["alertEmails"]:
        lines.append("alerts         nobody is told of them: --parameter 'alertEmails=[\"ops@contoso.example\"]'")
    return lines


def _shown_in(values: dict[str, Value], name: str) -> str:
    return shown(values[name]) if name in values else "(the template's)"


def shown(value: Value) -> str:
    """A value for people."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def as_members(values: dict[str, Value]) -> dict[str, Value]:
    """As Resource Manager takes them."""
    return {name: {"value": value} for name, value in values.items()}


def read_kept(text: str) -> dict[str, Value] | None:
    """What the last deployment kept; None when there was none."""
    kept = json.loads(text.strip() or "null")
    if not (kept is None or isinstance(kept, dict)):
        raise ParameterError("what the last deployment kept is no object of parameters")
    return kept or None


def main() -> None:
    """Check, decide, show or list from the command line; what was deployed comes through a pipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("check", "decide", "show", "list"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--first", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--file", action="append", default=[], type=Path)
    parser.add_argument("--forget", action="append", default=[], metavar="NAME")
    parser.add_argument("--closed", action="store_true", help="storage or vault are closed to the internet")
    parser.add_argument("--there", action="store_true", help="an app is there")
    parser.add_argument("--name", help="of the parameter to list")
    options = parser.parse_args()
    try:
        if options.what == "list":
            print("\n".join(json.load(sys.stdin)[options.name]["value"]))
            return
        known = read_template(TEMPLATE.read_text(encoding="utf-8"))
        wish = read_wish(known, options)
        if options.what == "check":
            return
        deployed = read_kept(sys.stdin.read())
        if options.what == "show":
            _show(deployed)
        else:
            _require_record(deployed, there=options.there, filed=bool(options.file))
            first = read_words(known, options.first)
            decided = decide(known, deployed, wish, first=first, closed=options.closed)
            print(json.dumps({**as_members(decided), "keptParameters": {"value": decided}}))
            print("\n".join(compare(known, deployed, decided)))
    except ParameterError as error:
        sys.exit(f"deploy: {error}")


def _require_record(deployed: dict[str, Value] | None, *, there: bool, filed: bool) -> None:
    if deployed is None and there and not filed:
        raise ParameterError(
            "an app is there, but not the deployment that kept its parameters; give them in a file, as "
            "--show-parameters wrote it: --parameters FILE"
        )


def _show(deployed: dict[str, Value] | None) -> None:
    if deployed is None:
        raise ParameterError("no deployment here has kept its parameters")
    members = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": as_members(deployed)}
    print(json.dumps(members, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
