"""deploy.sh and destroy.sh on who may call the app: its Entra registration, and its function key."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.fake_azure_cli import ADMIN_KEY, DEPLOYED, FRESH, KEY, OURS, STRANGERS, WITH_ENTRA, FakeAzureCli

CHANGES = ("ad app update", "ad app create", "ad app delete", "ad sp create", "ad sp update")
APP_SETTING = ["^rest --method post .*/appsettings/list", OURS, 0]
MINE = WITH_ENTRA[1]


def _changed(azure_cli: FakeAzureCli) -> list[str]:
    """What was done to any registration."""
    lines = [line for line in azure_cli.lines() if line.startswith(CHANGES)]
    return lines + [line for line in azure_cli.lines() if "graph.microsoft.com" in line]


# --- the registration ---------------------------------------------------------------------------------------


def test_registration_that_the_app_uses_is_used(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = WITH_ENTRA
    result = azure_cli.deploy("--entra")
    assert result.returncode == 0, result.stderr
    assert azure_cli.parameters()["entraClientId"] == OURS
    update = azure_cli.line("ad app update")
    assert f"--id {OURS} --identifier-uris api://{OURS} --app-roles @" in update
    assert update.endswith("--requested-access-token-version 2")


def test_registration_in_the_apps_settings_counts_when_nothing_is_in_front(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [APP_SETTING, *DEPLOYED]
    result = azure_cli.deploy()
    assert azure_cli.parameters()["entraClientId"] == OURS
    assert "callers need a token" in result.stdout


@pytest.mark.parametrize("answers", [FRESH, DEPLOYED], ids=["first", "later"])
def test_registration_of_the_same_name_is_nobodys_business(
    azure_cli: FakeAzureCli, answers: list[list[object]]
) -> None:
    azure_cli.answers = answers
    result = azure_cli.deploy("--entra", "--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert result.returncode == 0, result.stderr
    assert [line for line in azure_cli.lines() if STRANGERS in line or "display-name" in line] == []
    assert azure_cli.parameters()["entraClientId"] == OURS


def test_new_registration_is_made_anew_and_noted(azure_cli: FakeAzureCli) -> None:
    azure_cli.deploy("--entra", "--location", "northeurope", SENDGRID_API_KEY=KEY)
    made = [line for line in azure_cli.lines() if "post --url https://graph.microsoft.com" in line]
    assert [line.partition(" --query")[0] for line in made] == [
        "rest --method post --url https://graph.microsoft.com/v1.0/applications"
    ]
    assert f"sendgrid-segment-export-entra={OURS}" in azure_cli.line("tag update")


def test_noted_registration_is_used_where_the_first_deployment_failed(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^group show .*tags", OURS, 0], MINE, *DEPLOYED]
    azure_cli.deploy("--entra")
    assert [line for line in azure_cli.lines() if "post --url https://graph.microsoft.com" in line] == []
    assert azure_cli.parameters()["entraClientId"] == OURS


@pytest.mark.parametrize("before", ["[]", "", '["https://exports.contoso.example/console"]'])
def test_registration_names_the_console_beside_what_it_named_before(azure_cli: FakeAzureCli, before: str) -> None:
    azure_cli.answers = [[f"^ad app show --id {OURS} --query spa", before, 0], *WITH_ENTRA]
    result = azure_cli.deploy("--entra")
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in azure_cli.lines() if "graph.microsoft.com" in line]
    assert line.startswith(
        "rest --method patch --url https://graph.microsoft.com/v1.0/applications/object-of-ours "
    )
    addresses = sorted([*json.loads(before or "[]"), f"{azure_cli.url}/console"])
    assert json.loads(line.partition("--body ")[2]) == {"spa": {"redirectUris": addresses}}


@pytest.mark.parametrize("owners", [["somebody", 0], ["", 0], ["", 1]], ids=["another", "nobody", "unknown"])
@pytest.mark.parametrize(
    "script",
    [("deploy.sh", "--skip-app", "--yes", "--without-export"), ("destroy.sh", "--yes")],
    ids=lambda words: words[0],
)
def test_registration_of_somebody_else_is_left_alone(
    azure_cli: FakeAzureCli, owners: list[object], script: tuple[str, ...]
) -> None:
    ours = ["resource list .*==", "/ours/func-x", 0]
    azure_cli.answers = [["^ad app owner list", *owners], ours, *WITH_ENTRA]
    result = azure_cli.run(*script, "--entra")
    assert (result.returncode, OURS in result.stderr) == (1, True)
    assert _changed(azure_cli) == []
    assert not [line for line in azure_cli.lines() if line.startswith(("deployment group create", "group delete"))]


@pytest.mark.parametrize("question", ["^functionapp list", "^rest .*/authsettingsV2", "^rest .*/appsettings/list"])
@pytest.mark.parametrize("arguments", [(), ("--entra",)], ids=["", "--entra"])
def test_no_answer_is_not_taken_for_none(
    azure_cli: FakeAzureCli, question: str, arguments: tuple[str, ...]
) -> None:
    """Otherwise an app with Entra would be deployed with keys, or with another registration."""
    azure_cli.answers = [[question, "", 1], *WITH_ENTRA]
    assert azure_cli.deploy(*arguments).returncode == 1
    assert _changed(azure_cli) == []
    assert not [line for line in azure_cli.lines() if line.startswith("deployment group create")]


def test_two_registrations_are_one_too_many(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^rest --method post .*/appsettings/list", STRANGERS, 0], *WITH_ENTRA]
    result = azure_cli.deploy()
    assert (result.returncode, "set ENTRA_CLIENT_ID to the right one" in result.stderr) == (1, True)


def test_whoever_deploys_without_entra_need_not_own_the_registration(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^rest .*/authsettingsV2", OURS, 0], *DEPLOYED]
    result = azure_cli.deploy()
    assert result.returncode == 0, result.stderr
    assert _changed(azure_cli) == []


def test_what_if_changes_no_registration(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["outputs.entraClientId", OURS, 0], *WITH_ENTRA]
    assert azure_cli.run("deploy.sh", "--entra", "--what-if").returncode == 0
    azure_cli.answers = DEPLOYED
    assert "deploy once without --what-if" in azure_cli.run("deploy.sh", "--entra", "--what-if").stderr
    assert _changed(azure_cli) == []


def test_destroy_removes_the_registration_that_the_app_names(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["resource list .*==", "/ours/func-x", 0], *WITH_ENTRA]
    result = azure_cli.run("destroy.sh", "--yes", "--entra")
    assert result.returncode == 0, result.stderr
    assert _changed(azure_cli) == [f"ad app delete --id {OURS}"]


def test_destroy_removes_no_registration_of_the_same_name(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["resource list .*==", "/ours/func-x", 0], *DEPLOYED]
    result = azure_cli.run("destroy.sh", "--yes", "--entra")
    assert _changed(azure_cli) == []
    assert "removed        app registration (the app names none)" in result.stdout


# --- the function key ---------------------------------------------------------------------------------------


def _stored(azure_cli: FakeAzureCli) -> list[str]:
    """The values that the key `admin` got."""
    calls = [call for call in azure_cli.calls() if "/functionKeys/admin?" in call["line"]]
    assert [call["line"].split()[:5] for call in calls] == [
        ["rest", "--method", "put", "--body", "@/dev/stdin"]
    ] * len(calls)
    bodies = [json.loads(call["input"])["properties"] for call in calls]
    assert [body["name"] for body in bodies] == ["admin"] * len(calls)
    return [body["value"] for body in bodies]


@pytest.mark.parametrize("before", ["", "None", "abcDEF123==", "admin", "admin.short", f"other.{'0' * 64}"])
def test_key_of_the_administrator_is_made(azure_cli: FakeAzureCli, before: str) -> None:
    azure_cli.answers = [["^functionapp keys list", before, 0], *DEPLOYED]
    result = azure_cli.deploy()
    assert result.returncode == 0, result.stderr
    (value,) = _stored(azure_cli)
    assert re.fullmatch(r"admin\.[0-9a-f]{64}", value)
    assert value not in result.stdout + result.stderr + "".join(azure_cli.lines())
    assert {key for _, key in azure_cli.app.seen} == {None, value}


def test_keys_of_two_deployments_differ(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^functionapp keys list", "", 0], *DEPLOYED]
    azure_cli.deploy()
    azure_cli.deploy()
    assert len(set(_stored(azure_cli))) == 2


def test_key_of_the_administrator_is_kept(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    azure_cli.deploy()
    assert _stored(azure_cli) == []
    assert ("GET /api/connections", ADMIN_KEY) in azure_cli.app.seen


def test_with_entra_no_key_is_made_or_used(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = WITH_ENTRA
    azure_cli.deploy("--entra")
    assert [line for line in azure_cli.lines() if "keys" in line or "functionKeys" in line] == []
    assert {key for _, key in azure_cli.app.seen} == {None}
