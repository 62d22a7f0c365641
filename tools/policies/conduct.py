"""Names, tags, alerts and lifecycle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.policies.common import extract_account, must, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan


WINDOWS: Final = {
    "PT5M": 5,
    "PT10M": 10,
    "PT15M": 15,
    "PT30M": 30,
    "PT1H": 60,
    "PT6H": 360,
    "P1D": 1440,
    "P2D": 2880,
}
"""Durations an alert may use, in minutes; two days are the most it looks back."""

OPERATORS: Final = frozenset({"GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual", "Equals"})
AGGREGATIONS: Final = frozenset({"Average", "Count", "Maximum", "Minimum", "Total"})
"""https://learn.microsoft.com/azure/templates/microsoft.insights/scheduledqueryrules"""

NAMES: Final = {
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Insights/workbooks": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
"""https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"""

UNTAGGED: Final = re.compile(
    r"/(blobServices|queueServices|managementPolicies|secrets|diagnosticSettings|roleAssignments|config|locks"
    r"|basicPublishingCredentialsPolicies|budgets|subnets|privateDnsZoneGroups|eventSubscriptions)\b"
)


def names_are_legal(plan: Plan) -> Iterator[str]:
    """Names keep to Azure's rules."""
    for item in plan.resources:
        rule = NAMES.get(item.type)
        if rule and not item.name.startswith("[") and not re.fullmatch(rule, item.name):
            yield f"{item.type} cannot be called {item.name!r}"
    ids = [item.id for item in plan.resources]
    for twice in {each for each in ids if ids.count(each) > 1}:
        yield f"deployed twice: {twice}"


def everything_is_tagged(plan: Plan) -> Iterator[str]:
    """Whatever can have tags has ours."""
    for item in plan.resources:
        if UNTAGGED.search(item.type):
            continue
        if (item.body.get("tags") or {}).get("application") != "sendgrid-segment-export":
            yield f"{item.type} {item.name}: has no tags"


def alerts_reach_people(plan: Plan) -> Iterator[str]:
    """Every alert looks at a window it can see, and tells the action group."""
    groups = [group.id for group in plan.of_type("Microsoft.Insights/actionGroups")]
    for rule in plan.of_type("Microsoft.Insights/scheduledQueryRules"):
        if rule.get("properties.actions.actionGroups") != groups:
            yield f"{rule.name}: tells nobody"
        frequency = WINDOWS.get(rule.get("properties.evaluationFrequency"), 0)
        window = WINDOWS.get(rule.get("properties.windowSize"), 0)
        if not 0 < frequency <= window:
            yield f"{rule.name}: looks every {frequency} minutes at {window}"
        if rule.get("properties.severity") not in range(5):
            yield f"{rule.name}: severity is {rule.get('properties.severity')}"
        for criterion in rule.get("properties.criteria.allOf"):
            yield from _known(rule.name, criterion, "operator", OPERATORS)
            yield from _known(rule.name, criterion, "timeAggregation", AGGREGATIONS)
        if not all(scope.rpartition("/")[0].endswith("workspaces") for scope in rule.get("properties.scopes")):
            yield f"{rule.name}: does not look at the workspace"
    for budget in plan.of_type("Microsoft.Consumption/budgets"):
        yield from must(budget, timeGrain="Monthly")
        for name, notice in budget.get("properties.notifications").items():
            if notice["contactGroups"] != groups or not notice["enabled"]:
                yield f"budget {name}: tells nobody"


def _known(name: str, given: dict[str, str], member: str, values: frozenset[str]) -> Iterator[str]:
    """The compiler takes any text where Azure takes a few."""
    if given[member] not in values:
        yield f"{name}: {member} is {given[member]!r}"


KINDS: Final = {"forget-audit-log": {"appendBlob"}, "forget-deliveries": {"blockBlob", "appendBlob"}}
"""Kinds of blobs that lifecycle rules forget, by the rule, where they are not block blobs alone."""


def data_is_forgotten(plan: Plan) -> Iterator[str]:
    """The lifecycle rules forget what docs/deploy.md says, when it says so, of the app's own containers."""
    state, audit = setting(plan, "STATE_CONTAINER"), setting(plan, "AUDIT_CONTAINER")
    documented = {f"{state}/runs/": 400, f"{state}/requests/": 400, f"{state}/poison/": 30, f"{audit}/": 400}
    documented |= {"undelivered-events/": 30}
    if extract_account(plan):
        documented |= {f"{setting(plan, 'EXTRACT_CONTAINER')}/": 30}
    found: dict[str, int] = {}
    for policy in plan.of_type("Microsoft.Storage/storageAccounts/managementPolicies"):
        for rule in policy.get("properties.policy.rules"):
            if not rule["enabled"]:
                yield f"lifecycle rule {rule['name']} is off"
            definition = rule["definition"]
            days = definition["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
            found |= dict.fromkeys(definition["filters"]["prefixMatch"], days)
            if set(definition["filters"]["blobTypes"]) != KINDS.get(rule["name"], {"blockBlob"}):
                yield f"lifecycle rule {rule['name']} forgets {definition['filters']['blobTypes']}"
    if found != documented:
        yield f"forgotten after days: {found}, documented: {documented}"
