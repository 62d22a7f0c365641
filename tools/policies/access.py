"""The app may do what it must, as itself, and nothing secret lies about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tools.policies.common import setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan, Resource


ROLES: Final = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "db58b8e5-c6ad-4a2a-8342-4190687cbf4a": "Storage Blob Delegator",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""

THE_APP: Final = "the app"
EVENT_GRID: Final = "Event Grid"
CUSTOMER_INSIGHTS: Final = "Customer Insights"

HOST: Final = r"/storageAccounts/st\w*host\w*"
DATA: Final = r"/storageAccounts/st\w*data\w*"
NEITHER: Final = r"/storageAccounts/(?!st\w*(host|data))\w+"
CONTAINERS: Final = "/blobServices/default/containers"
QUEUES: Final = "/queueServices/default/queues"

WRITER: Final = "Key Vault Secrets Officer"
"""Granted only where secretWriters asks for it."""

WIDEST_SCOPES: Final = {
    THE_APP: {
        "Storage Blob Data Owner": rf"{HOST}$",
        "Storage Table Data Contributor": rf"{HOST}$",
        "Storage Blob Data Contributor": rf"{DATA}{CONTAINERS}/sendgrid-[\w-]+$",
        "Storage Blob Data Reader": rf"{NEITHER}{CONTAINERS}/[\w-]+$",
        "Storage Queue Data Contributor": rf"{DATA}{QUEUES}/[\w-]+$",
        "Key Vault Secrets User": r"/vaults/[\w-]+/secrets/[\w-]+$",
        WRITER: r"/vaults/[\w-]+/secrets/[\w-]+$",
        "Monitoring Metrics Publisher": r"/components/[\w-]+$",
    },
    EVENT_GRID: {
        "Storage Queue Data Message Sender": rf"{DATA}{QUEUES}/extract-events$",
        "Storage Blob Data Contributor": rf"{DATA}{CONTAINERS}/undelivered-events$",
    },
    CUSTOMER_INSIGHTS: {
        "Storage Blob Data Contributor": rf"{NEITHER}{CONTAINERS}/[\w-]+$",
        "Storage Blob Delegator": rf"{NEITHER}$",
    },
}
"""By whom a role is granted to, the end of the ID of what it may be granted on: one container, queue, secret."""

GRANTEES: Final = {
    THE_APP: re.compile(r"\[reference\('[^']*/userAssignedIdentities/[^']+', '[^']+'\)\.principalId\]"),
    EVENT_GRID: re.compile(r"\[reference\('[^']*/systemTopics/[^']+', '[^']+', 'full'\)\.identity\.principalId\]"),
    CUSTOMER_INSIGHTS: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
"""How a snapshot writes the object ID of each; that of Customer Insights is a parameter."""

FORBIDDEN_SETTINGS: Final = re.compile(
    r"FUNCTIONS_(WORKER_RUNTIME|EXTENSION_VERSION|WORKER_PROCESS_COUNT)|WEBSITE_(RUN_FROM_PACKAGE|CONTENT\w*"
    r"|TIME_ZONE|NODE_DEFAULT_VERSION|VNET_ROUTE_ALL|DNS_SERVER)|SCM_DO_BUILD_DURING_DEPLOYMENT"
    r"|ENABLE_ORYX_BUILD|TZ|AzureWebJobs(Storage|Dashboard)|DataStorage|ExtractStorage|\w*_KEY|APPINSIGHTS_\w+"
)
"""Settings that Flex Consumption refuses or ignores, and those that would hold a key.

https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
"""

SECRETS: Final = re.compile(
    r"AccountKey=|SharedAccess|InstrumentationKey=[0-9a-f]|sig=|SG\.[\w-]{5,}|Password=|parameters\('sendGridApiKey'\)"
    r"|\blist(Keys|AccountSas|ServiceSas|\w*Secrets?)\("
)
"""A snapshot has the secret parameter as an expression, and so what would ask Azure for a key."""


def _grantee(grant: Resource) -> str:
    """Whom a role is granted to; empty when it is nobody we know."""
    principal = str(grant.get("properties.principalId"))
    return next((who for who, form in GRANTEES.items() if form.fullmatch(principal)), "")


def _missing(given: dict[str, set[str]]) -> Iterator[str]:
    """The app has all of its roles, writing apart; Event Grid and Customer Insights, where they have any, too."""
    for who, roles in given.items():
        if (roles or who == THE_APP) and (missing := set(WIDEST_SCOPES[who]) - roles - {WRITER}):
            yield f"never granted: {sorted(missing)} to {who}"


def roles_are_least(plan: Plan) -> Iterator[str]:
    """Known roles only, each on the smallest thing that does, to whom it is for, once."""
    seen: set[tuple[str, str, str]] = set()
    for grant in plan.of_type("Microsoft.Authorization/roleAssignments"):
        guid = str(grant.get("properties.roleDefinitionId")).rpartition("/")[2]
        role, who, scope = ROLES.get(guid, ""), _grantee(grant), grant.scope
        widest = WIDEST_SCOPES.get(who, {}).get(role)
        if not role:
            yield f"unknown role {guid} on {scope}"
        elif not who:
            yield f"{role} is granted to {grant.get('properties.principalId')}"
        elif widest is None or not re.search(widest, scope):
            yield f"{role} is granted on {scope} to {who}"
        if grant.get("properties.principalType") != "ServicePrincipal":
            yield f"{role} is granted to a {grant.get('properties.principalType')}"
        if (who, role, scope) in seen:
            yield f"{role} is granted twice on {scope}"
        seen.add((who, role, scope))
    yield from _missing({who: {role for each, role, _ in seen if each == who} for who in WIDEST_SCOPES})
    names = [each.name for each in plan.of_type("Microsoft.Authorization/roleAssignments")]
    if len(set(names)) < len(names):
        yield "two role assignments have one name"


def secrets_are_written_as_told(plan: Plan) -> Iterator[str]:
    """The app may write those secrets that its setting names, which is none unless they are asked for."""
    grants = plan.of_type("Microsoft.Authorization/roleAssignments")
    roles = [(ROLES.get(str(each.get("properties.roleDefinitionId")).rpartition("/")[2]), each) for each in grants]
    written = sorted(each.scope.rpartition("/")[2] for role, each in roles if role == WRITER)
    named = str(setting(plan, "SECRET_WRITERS") or "")
    if written != sorted(filter(None, named.split(","))):
        yield f"SECRET_WRITERS is {named!r}, and the app may write {written}"


APPEND_ONLY: Final = re.compile(
    r"""\(\s*\(\s*!\(ActionMatches\{'(?P<first>[^']+)'\}\)(?P<more>(\s*AND\s*!\(ActionMatches\{'[^']+'\}\))*)\s*\)"""
    r"""\s*OR\s*\(\s*@Resource\[Microsoft\.Storage/storageAccounts/blobServices/containers:name\]"""
    r"""\s*StringEquals '-'\s*\)\s*\)\s*"""
)
"""A condition that allows all but the actions it names: no container is called '-'.

https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""
BLOBS: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
REWRITING: Final = frozenset({f"{BLOBS}/write", f"{BLOBS}/delete", f"{BLOBS}/move/action"})
"""What of Storage Blob Data Contributor changes or removes what is there; Append Block needs `add/action` only.

https://learn.microsoft.com/rest/api/storageservices/append-block#authorization
"""


def audit_log_is_appended_to_only(plan: Plan) -> Iterator[str]:
    """The app reads the audit log and adds to it, and only there is a condition needed."""
    container = setting(plan, "AUDIT_CONTAINER")
    grants = plan.of_type("Microsoft.Authorization/roleAssignments")
    ours = [grant for grant in grants if grant.scope.endswith(f"/containers/{container}")]
    if len(ours) != 1:
        yield f"{len(ours)} roles are granted on {container}"
    for grant in ours:
        match = APPEND_ONLY.fullmatch(str(grant.get("properties.condition")))
        named = set(re.findall(r"'(Microsoft[^']+)'", match[0])) if match else set()
        if named != REWRITING or grant.get("properties.conditionVersion") != "2.0":
            yield f"{container}: the app may do more than append, by {grant.get('properties.condition')}"
    for grant in grants:
        if grant not in ours and grant.get("properties.condition"):
            yield f"{grant.scope}: has a condition"


def queues_are_granted(plan: Plan) -> Iterator[str]:
    """Every queue has its poison queue, and both have a role assignment."""
    grants = plan.of_type("Microsoft.Authorization/roleAssignments")
    granted = {each.scope for each in grants if _grantee(each) == THE_APP}
    queues = plan.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")
    names = {queue.name for queue in queues}
    for queue in queues:
        if queue.id not in granted:
            yield f"queue {queue.name}: the app may not use it"
        if not queue.name.endswith("-poison") and f"{queue.name}-poison" not in names:
            yield f"queue {queue.name}: has no poison queue"


def settings_are_allowed(plan: Plan) -> Iterator[str]:
    """No setting that Flex Consumption forbids, none that holds a secret, all of them text."""
    for config in plan.of_type("Microsoft.Web/sites/config"):
        if config.name != "appsettings":
            continue
        for name, value in config.body["properties"].items():
            if FORBIDDEN_SETTINGS.fullmatch(name):
                yield f"setting {name}: not on Flex Consumption, not with an identity"
            if not isinstance(value, str):
                yield f"setting {name}: {value!r} is not text"


def connections_are_identities(plan: Plan) -> Iterator[str]:
    """Every connection says which identity, and where."""
    for config in plan.of_type("Microsoft.Web/sites/config"):
        if config.name != "appsettings":
            continue
        settings = config.body["properties"]
        client = settings.get("AZURE_CLIENT_ID")
        for name, service in (
            ("AzureWebJobsStorage", "host"),
            ("DataStorage", "data"),
        ):
            if settings.get(f"{name}__credential") != "managedidentity":
                yield f"{name}: does not say managedidentity"
            if settings.get(f"{name}__clientId") != client:
                yield f"{name}: another identity than AZURE_CLIENT_ID"
            for kind in ("blob", "queue"):
                address = str(settings.get(f"{name}__{kind}ServiceUri"))
                account = rf"\[reference\('[^']*/st\w*{service}\w*', '[^']+'\)"
                if not re.fullmatch(rf"{account}\.primaryEndpoints\.{kind}\]", address):
                    yield f"{name}: {kind} service is {address}"
        telemetry = settings.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")
        if telemetry != f"[format('ClientId={{0}};Authorization=AAD', {str(client)[1:-1]})]":
            yield f"telemetry is sent as {telemetry}"


def nothing_secret(plan: Plan) -> Iterator[str]:
    """No value anywhere looks like a key, but the one secret that goes into the vault."""
    for item in plan.resources:
        its_value = ".properties.value" if item.type.endswith("/secrets") else None
        for path, text in _texts(item.body, ""):
            if path not in {its_value, ".condition"} and SECRETS.search(text):
                yield f"{item.type} {item.name}: {path} looks like a secret"
    for name, value in plan.outputs.items():
        if SECRETS.search(str(value)):
            yield f"output {name} looks like a secret"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON values
    match value:
        case str():
            yield path, value
        case dict():
            for key, each in value.items():
                yield from _texts(each, f"{path}.{key}")
        case list():
            for index, each in enumerate(value):
                yield from _texts(each, f"{path}[{index}]")
