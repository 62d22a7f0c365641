"""Parameters are those of the last deployment, and what was asked for: infra/parameters.py and deploy.sh."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.parameters import FOUND_OUT, ParameterError, Wish, compare, decide, read_file, read_template, read_words
from tests.infra.fake_azure_cli import CUSTOMER_INSIGHTS, FRESH, KEY, RECORD, THERE, FakeAzureCli, recorded

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
@allowed(['public', 'private'])
param network string = 'public'

param days int = 7

param lock bool = false

param alertEmails array = []

param tags object = {}

param secretNames array = ['sendgrid-api-key']

param secretWriters string[] = []

param roles object = {
  admin: 'Administrator'
}

param place string = resourceGroup().location

@secure()
param sendGridApiKey string = ''
"""
KNOWN = read_template(TEMPLATE)
NOTHING = Wish({}, {}, [])


def _decide(deployed: dict[str, Any] | None, wish: Wish = NOTHING, *, closed: bool = False) -> dict[str, Any]:
    return decide(KNOWN, deployed, wish, first={"alertEmails": ["ops@contoso.example"]}, closed=closed)


def _named(**values: object) -> Wish:
    return Wish(values, {}, [])


# --- what is decided ----------------------------------------------------------------------------------------


def test_first_deployment_keeps_the_defaults_but_those_the_template_works_out() -> None:
    assert _decide(None) == {
        "alertEmails": ["ops@contoso.example"],
        "days": 7,
        "lock": False,
        "network": "public",
        "secretNames": ["sendgrid-api-key"],
        "secretWriters": [],
        "tags": {},
    }


def test_what_is_deployed_stays_whatever_the_defaults_are_now() -> None:
    deployed = _decide(None) | {"days": 30, "network": "private", "alertEmails": ["ada@contoso.example"]}
    assert _decide(deployed) == deployed


def test_what_is_named_wins_over_a_file_and_that_over_what_is_deployed() -> None:
    deployed = _decide(None) | {"days": 1, "lock": True}
    wish = Wish({"days": 3}, {"days": 2, "tags": {"a": "b"}}, [])
    assert _decide(deployed, wish) == deployed | {"days": 3, "tags": {"a": "b"}}


def test_the_app_writes_only_secrets_that_it_reads() -> None:
    wish = _named(secretWriters=["sendgrid-api-key"])
    assert _decide(None, wish)["secretWriters"] == ["sendgrid-api-key"]
    with pytest.raises(ParameterError, match="secretWriters names brand-b, which secretNames does not"):
        _decide(None, _named(secretWriters=["sendgrid-api-key", "brand-b"]))


def test_what_is_forgotten_goes_back_to_the_default() -> None:
    deployed = _decide(None) | {"days": 1, "place": "northeurope"}
    assert _decide(deployed, Wish({}, {}, ["days", "place"])) == _decide(None)


def test_what_this_version_does_not_have_stops() -> None:
    deployed = _decide(None) | {"oldName": "x"}
    with pytest.raises(ParameterError, match=r"oldName was deployed as x, .* --forget oldName"):
        _decide(deployed)
    assert _decide(deployed, Wish({}, {}, ["oldName"])) == _decide(None)


@pytest.mark.parametrize(
    ("deployed", "closed", "wish"),
    [
        ({"network": "private"}, False, Wish({}, {"network": "public"}, [])),
        ({"network": "private"}, False, Wish({}, {}, ["network"])),
        ({"network": "public"}, True, NOTHING),
        (None, True, Wish({}, {"network": "public"}, [])),
    ],
    ids=["a file", "forgotten", "closed by hand", "no record"],
)
def test_private_never_becomes_public_by_the_way(
    deployed: dict[str, Any] | None,
    closed: bool,  # noqa: FBT001 - a column of the table
    wish: Wish,
) -> None:
    with pytest.raises(ParameterError, match="--parameter network=public to open them"):
        _decide(deployed, wish, closed=closed)
    by_name = Wish({"network": "public"}, wish.filed, wish.forgotten)
    assert _decide(deployed, by_name, closed=closed)["network"] == "public"


def test_closed_by_hand_stays_closed_when_that_is_said() -> None:
    assert _decide({"network": "public"}, _named(network="private"), closed=True)["network"] == "private"


# --- what is told -------------------------------------------------------------------------------------------


def test_changes_are_told_with_both_values_and_the_rest_by_name_only() -> None:
    deployed = _decide(None) | {"days": 1, "alertEmails": ["ada@contoso.example"]}
    told = compare(KNOWN, deployed, _decide(deployed, _named(days=3)))
    assert told == [
        "parameters     change:",
        "  days: 1 → 3",
        "               others than the defaults, as before: alertEmails",
    ]


def test_an_upgrade_that_changes_nothing_says_so() -> None:
    deployed = _decide(None) | {"alertEmails": []}
    assert compare(KNOWN, deployed, deployed) == [
        "parameters     as deployed before",
        "alerts         nobody is told of them: --parameter 'alertEmails=[\"ops@contoso.example\"]'",
    ]


def test_a_parameter_of_a_new_version_is_told() -> None:
    deployed = _decide(None)
    del deployed["days"]
    assert "  days: (the template's) → 7" in compare(KNOWN, deployed, _decide(deployed))


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("network=private", "private"),
        ("network=7", "7"),
        ("network=", ""),
        ("days=7", 7),
        ("lock=True", True),
        ('alertEmails=["a"]', ["a"]),
        ('tags={"a": "b"}', {"a": "b"}),
    ],
)
def test_words_are_read_by_the_types_of_the_template(word: str, value: object) -> None:
    assert list(read_words(KNOWN, [word]).values()) == [value]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("network", "takes KEY=VALUE"),
        ("netwrok=x", "no parameter netwrok; did you mean network"),
        ("days=x", "days takes a value of type int, such as 7"),
        ("days=true", "days takes a value of type int"),
        ("lock=1", "lock takes a value of type bool"),
        ("alertEmails=a@contoso.example", r"alertEmails takes a value of type array, such as \[\"a\", \"b\"\]"),
        ("sendGridApiKey=SG.x", "put the key into SENDGRID_API_KEY"),
        *((f"{name}=x", f"{name} cannot be given") for name in FOUND_OUT),
    ],
)
def test_words_that_make_no_sense_are_refused(word: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_words(KNOWN, [word])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("[", "is no file of parameters"),
        ("{}", "is no file of parameters"),
        ('{"parameters": {"days": {"reference": {}}}}', "is no file of parameters"),
        ('{"parameters": {"days": {"value": "7"}}}', "days takes a value of type int"),
        ('{"parameters": {"sendGridApiKey": {"value": "SG.x"}}}', "put the key into SENDGRID_API_KEY"),
    ],
)
def test_files_that_make_no_sense_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ParameterError, match=message):
        read_file(KNOWN, file)


# --- deploy.sh ----------------------------------------------------------------------------------------------


def _kept(azure_cli: FakeAzureCli) -> dict[str, Any]:
    """What the last deployment kept, which is what it gave."""
    given = azure_cli.parameters()
    kept: dict[str, Any] = given.pop("keptParameters")
    assert {name: given[name] for name in kept} == kept
    assert given.keys() - kept.keys() <= FOUND_OUT.keys()
    return kept


def test_an_upgrade_without_parameters_loses_nothing(azure_cli: FakeAzureCli) -> None:
    """Deployed by one person with parameters, upgraded by another one without any."""
    given = ("network=private", "softDeleteDays=30", 'alertEmails=["ada@contoso.example"]', 'tags={"team": "crm"}')
    words = [word for each in given for word in ("--parameter", each)]
    azure_cli.deploy("--location", "x", *words, SENDGRID_API_KEY=KEY)
    first = _kept(azure_cli)
    assert (first["network"], first["softDeleteDays"], first["tags"]) == ("private", 30, {"team": "crm"})
    azure_cli.answers = [["^account show --query user", "grace@contoso.example", 0], *THERE]
    result = azure_cli.deploy()
    assert result.returncode == 0, result.stderr
    assert _kept(azure_cli) == first
    assert "parameters     as deployed before\n" in result.stdout
    assert "ada@contoso.example" not in result.stdout


def test_recipients_stay_when_a_workflow_deploys(azure_cli: FakeAzureCli) -> None:
    azure_cli.deploy("--location", "x", SENDGRID_API_KEY=KEY)
    assert _kept(azure_cli)["alertEmails"] == ["ops@contoso.example"]
    azure_cli.answers = [["^account show --query user", "", 0], *THERE]
    assert azure_cli.deploy().returncode == 0
    assert _kept(azure_cli)["alertEmails"] == ["ops@contoso.example"]


def test_a_first_deployment_by_a_workflow_says_that_nobody_is_told(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^account show --query user", "", 0], *FRESH]
    result = azure_cli.deploy("--location", "x", SENDGRID_API_KEY=KEY)
    assert (result.returncode, _kept(azure_cli)["alertEmails"]) == (0, [])
    assert "alerts         nobody is told of them" in result.stdout


def test_named_people_are_told_instead_of_whoever_deploys(azure_cli: FakeAzureCli) -> None:
    azure_cli.deploy("--location", "x", "--parameter", 'alertEmails=["a@contoso.example"]', SENDGRID_API_KEY=KEY)
    assert _kept(azure_cli)["alertEmails"] == ["a@contoso.example"]


def test_a_change_is_shown_before_anything_is_done(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = recorded(softDeleteDays=30)
    result = azure_cli.run(
        "deploy.sh", "--parameter", "softDeleteDays=14", "--package", str(azure_cli.package(""))
    )
    assert "  softDeleteDays: 30 → 14" in result.stdout
    assert (result.returncode, result.stderr) == (
        1,
        "deploy: say --yes to go on without being asked; nothing was changed\n",
    )
    changing = ("create", "register", "update", "upload", "deploy", "delete", "post", "put")
    assert [line for line in azure_cli.lines() if any(word in line.split() for word in changing)] == []


def test_private_by_hand_is_not_opened_by_an_upgrade(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^storage account list .*publicNetworkAccess", "stdata", 0], *recorded()]
    result = azure_cli.deploy()
    assert (result.returncode, "--parameter network=public to open them" in result.stderr) == (1, True)
    assert not [line for line in azure_cli.lines() if line.startswith("deployment group create")]
    assert azure_cli.deploy("--parameter", "network=public").returncode == 0


@pytest.mark.parametrize(
    "question",
    [
        "^functionapp list",
        "^deployment group list",
        "keptParameters.value$",
        "^storage account list",
        "^keyvault list .*Disabled",
    ],
)
def test_no_answer_is_not_taken_for_nothing(azure_cli: FakeAzureCli, question: str) -> None:
    """Otherwise the defaults would be deployed over what is there."""
    azure_cli.answers = [[question, "", 1], *recorded(network="private")]
    assert azure_cli.deploy().returncode == 1
    assert not [line for line in azure_cli.lines() if line.startswith("deployment group create")]


def test_an_app_without_its_record_needs_a_file(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^deployment group list", "", 0], *THERE]
    result = azure_cli.deploy()
    assert (result.returncode, "give them in a file" in result.stderr) == (1, True)
    file = azure_cli.folder / "parameters.json"
    file.write_text(json.dumps({"parameters": {"name": {"value": "shop"}}}))
    assert azure_cli.deploy("--parameters", str(file)).returncode == 0
    assert _kept(azure_cli)["name"] == "shop"


def test_parameters_that_are_shown_can_be_given_elsewhere(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = recorded(softDeleteDays=30)
    shown = azure_cli.run("deploy.sh", "--show-parameters")
    assert shown.returncode == 0, shown.stderr
    assert {name: each["value"] for name, each in json.loads(shown.stdout)["parameters"].items()} == RECORD | {
        "softDeleteDays": 30
    }
    file = azure_cli.folder / "parameters.json"
    file.write_text(shown.stdout)
    azure_cli.answers = FRESH
    result = azure_cli.deploy("--location", "x", "--parameters", str(file), SENDGRID_API_KEY=KEY)
    assert result.returncode == 0, result.stderr
    assert {name: _kept(azure_cli)[name] for name in RECORD} == RECORD
    assert _kept(azure_cli)["softDeleteDays"] == 30


def test_parameters_of_nothing_are_not_shown(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^group exists", "true", 0], *FRESH]
    result = azure_cli.run("deploy.sh", "--show-parameters")
    assert (result.returncode, result.stdout) == (1, "")


def test_secrets_are_kept_and_replaced_as_a_whole(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^rest .*/secrets", "a\nb", 0], *recorded(secretNames=["a", "b"])]
    azure_cli.deploy()
    assert _kept(azure_cli)["secretNames"] == ["a", "b"]
    azure_cli.deploy("--secret", "b")
    assert _kept(azure_cli)["secretNames"] == ["b"]


def test_a_failed_deployment_is_gone_on_with(azure_cli: FakeAzureCli) -> None:
    """What was asked for stays asked for."""
    azure_cli.deploy(
        "--location",
        "x",
        "--parameter",
        "network=private",
        SENDGRID_API_KEY=KEY,
        FAKE_AZ_KILLS="^deployment group create",
    )
    azure_cli.answers = THERE
    assert azure_cli.deploy().returncode == 0
    assert _kept(azure_cli)["network"] == "private"


def test_customer_insights_is_found_in_the_tenant(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = recorded()
    result = azure_cli.deploy("--customer-insights")
    assert result.returncode == 0, result.stderr
    assert _kept(azure_cli)["customerInsightsPrincipalId"] == CUSTOMER_INSIGHTS
    assert "0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff" in azure_cli.line("ad sp list")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (["", 0], "az ad sp create --id 0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff"),
        (["", 1], "Entra does not tell whether Customer Insights is in this tenant"),
    ],
)
def test_customer_insights_that_is_not_found_stops(
    azure_cli: FakeAzureCli, answer: list[object], message: str
) -> None:
    azure_cli.answers = [["^ad sp list ", *answer], *recorded()]
    result = azure_cli.deploy("--customer-insights")
    assert (result.returncode, message in result.stderr) == (1, True)
    assert not [line for line in azure_cli.lines() if line.startswith("deployment group create")]
