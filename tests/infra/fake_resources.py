"""Resource Manager for the real az: a resource group, what was deployed there, an app, and rights that were given.

Knows what deploy.sh needs and nothing more.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.infra.fake_blobs import Container
from tests.infra.fake_entra import TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000aa"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SCOPE}/resourceGroups/rg-x"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/func-x"
DEPLOYMENT = f"{GROUP}/providers/Microsoft.Resources/deployments/sendgrid-segment-export"
PACKAGES = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/sthost/blobServices/default/containers/packages"
CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Storage Blob Data Contributor."""
OURS = {"application": "sendgrid-segment-export"}
OUTPUTS = {
    "functionAppName": "func-x",
    "functionAppUrl": "https://func-x.azurewebsites.net",
    "keyVaultName": "kv-x",
    "dataStorageAccount": "stdata",
    "hostStorageAccount": "sthost",
    "entraClientId": "",
}

PYTHON = {
    "value": "3.13",
    "stackSettings": {
        "linuxRuntimeSettings": {
            "Sku": [
                {
                    "skuCode": "FC1",
                    "functionAppConfigProperties": {"runtime": {"name": "python", "version": "3.13"}},
                }
            ],
            "gitHubActionSettings": {"isSupported": True, "supportedVersion": "3.13"},
            "appInsightsSettings": {"isSupported": True},
        }
    },
}

THE_APP: dict[str, Any] = {
    "id": SITE,
    "name": "func-x",
    "type": "Microsoft.Web/sites",
    "location": "North Europe",
    "kind": "functionapp,linux",
    "tags": OURS,
    "properties": {
        "resourceGroup": "rg-x",
        "serverFarmId": f"{GROUP}/providers/Microsoft.Web/serverfarms/plan-x",
        "sku": "FlexConsumption",
        "reserved": True,
        "defaultHostName": "func-x.azurewebsites.net",
        "enabledHostNames": ["func-x.azurewebsites.net", "func-x.scm.azurewebsites.net"],
        "hostNameSslStates": [
            {"name": "func-x.azurewebsites.net", "hostType": "Standard"},
            {"name": "func-x.scm.azurewebsites.net", "hostType": "Repository"},
        ],
        "functionAppConfig": {
            "runtime": {"name": "python", "version": "3.13"},
            "deployment": {"storage": {"value": "https://sthost.blob.core.windows.net/app-package"}},
        },
    },
}

PLAIN: dict[str, Any] = {
    r"GET /tenants": {"value": [{"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Contoso"}]},
    r"GET /subscriptions": {
        "value": [
            {
                "id": SCOPE,
                "subscriptionId": SUBSCRIPTION,
                "tenantId": TENANT,
                "displayName": "Contoso",
                "state": "Enabled",
            }
        ]
    },
    r"GET /subscriptions/[^/]*/providers/[\w.]+": {"registrationState": "Registered"},
    r"POST .*/deployments/[\w-]+/whatIf": {
        "status": "Succeeded",
        "properties": {
            "changes": [
                {
                    "resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stdata",
                    "changeType": "Modify",
                    "before": {"tags": {}},
                    "after": {"tags": OURS},
                    "delta": [{"path": "tags", "propertyChangeType": "Create", "after": OURS, "children": []}],
                }
            ]
        },
    },
    r"POST .*/deployments/[\w-]+/validate": {"properties": {"provisioningState": "Succeeded"}},
    r"GET .*/deployments/[\w-]+/operations": {"value": []},
    r"GET .*/serverfarms/plan-x": {
        "id": f"{GROUP}/providers/Microsoft.Web/serverfarms/plan-x",
        "name": "plan-x",
        "location": "North Europe",
        "sku": {"name": "FC1", "tier": "FlexConsumption"},
    },
    r"GET .*/locations/[^/]+/functionAppStacks": {
        "value": [{"name": "python", "properties": {"majorVersions": [{"minorVersions": [PYTHON]}]}}]
    },
    r"POST .*/sites/func-x/config/appsettings/list": {"properties": {}},
    r"GET .*/sites/func-x/config/slotConfigNames": {"properties": {}},
    r"GET .*/sites/func-x/config/authsettingsV2": {"properties": {"platform": {"enabled": False}}},
    r"GET .*/providers/Microsoft.Authorization/locks": {"value": []},
    r"GET .*/providers/Microsoft.Authorization/roleDefinitions": {
        "value": [
            {
                "id": f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}",
                "name": CONTRIBUTOR,
                "properties": {"roleName": "Storage Blob Data Contributor"},
            }
        ]
    },
}
"""What is answered without thinking: method and path to a document."""

VAULT: dict[str, Any] = {
    "id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-x",
    "name": "kv-x",
    "type": "Microsoft.KeyVault/vaults",
    "location": "northeurope",
    "tags": OURS,
    "properties": {"publicNetworkAccess": "Enabled"},
}
ACCOUNT: dict[str, Any] = {
    "id": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/sthost",
    "name": "sthost",
    "type": "Microsoft.Storage/storageAccounts",
    "location": "northeurope",
    "tags": OURS,
    "properties": {"publicNetworkAccess": "Enabled"},
}
DELETED_VAULT: dict[str, Any] = {
    "name": "kv-x",
    "properties": {"vaultId": VAULT["id"], "location": "northeurope", "tags": OURS},
}
THERE: dict[str, list[Any]] = {
    r"GET .*/providers/Microsoft.Web/sites": [THE_APP],
    r"GET .*/providers/Microsoft.KeyVault/vaults": [VAULT],
    r"GET .*/vaults/kv-x/secrets": [{"name": "sendgrid-api-key"}],
    r"GET .*/providers/Microsoft.Storage/storageAccounts": [ACCOUNT],
    r"GET .*/resources": [THE_APP, VAULT, ACCOUNT],
    r"GET .*/providers/Microsoft.Consumption/budgets": [
        {"name": "sgexport-monthly", "properties": {"timePeriod": {"startDate": "2026-03-01T00:00:00Z"}}}
    ],
}
"""Lists that are empty before a deployment, and have this in them afterwards."""


class ResourceManager:
    """What Azure has and has been told."""

    def __init__(self) -> None:
        self.group_there = False
        self.closed = False
        """Whether somebody closed account and vault to the internet."""
        self.removed = False
        """Whether there was a deployment once whose group was removed."""
        self.packages = Container("packages")
        self.deployed: dict[str, Any] = {}
        """The properties of the last deployment, as they were sent."""
        self.keys: dict[str, str] = {}
        """Function keys of the host that were stored, by name."""
        self.given: set[tuple[str, str, str, str]] = set()
        """Rights: role, principal, its kind, scope."""

    def answer(self, method: str, url: str, body: bytes) -> tuple[int, Any] | None:
        """Status and document; None for what is not known here."""
        path = urlsplit(url).path.replace("/resourcegroups/", "/resourceGroups/").rstrip("/")
        line = f"{method} {path}"
        knows: dict[str, Callable[[], tuple[int, Any] | None]] = {
            rf"\w+ {GROUP}": lambda: self._group(method),
            rf"(GET|PUT) {DEPLOYMENT}": lambda: self._deployment(method, body),
            rf"GET {DEPLOYMENT.rpartition('/')[0]}": lambda: _list([self._deployed()] if self.deployed else []),
            rf"GET {SITE}": lambda: (200, THE_APP) if self.deployed else None,
            rf"POST {SITE}/host/default/listkeys": lambda: (
                200,
                {"masterKey": "master", "functionKeys": self.keys},
            ),
            rf"PUT {SITE}/host/default/functionKeys/\w+": lambda: self._store_key(body),
            r"PUT .*/roleAssignments/[\w-]+": lambda: self._give(path, body),
            r"GET .*/deletedVaults": lambda: _list([DELETED_VAULT] if self.removed else []),
        }
        for pattern, does in knows.items():
            if re.fullmatch(pattern, line):
                return does()
        return self._look_up(line)

    def _look_up(self, line: str) -> tuple[int, Any] | None:
        for pattern, document in PLAIN.items():
            if re.fullmatch(pattern, line):
                return 200, document
        for pattern, documents in THERE.items():
            if re.fullmatch(pattern, line):
                return _list([self._as_it_is(each) for each in documents] if self.deployed else [])
        return None

    def _as_it_is(self, document: dict[str, Any]) -> dict[str, Any]:
        if not self.closed or "publicNetworkAccess" not in document.get("properties", {}):
            return document
        return document | {"properties": {"publicNetworkAccess": "Disabled"}}

    def _group(self, method: str) -> tuple[int, Any]:
        if method == "PUT":
            self.group_there = True
        elif not self.group_there:
            return 404, {"error": {"code": "ResourceGroupNotFound", "message": "none"}}
        elif method == "DELETE":
            self.group_there, self.removed, self.deployed = False, True, {}
            for each in (self.keys, self.given, self.packages.blobs):
                each.clear()
        document = {"id": GROUP, "name": "rg-x", "location": "northeurope", "properties": {}}
        return (204 if method == "HEAD" else 201 if method == "PUT" else 200), document

    def _deployment(self, method: str, body: bytes) -> tuple[int, Any] | None:
        if method == "PUT":
            # az sends the key `template` without quotes
            self.deployed = json.loads(re.sub(rb"([{,]\s*)template:", rb'\1"template":', body))["properties"]
        return (200, self._deployed()) if self.deployed else None

    def _deployed(self) -> dict[str, Any]:
        """What Azure tells of it: secure parameters without their values."""
        declared = self.deployed["template"]["parameters"]
        parameters = {
            name: {"type": declared[name]["type"], **({} if _is_secure(declared[name]) else given)}
            for name, given in self.deployed["parameters"].items()
        }
        outputs = {name: {"type": "String", "value": value} for name, value in OUTPUTS.items()}
        properties = {"provisioningState": "Succeeded", "parameters": parameters, "outputs": outputs}
        return {"id": DEPLOYMENT, "name": DEPLOYMENT.rpartition("/")[2], "properties": properties}

    def _store_key(self, body: bytes) -> tuple[int, Any]:
        key = json.loads(body)["properties"]
        self.keys[key["name"]] = key["value"]
        return 201, {"properties": key}

    def _give(self, path: str, body: bytes) -> tuple[int, Any]:
        wanted = json.loads(body)["properties"]
        scope = path.partition("/providers/Microsoft.Authorization/")[0]
        role = wanted["roleDefinitionId"].rpartition("/")[2]
        self.given.add((role, wanted["principalId"], wanted["principalType"], scope))
        return 201, {"id": path, "name": path.rpartition("/")[2], "properties": wanted | {"scope": scope}}


def _list(documents: list[Any]) -> tuple[int, Any]:
    return 200, {"value": documents}


def _is_secure(declared: dict[str, Any]) -> bool:
    return str(declared["type"]).lower().startswith("secure")
