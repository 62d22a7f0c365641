"""Accounts, vault, app and telemetry are locked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.describe_api import console_paths
from tools.policies.common import extract_account, must, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan, Resource


ISSUER: Final = re.compile(
    r"\[format\('\{0\}\{1\}/v2\.0', environment\(\)\.authentication\.loginEndpoint, '[0-9a-f-]{36}'\)\]"
)
"""The cloud's own login, and one tenant."""


def storage_is_locked(plan: Plan) -> Iterator[str]:
    """No account keys, no public blobs, TLS 1.2, Entra by default."""
    for account in plan.of_type("Microsoft.Storage/storageAccounts"):
        if account.get("kind") != "StorageV2":
            yield f"{account.name}: kind is {account.get('kind')!r}"
        yield from must(
            account,
            allowSharedKeyAccess=False,
            allowBlobPublicAccess=False,
            allowCrossTenantReplication=False,
            defaultToOAuthAuthentication=True,
            minimumTlsVersion="TLS1_2",
            supportsHttpsTrafficOnly=True,
        )
    for container in plan.of_type("Microsoft.Storage/storageAccounts/blobServices/containers"):
        yield from must(container, publicAccess="None")


def deleted_blobs_come_back(plan: Plan) -> Iterator[str]:
    """Soft delete is on, for blobs and containers, in every account but that of the extracts (extracts.py)."""
    services = plan.of_type("Microsoft.Storage/storageAccounts/blobServices")
    extracts = extract_account(plan)
    for service in services:
        if extracts and service.id.startswith(extracts.id + "/"):
            continue
        yield from must(service, deleteRetentionPolicy__enabled=True, containerDeleteRetentionPolicy__enabled=True)
        days = service.get("properties.deleteRetentionPolicy.days")
        if not isinstance(days, int) or days < 1:
            yield f"{service.id}: deleted blobs are kept {days} days"
    for account in plan.of_type("Microsoft.Storage/storageAccounts"):
        if not any(service.id.startswith(account.id + "/") for service in services):
            yield f"{account.name}: has no blob service settings"


def vault_is_locked(plan: Plan) -> Iterator[str]:
    """RBAC, purge protection, soft delete, an audit log, no access policies."""
    for vault in plan.of_type("Microsoft.KeyVault/vaults"):
        yield from must(
            vault,
            sku__family="A",
            enableRbacAuthorization=True,
            enablePurgeProtection=True,
            enableSoftDelete=True,
            softDeleteRetentionInDays=90,
            enabledForDeployment=False,
            enabledForDiskEncryption=False,
            enabledForTemplateDeployment=False,
            accessPolicies=None,
            networkAcls__bypass="None",
        )
        logs = [each for each in plan.of_type("Microsoft.Insights/diagnosticSettings") if vault.id in each.id]
        if not any({"categoryGroup": "audit", "enabled": True} in each.get("properties.logs") for each in logs):
            yield f"{vault.name}: nobody records who reads its secrets"


def app_is_locked(plan: Plan) -> Iterator[str]:
    """HTTPS, TLS 1.2, no publishing passwords, a user-assigned identity for everything."""
    for app in plan.of_type("Microsoft.Web/sites"):
        yield from must(
            app,
            httpsOnly=True,
            siteConfig__minTlsVersion="1.2",
            siteConfig__scmMinTlsVersion="1.2",
            siteConfig__ftpsState="Disabled",
            functionAppConfig__runtime={"name": "python", "version": "3.13"},
            functionAppConfig__deployment__storage__type="blobContainer",
            functionAppConfig__deployment__storage__authentication__type="UserAssignedIdentity",
        )
        if app.get("identity.type") != "UserAssigned":
            yield f"{app.name}: identity is {app.get('identity.type')}"
        if app.get("kind") != "functionapp,linux":
            yield f"{app.name}: kind is {app.get('kind')}"
        closed = {
            each.name: each.get("properties.allow")
            for each in plan.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
        }
        if closed != {"ftp": False, "scm": False}:
            yield f"{app.name}: publishing passwords are {closed}"
    for host in plan.of_type("Microsoft.Web/serverfarms"):
        yield from _zones(plan, host)
        if host.get("sku") != {"name": "FC1", "tier": "FlexConsumption"} or not host.get("properties.reserved"):
            yield f"{host.name}: is not a Flex Consumption plan"


def _zones(plan: Plan, host: Resource) -> Iterator[str]:
    """Where the app outlives a zone its storage does, too."""
    for account in plan.of_type("Microsoft.Storage/storageAccounts"):
        sku = str(account.get("sku.name"))
        if host.get("properties.zoneRedundant") and "ZRS" not in sku:
            yield f"{account.name}: {sku} does not outlive a zone, and the app does"


def authentication_is_whole(plan: Plan) -> Iterator[str]:
    """Where Entra authentication is on, it is required everywhere but where it is needed before a sign-in."""
    for config in plan.of_type("Microsoft.Web/sites/config"):
        if config.name == "authsettingsV2":
            yield from must(
                config,
                platform__enabled=True,
                globalValidation__requireAuthentication=True,
                globalValidation__unauthenticatedClientAction="Return401",
                globalValidation__excludedPaths=["/api/health", "/api/reasons", "/api/sign-in", *console_paths()],
                httpSettings__requireHttps=True,
                identityProviders__azureActiveDirectory__enabled=True,
            )
            issuer = config.get("properties.identityProviders.azureActiveDirectory.registration.openIdIssuer")
            if not ISSUER.fullmatch(str(issuer)):
                yield f"{config.id}: issuer is {issuer}"


RECORDED: Final = {
    "blobServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    "queueServices": {"StorageWrite", "StorageDelete"},
}
"""What is recorded of each service of each account; reads of queues would cost more than all the rest."""


def storage_is_recorded(plan: Plan) -> Iterator[str]:
    """Who asked what of blobs and queues is kept, of all accounts; that of the extracts has blobs only."""
    settings = {each.scope: each for each in plan.of_type("Microsoft.Insights/diagnosticSettings")}
    workspaces = [each.id for each in plan.of_type("Microsoft.OperationalInsights/workspaces")]
    for account in plan.of_type("Microsoft.Storage/storageAccounts"):
        for service, wanted in RECORDED.items():
            if account == extract_account(plan) and service != "blobServices":
                continue
            record = settings.get(f"{account.id}/{service}/default")
            logs = record.get("properties.logs") if record else []
            if {log["category"] for log in logs if log["enabled"]} != wanted:
                yield f"{account.name}: of {service} is recorded: {logs}"
            if record and [record.get("properties.workspaceId")] != workspaces:
                yield f"{account.name}: {service} is recorded elsewhere"


def audit_log_is_kept(plan: Plan) -> Iterator[str]:
    """Where the audit log is immutable it may still grow."""
    for policy in plan.of_type("Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"):
        if not policy.id.endswith(f"/{setting(plan, 'AUDIT_CONTAINER')}/immutabilityPolicies/default"):
            yield f"{policy.id}: makes another container than the audit log immutable"
        yield from must(policy, allowProtectedAppendWrites=True)
        if not policy.get("properties.immutabilityPeriodSinceCreationInDays"):
            yield f"{policy.id}: has no days"


def telemetry_needs_identity(plan: Plan) -> Iterator[str]:
    """Nobody sends telemetry with a key."""
    for component in plan.of_type("Microsoft.Insights/components"):
        yield from must(component, DisableLocalAuth=True)
    for workspace in plan.of_type("Microsoft.OperationalInsights/workspaces"):
        yield from must(workspace, features__disableLocalAuth=True)
        if not workspace.get("properties.workspaceCapping.dailyQuotaGb"):
            yield f"{workspace.name}: has no daily cap"
