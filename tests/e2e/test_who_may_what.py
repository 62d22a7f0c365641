"""Who may do what on the running app, with the keys and tokens that callers really have."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from local.azure.entra import APP_REGISTRATION
from local.cloud import LocalCloud
from tests.support.entra import bearing
from tests.support.running_app import RunningApp, SavedExport, StartedRun, csv_text

type Json = dict[str, object]

ADMINISTRATOR: Final = "0a0e0e0e-0000-4000-8000-000000000001"
NORA: Final = "0e0e0e0e-0000-4000-8000-000000000005"
"""May use the connection."""
ERIK: Final = "0e0e0e0e-0000-4000-8000-000000000006"
"""May not."""
PIPELINE: Final = "0f0f0f0f-0000-4000-8000-000000000007"
"""An application that may use it."""
ELSEWHERE: Final = "11111111-0000-4000-8000-000000000008"
"""Of another tenant, or another registration."""
ADDRESS: Final = "zebedee.quillfeather@people.example"


@dataclass(frozen=True, kw_only=True)
class World:
    """A host that takes tokens, and an export whose run is over and has a rejected row."""

    running: RunningApp
    export: SavedExport
    run: StartedRun

    def by(self, token: str) -> httpx.Client:
        """A client of somebody; the caller closes it."""
        return self.running.host.client_with(bearing(token))

    def person(self, who: str, *roles: str, **claims: object) -> httpx.Client:
        return self.by(self.running.cloud.entra.person(who, *roles, **claims))

    def asked(self, client: httpx.Client) -> dict[str, int]:
        """The statuses of the whole story, in order, for one caller."""
        export, connection = f"/api/exports/{self.export.id}", self.export.get()["connection"]
        definition = self.export.get()
        story = (
            ("see connection", "GET", f"/api/connections/{connection}", None),
            ("make connection", "PUT", f"/api/connections/{connection}-2", CONNECTION),
            ("see export", "GET", export, None),
            ("save export", "PUT", export, definition),
            ("preview", "POST", f"{export}/preview", {"rows": 10}),
            ("start", "POST", f"{export}/runs", {"force": True}),
            ("see run", "GET", self.run.path, None),
            ("retry", "POST", f"{self.run.path}/retry", None),
            ("rejected", "GET", f"{self.run.path}/rejected", None),
            ("audit", "GET", "/api/audit?limit=1", None),
        )
        with client:
            return {step: client.request(*call, json=body).status_code for step, *call, body in story}


CONNECTION: Final[Json] = {
    "display_name": "Second",
    "secret_name": "second",
    "users": [NORA],
    "consent": {"text": "I agree."},
}
STEPS: Final = (
    *("see connection", "make connection", "see export", "save export", "preview", "start", "see run", "retry"),
    *("rejected", "audit"),
)


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> Iterator[World]:
    with RunningApp(cloud) as running:
        running.start_host(AUTHENTICATION="entra")
        with running.host.client_with(bearing(cloud.entra.person(ADMINISTRATOR, "Administrator"))) as running.api:
            connection = running.connection(users=[NORA, PIPELINE])
            segment = running.deliver(csv_text(["EMail"], [[ADDRESS], ["ada@people.example"], ["no address"]]))
            export = running.export(segment, connection=connection)
            run = export.start()
            assert run.wait()["status"] == "completed_with_warnings"
            yield World(running=running, export=export, run=run)


def expected(**statuses: int) -> list[int]:
    return [statuses[step.replace(" ", "_")] for step in STEPS]


SEEN: Final = dict.fromkeys(("see_connection", "see_export", "see_run"), 200)
DENIED: Final = dict.fromkeys((step.replace(" ", "_") for step in STEPS), 403)
HIDDEN: Final = dict.fromkeys((step.replace(" ", "_") for step in STEPS), 404)
CAN_WORK: Final = {"save_export": 200, "preview": 200, "start": 202, "retry": 409, "rejected": 200}


@pytest.mark.parametrize(
    ("who", "roles", "statuses"),
    [
        (ADMINISTRATOR, ["Administrator"], SEEN | CAN_WORK | {"make_connection": 201, "audit": 200}),
        (NORA, ["Contributor"], DENIED | SEEN | CAN_WORK),
        (NORA, ["Operator"], DENIED | SEEN | {"start": 202, "retry": 409}),
        (NORA, ["Viewer"], DENIED | SEEN),
        (NORA, [], DENIED),
        (NORA, ["administrator", "Owner"], DENIED),
        (ERIK, ["Contributor"], HIDDEN | {"make_connection": 403, "audit": 403}),
    ],
    ids=["administrator", "contributor", "operator", "viewer", "nobody", "of no role", "contributor elsewhere"],
)
def test_a_person_may_do_what_their_role_and_the_connection_allow(
    world: World, who: str, roles: list[str], statuses: dict[str, int]
) -> None:
    assert list(world.asked(world.person(who, *roles)).values()) == expected(**statuses)


def test_an_application_has_roles_like_a_person(world: World) -> None:
    token = world.running.cloud.entra.application_of(PIPELINE, "Operator")
    assert list(world.asked(world.by(token)).values()) == expected(
        **(DENIED | SEEN | {"start": 202, "retry": 409})
    )


@pytest.mark.parametrize("path", ["/api/connections", "/api/exports", "/api/segments", "/api/audit"])
@pytest.mark.parametrize("key", ["function", "master"])
def test_no_key_of_the_host_opens_anything(world: World, key: str, path: str) -> None:
    host = world.running.host
    value = host.master_key if key == "master" else host.function_key
    with host.client_with({"x-functions-key": value}) as client:
        assert client.get(path).status_code == 401
        assert client.get(f"{path}?code={value}").status_code == 401
        assert client.get("/api/health").status_code == 200
        assert client.get("/admin/host/status").status_code == (200 if key == "master" else 403)


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": ELSEWHERE},
        {"iss": f"https://login.microsoftonline.com/{ELSEWHERE}/v2.0"},
        {"aud": ELSEWHERE},
        {"aud": f"api://{ELSEWHERE}"},
        {"exp": int(time.time()) - 120, "nbf": int(time.time()) - 3600},
        {"nbf": int(time.time()) + 600},
        {"azp": None, "scp": None},
        {"oid": None},
    ],
    ids=" ".join,
)
def test_a_token_that_is_for_somebody_else_opens_nothing(world: World, claims: dict[str, object]) -> None:
    with world.person(ADMINISTRATOR, "Administrator", **claims) as client:
        answer = client.get("/api/connections")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_header_of_the_platform_vouches_for_nobody(world: World) -> None:
    headers = {"x-ms-client-principal": "eyJ9", "x-ms-client-principal-id": ADMINISTRATOR}
    with world.running.host.client_with(headers) as client:
        assert client.get("/api/connections").status_code == 401


def test_what_was_done_and_refused_is_in_the_audit_log(world: World) -> None:
    with world.person(ERIK, "Viewer") as client:
        assert client.get(f"/api/exports/{world.export.id}").status_code == 404
    page = world.running.get(f"/api/audit?denied=true&caller={ERIK}")
    assert [entry["operationName"] for entry in page["entries"]].count("Exports.Get") >= 1
    changes = world.running.get(f"/api/audit?caller={ADMINISTRATOR}&operation=Exports.Save")
    assert changes["entries"]
    text = json.dumps([page, changes]) + world.running.log()
    assert not [word for word in (ADDRESS, *world.running.keys) if word in text]


def test_entra_may_roll_its_keys_over_while_the_app_runs(world: World, cloud: LocalCloud) -> None:
    before = cloud.entra.person(NORA, "Viewer")
    cloud.entra.roll_over()
    after = cloud.entra.person(NORA, "Viewer")

    def status(token: str) -> int:
        with world.by(token) as client:
            return client.get("/api/connections").status_code

    assert status(before) == 200
    deadline = time.monotonic() + 90  # the app asks for keys once a minute at most
    while status(after) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert status(before) == 200
    assert cloud.entra.requests <= 4


# --- keys -------------------------------------------------------------------------------------------------------

ROLES: Final = {"admin": "Administrator", "look": "Viewer"}


def test_a_systems_key_starts_the_one_export_that_it_is_bound_to(cloud: LocalCloud) -> None:
    with RunningApp(cloud) as running:
        names = ("crm", "look", "unknown")
        bound, other = "bound-export", "other-export"
        roles = ROLES | {"crm": {"role": "Operator", "export": bound}}
        running.start_host(key_names=names, KEY_ROLES=json.dumps(roles))
        connection = running.connection(users=["crm", "look"])
        segment = running.deliver_emails(ADDRESS)
        definition = running.export(segment, connection=connection).get()
        for export in (bound, other):
            running.put(f"/api/exports/{export}", definition)

        def ask(name: str, method: str, path: str) -> int:
            with running.host.client_with({"x-functions-key": running.host.named_keys[name]}) as client:
                return client.request(method, path).status_code

        started = f"/api/exports/{bound}/runs"
        assert ask("crm", "POST", started) == 202
        assert ask("crm", "GET", started) == 200
        assert ask("crm", "POST", f"/api/exports/{other}/runs") == 404
        assert ask("crm", "PUT", f"/api/exports/{bound}") == 403
        assert ask("crm", "GET", "/api/audit") == 403
        assert ask("look", "GET", f"/api/exports/{other}") == 200
        assert ask("look", "POST", started) == 403
        assert ask("unknown", "GET", "/api/exports") == 401
        run = StartedRun(running=running, export=bound, id=running.get(started)["runs"][0]["id"])
        assert run.wait()["status"] == "succeeded"
        assert not [key for key in running.host.named_keys.values() if key in running.log()]


def test_with_keys_a_principal_is_refused(cloud: LocalCloud) -> None:
    with RunningApp(cloud) as running:
        running.start_host()
        answer = running.api.get("/api/connections", headers={"X-MS-CLIENT-PRINCIPAL": "e30="})
        assert (answer.status_code, running.api.get("/api/connections").status_code) == (401, 200)


def test_the_registration_is_that_of_the_local_cloud(world: World) -> None:
    """Else every refusal above would be one for that reason."""
    with world.person(ADMINISTRATOR, "Administrator", aud=f"api://{APP_REGISTRATION}") as client:
        assert client.get("/api/connections").status_code == 200
