"""docs/deploy.md says what is deployed, and its sums are right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.parameters import read_template
from tools import costs

if TYPE_CHECKING:
    from tools.bicep import Compiler
    from tools.deployment import Plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/deploy.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
NOTHING: dict[str, tuple[Any, ...]] = {
    "none": ("", 0, [], {}),
    "off": ("",),
    "": ({},),
    "one is made": ("",),
    "who deploys first": ([],),
}
"""What the table of parameters says of defaults that are nothing."""


def _section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _cost_rows() -> list[tuple[str, float, float]]:
    rows = re.findall(r"^\| (.+?) \| \**([\d.]+)\** \| \**([\d.]+)\** \|$", _section("Costs"), re.MULTILINE)
    return [(name, float(small), float(large)) for name, small, large in rows]


def test_costs_are_those_of_what_is_deployed(plans: dict[str, Plan]) -> None:
    assert costs.table(plans["private"]) in _section("Costs"), "run python -m tools.costs"


@pytest.mark.parametrize("column", [1, 2])
def test_sums_of_costs_are_right(column: int) -> None:
    rows = _cost_rows()
    names = [name for name, *_ in rows]
    public = names.index("**sum, public network**")
    assert sum(row[column] for row in rows[:public]) == pytest.approx(rows[public][column])  # type: ignore[misc]
    assert sum(row[column] for row in rows[public:-1]) == pytest.approx(rows[-1][column])  # type: ignore[misc]


def test_what_the_network_costs_is_said_once_more() -> None:
    ((_, network, _),) = [row for row in _cost_rows() if "private endpoints" in row[0]]
    assert f"{network:.2f} USD a month more" in TEXT


def test_what_queues_cost_is_said_once_more() -> None:
    ((row, cost, _),) = [row for row in _cost_rows() if row[0].startswith("queue transactions")]
    queues, polls = re.findall(r"(\d+) queues.* ([\d.]+) million", row)[0]
    numbers = {"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12"}
    said = re.findall(r"asks its (\w+) queues ([\d.]+) million times \(([\d.]+) USD", OPERATIONS)
    assert [(numbers[each[0]], *each[1:]) for each in said] == [(queues, polls, f"{cost:.2f}")]


def test_every_alert_is_explained(public: Plan) -> None:
    alerts = {
        rule.name.removeprefix("sgexport-")
        for kind in ("scheduledQueryRules", "metricAlerts")
        for rule in public.of_type(f"Microsoft.Insights/{kind}")
    }
    assert set(re.findall(r"^\| `([\w-]+)` \|", _section("Watching"), re.MULTILINE)) == alerts


def test_every_parameter_that_is_named_exists(compiler: Compiler) -> None:
    known = json.loads(compiler.compile(ROOT / "infra/main.bicep").template)["parameters"].keys()
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", _section("Parameters"), re.MULTILINE)
    named = {name for row in table for name in re.findall(r"`(\w+)`", row)}
    given = set(re.findall(r"--parameter '?(\w+)=", TEXT)) - {"KEY"}
    assert named | given <= known


def _defaults() -> list[tuple[str, str]]:
    """Names of parameters and their defaults, as the table says."""
    pairs: list[tuple[str, str]] = []
    for names, defaults in re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]*?) ?\|", _section("Parameters"), re.MULTILINE
    ):
        known = re.findall(r"`(\w+)`", names)
        said = defaults.split(", ") if len(known) > 1 else [defaults]
        pairs += zip(known, said * len(known) if len(said) == 1 else said, strict=True)
    return pairs


def test_defaults_are_those_of_the_template() -> None:
    template = read_template((ROOT / "infra/main.bicep").read_text())
    worked_out = {"extractEvents", "extractResourceGroup", "extractSubscriptionId", "keyRoles"}
    wrong = {}
    for name, said in _defaults():
        default, word = template[name].default, said.strip("`")
        meant = NOTHING.get(word, (word, json.loads(word) if word.isdecimal() else word == "true", [word]))
        if name not in worked_out and default not in meant:
            wrong[name] = (said, default)
    assert wrong == {}
    assert len(_defaults()) > 20


def test_what_rests_for_how_long_is_what_the_template_says() -> None:
    template = read_template((ROOT / "infra/main.bicep").read_text())
    section = _section("What rests where, and how long")
    said = re.findall(r"(\d+) days[^|\n]*\(`(\w+)`\)", section)
    assert {name for _, name in said} == {"extractDays", "auditDays", "softDeleteDays", "logRetentionDays"}
    assert [(days, name) for days, name in said if template[name].default != int(days)] == []
    history = re.findall(r"`runs/`, `requests/` \| (\d+) days", section)
    assert history == [str(template["runHistoryDays"].default)]


@pytest.mark.parametrize("page", ["deploy.md", "first-deployment.md"])
def test_variables_are_set_before_they_are_used(page: str) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    known = {"1"}
    for line in "\n".join(blocks).splitlines():
        known |= (
            set(re.findall(r"^for (\w+) in|^read -rs (\w+)", line)[0])
            if line.startswith(("for ", "read "))
            else set()
        )
        used = set(re.findall(r"\$\{?(\w+)", re.sub(r"^\w+=", "", line)))
        assert used <= known, line
        known |= set(re.findall(r"^(\w+)=", line))


def test_private_network_has_the_endpoints_that_are_paid_for(plans: dict[str, Plan]) -> None:
    private = plans["private"]
    assert len(private.of_type("Microsoft.Network/privateEndpoints")) == 7
    assert len(private.of_type("Microsoft.Network/privateDnsZones")) == 4
    assert "seven private endpoints, four DNS zones" in TEXT


def test_files_and_targets_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:infra|tests|shared|\.github)/[\w./-]+)`", TEXT))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_options_that_are_shown_are_those_of_the_script() -> None:
    script = (ROOT / "infra/deploy.sh").read_text()
    shown = {
        option
        for line in re.findall(r"infra/deploy\.sh (.*)", TEXT)
        for option in re.findall(r"(?:^| )(--[\w-]+)", line)
    }
    assert {option for option in shown if f"{option})" not in script} == set()


def test_links_inside_the_page_lead_somewhere() -> None:
    titles = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors


def test_whoever_assigns_roles_may_assign_the_apps_only() -> None:
    condition = (ROOT / "infra/assign-roles.condition").read_text()
    roles = sorted(json.loads((ROOT / "infra/roles.json").read_text()).values())
    for kind, verb in (("Request", "write"), ("Resource", "delete")):
        clause = condition.split(f"roleAssignments/{verb}'")[1]
        given = re.search(rf"@{kind}\[[\w./:]+RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals \{{(.*)\}}", clause)
        assert given
        assert given[1].split(", ") == roles
        assert f"@{kind}[Microsoft.Authorization/roleAssignments:PrincipalType]" in clause
    granted = re.findall(r'--role "Role Based Access Control Administrator" (.*)', TEXT)
    assert [line for line in granted if "infra/assign-roles.condition" not in line] == []
    assert granted


@pytest.mark.parametrize("path", [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")], ids=lambda path: path.name)
def test_no_key_is_put_into_a_file_or_on_a_command_line(path: Path) -> None:
    text = path.read_text()
    stored = re.findall(r"keyvault secret set (.*)", text)
    assert [line for line in stored if "--value" in line or "--file /dev/stdin" not in line] == []
    assert [line for line in stored if "--output none" not in line] == []  # else az shows what it stored
    assert "key.txt" not in text
    assert re.findall(r"SENDGRID_API_KEY=\S", text) == []
