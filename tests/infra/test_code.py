"""What is deployed is what the code reads, uses and emits."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

from shared.limits import POISON_RETENTION, RETENTION
from shared.model.messages import every_queue
from shared.model.roles import Role
from shared.settings import SETTING_NAMES, Settings, read_settings
from shared.telemetry import Event
from tools.bicep import TARGET
from tools.telemetry_queries import alert_queries, events_named, facts_read, workbook_queries

if TYPE_CHECKING:
    from pathlib import Path

    from tools.bicep import Compiler
    from tools.deployment import Plan, Resource

READ_BY_THE_HOST = {
    *(f"AzureWebJobsStorage__{name}" for name in ("credential", "clientId")),
    *(f"AzureWebJobsStorage__{name}ServiceUri" for name in ("blob", "queue", "table")),
    "AzureWebJobsDisableHomepage",
    "DataStorage__credential",
    "DataStorage__clientId",
    "SCHEDULE_TICK",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
READ_BY_AZURE_IDENTITY = {"AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"}
CONNECTION_STRINGS = {"DataStorage", "ExtractStorage"}
"""Read for Azurite under Core Tools; in Azure they must not be set."""


def _settings(plan: Plan) -> dict[str, str]:
    config = next(each for each in plan.of_type("Microsoft.Web/sites/config") if each.name == "appsettings")
    settings: dict[str, str] = config.body["properties"]
    return settings


def _queries(root: Path, plan: Plan) -> list[str]:
    return alert_queries(plan) + workbook_queries(root / "infra")


IN_EVERY_LINE = {"event", "trace", "operation_id"}


def _facts(root: Path) -> dict[Event, set[str]]:
    """What the code says with each event, read from its `log_event(Event.X, fact=…)` calls."""
    facts: dict[Event, set[str]] = {}
    for path in (*root.glob("shared/**/*.py"), *root.glob("functions/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name("log_event"), args=[ast.Attribute(attr=name), *_], keywords=words):
                    facts.setdefault(Event[name], set(IN_EVERY_LINE)).update(word.arg or "" for word in words)
    return facts


def test_every_setting_the_code_reads_is_set(variant: Plan) -> None:
    assert set(SETTING_NAMES) - CONNECTION_STRINGS <= _settings(variant).keys()


def test_no_setting_is_set_that_nothing_reads(variant: Plan) -> None:
    read = {*SETTING_NAMES, *READ_BY_THE_HOST, *READ_BY_AZURE_IDENTITY} - CONNECTION_STRINGS
    assert _settings(variant).keys() <= read


def test_code_accepts_the_settings(public: Plan) -> None:
    settings = _settings(public) | {"KEY_VAULT_URL": "https://kv-x.vault.azure.net/"}
    assert isinstance(read_settings(settings), Settings)


def test_extracts_are_read_from_where_they_are_delivered(variant: Plan) -> None:
    foreign = any("stcontoso" in each.id for each in variant.resources)
    account = "stcontoso" if foreign else variant.outputs["extractStorageAccount"]
    assert f"/storageAccounts/{account}'" in _settings(variant)["ExtractStorage__blobServiceUri"]
    assert account not in {variant.outputs["dataStorageAccount"], variant.outputs["hostStorageAccount"]}


def _extracts(plan: Plan) -> Resource:
    account = plan.outputs["extractStorageAccount"]
    return next(each for each in plan.resources if each.id.endswith(f"/storageAccounts/{account}"))


def test_keys_and_flat_names_are_there_only_where_they_are_asked_for(
    compiler: Compiler, root: Path, public: Plan
) -> None:
    names = ("properties.allowSharedKeyAccess", "properties.isHnsEnabled")
    given = {"extractAccountKeys": True, "extractHierarchicalNamespace": False}
    asked = compiler.plan(root / "infra/main.bicep", given)
    assert [_extracts(public).get(name) for name in names] == [False, True]
    assert [_extracts(asked).get(name) for name in names] == [True, False]
    others = [
        each for each in asked.of_type("Microsoft.Storage/storageAccounts") if each.id != _extracts(asked).id
    ]
    assert {each.get("properties.allowSharedKeyAccess") for each in others} == {False}


def test_events_of_an_account_elsewhere_come_in_where_they_are_asked_for(compiler: Compiler, root: Path) -> None:
    given = {"network": "private", "extractStorageAccount": "stcontoso", "extractEvents": True}
    plan = compiler.plan(root / "infra/main.bicep", given)
    passed = {
        each.name: each.get("properties.networkAcls.bypass")
        for each in plan.of_type("Microsoft.Storage/storageAccounts")
    }
    data, host = plan.outputs["dataStorageAccount"], plan.outputs["hostStorageAccount"]
    assert passed == {data: "AzureServices", host: "None"}
    assert plan.of_type("Microsoft.EventGrid/systemTopics") == []


def test_without_events_nothing_passes_and_nothing_watches(compiler: Compiler, root: Path) -> None:
    plan = compiler.plan(root / "infra/main.bicep", {"network": "private", "extractEvents": False})
    accounts = plan.of_type("Microsoft.Storage/storageAccounts")
    assert {each.get("properties.networkAcls.bypass") for each in accounts} == {"None"}
    assert not any("EventGrid" in each.type for each in plan.resources)


def test_zones_are_outlived_by_all_or_by_none(plans: dict[str, Plan]) -> None:
    skus = {
        name: {each.get("sku.name") for each in plan.of_type("Microsoft.Storage/storageAccounts")}
        for name, plan in plans.items()
    }
    assert (skus["public"], skus["kept"]) == ({"Standard_LRS"}, {"Standard_ZRS"})
    assert skus["in a folder"] == {"Standard_GZRS"}
    redundant = {
        name: plan.of_type("Microsoft.Web/serverfarms")[0].get("properties.zoneRedundant")
        for name, plan in plans.items()
    }
    assert [name for name, value in redundant.items() if value] == ["kept", "in a folder"]


def test_locks_keep_whatever_cannot_be_made_again(plans: dict[str, Plan]) -> None:
    locked = [each.scope.rpartition("/")[2] for each in plans["kept"].of_type("Microsoft.Authorization/locks")]
    outputs = plans["kept"].outputs
    names = ("dataStorageAccount", "keyVaultName", "extractStorageAccount")
    assert sorted(locked) == sorted(outputs[name] for name in names)
    assert plans["public"].of_type("Microsoft.Authorization/locks") == []


def test_queues_are_those_of_the_code(public: Plan) -> None:
    queues = [each.name for each in public.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")]
    assert set(queues) == {*every_queue(), "extract-events", "extract-events-poison"}


def test_containers_are_those_of_the_settings(public: Plan) -> None:
    containers = {
        each.name for each in public.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
    }
    settings = _settings(public)
    ours = {settings[name] for name in ("STATE_CONTAINER", "EXTRACT_CONTAINER", "AUDIT_CONTAINER")}
    assert containers == ours | {"app-package", "packages", "undelivered-events"}


def test_default_containers_are_those_of_the_code(public: Plan) -> None:
    ours = read_settings(_settings(public) | {"KEY_VAULT_URL": "https://x"})
    names = ("DataStorage__blobServiceUri", "DataStorage__queueServiceUri", "AUTHENTICATION", "KEY_ROLES")
    defaults = read_settings({name: _settings(public)[name] for name in names} | {"KEY_VAULT_URL": "https://x"})
    containers = [
        (each.state_container, each.extract_container, each.audit_container) for each in (ours, defaults)
    ]
    assert containers[0] == containers[1]


def _forgotten_after(plan: Plan, name: str) -> int:
    """Days after which a lifecycle rule forgets."""
    policies = plan.of_type("Microsoft.Storage/storageAccounts/managementPolicies")
    rules = {rule["name"]: rule for each in policies for rule in each.get("properties.policy.rules")}
    days: int = rules[name]["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    return days


def test_runs_are_not_forgotten_before_the_app_has_cleaned_up(public: Plan) -> None:
    assert _forgotten_after(public, "forget-runs") * 86_400 > 4 * RETENTION


def test_poison_messages_are_kept_as_long_as_the_app_keeps_them(public: Plan) -> None:
    assert _forgotten_after(public, "forget-poison-messages") == POISON_RETENTION / 86_400


def test_app_roles_are_for_people_and_applications(root: Path) -> None:
    roles = json.loads((root / "infra/app-roles.json").read_text())
    assert [role["value"] for role in roles] == [*Role]
    assert {tuple(role["allowedMemberTypes"]) for role in roles} == {("User", "Application")}
    assert len({role["id"] for role in roles}) == len(Role)


def test_callers_have_keys_or_tokens(plans: dict[str, Plan]) -> None:
    keys, entra = _settings(plans["public"]), _settings(plans["entra"])
    assert (keys["AUTHENTICATION"], entra["AUTHENTICATION"]) == ("keys", "entra")
    assert (keys["ENTRA_CLIENT_ID"], entra["ENTRA_CLIENT_ID"]) == ("", "11111111-1111-1111-1111-111111111111")
    assert json.loads(keys["KEY_ROLES"]) == {"admin": "Administrator"}
    assert entra["KEY_ROLES"] == "{}"
    assert entra["ENTRA_TENANT_ID"] == TARGET["tenantId"]


def test_tokens_are_issued_where_the_front_looks_for_them(plans: dict[str, Plan]) -> None:
    """One login endpoint, by Azure's word, without its closing slash for the app."""
    authority = _settings(plans["entra"])["ENTRA_AUTHORITY"].replace(
        "environment().authentication.loginEndpoint", "variables('login')"
    )
    login = "variables('login')"
    assert authority == f"[if(endsWith({login}, '/'), take({login}, sub(length({login}), 1)), {login})]"


def test_keys_have_the_roles_that_were_given(compiler: Compiler, root: Path) -> None:
    given = {"admin": "Administrator", "crm": {"role": "Operator", "export": "high-value"}}
    settings = _settings(compiler.plan(root / "infra/main.bicep", {"keyRoles": given}))
    assert json.loads(settings["KEY_ROLES"]) == given


def test_sample_has_the_roles_of_keys_that_are_deployed(root: Path, public: Plan) -> None:
    sample = json.loads((root / "local.settings.sample.json").read_text())["Values"]
    names = ("AUTHENTICATION", "KEY_ROLES", "AUDIT_CONTAINER")
    assert {name: sample[name] for name in names} == {name: _settings(public)[name] for name in names}


def test_every_message_taken_has_a_thread(root: Path, public: Plan) -> None:
    queues = json.loads((root / "host.json").read_text())["extensions"]["queues"]
    threads = int(_settings(public)["PYTHON_THREADPOOL_THREAD_COUNT"])
    assert threads >= queues["batchSize"] + queues["newBatchThreshold"]


def test_lines_that_alerts_count_are_not_sampled(root: Path) -> None:
    sampling = json.loads((root / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]
    assert not sampling["isEnabled"] or "Trace" in sampling["excludedTypes"].split(";")


def test_queries_name_events_that_the_code_emits(root: Path, public: Plan) -> None:
    emitted = {str(event) for event in _facts(root)}
    for query in _queries(root, public):
        assert events_named(query), query
        assert events_named(query) <= emitted, query


def test_queries_read_facts_that_come_with_the_events(root: Path, public: Plan) -> None:
    facts = _facts(root)
    for query in _queries(root, public):
        known = {fact for name in events_named(query) for fact in facts[Event(name)]}
        assert facts_read(query), query
        assert facts_read(query) <= known, query


def test_every_event_that_means_trouble_has_an_alert(public: Plan) -> None:
    watched = {name for query in alert_queries(public) for name in events_named(query)}
    trouble = {Event.POISON_MESSAGE, Event.SWEEP_HEALED, Event.SWEEP_FAILED, Event.SENDGRID_REFUSED}
    trouble |= {Event.ACCESS_DENIED, Event.EXPORT_OVERDUE, Event.REJECTED_JUMPED, Event.LIST_CHECKED}
    trouble |= {Event.NOTIFICATION_LOST, Event.NOT_TOLD}
    assert {str(event) for event in (*trouble, Event.THROTTLED, Event.RUN_FINISHED)} <= watched


def test_statuses_in_queries_are_those_of_runs(root: Path, public: Plan) -> None:
    from shared.model.reasons import RunStatus

    known = {str(status) for status in RunStatus} | {"401", "403"}
    for query in _queries(root, public):
        for part in re.findall(r"status (?:==|in) (\([^)]*\)|\"\w+\")", query):
            assert set(re.findall(r'"(\w+)"', part)) <= known, query
