"""The control API: sets the stage, and shows what happened.

It needs no key, as the server listens on loopback only.
"""

from collections.abc import Callable, Iterator
from itertools import batched

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.faults import Fault
from local.sendgrid_simulator.people import Contact
from local.sendgrid_simulator.simulation import Simulation
from local.sendgrid_simulator.suppressions import SuppressionKind

type Command = Callable[[Simulation, Json], object]
"""Does what a control request asks, given its JSON and its path's parameters; gives the JSON to answer."""

BATCH = 2_000


def control_routes(simulation: Simulation) -> list[Route]:
    """Builds the routes; the paths are relative to where they are mounted."""
    return [Route(path, _handler(simulation, command), methods=[method]) for method, path, command in COMMANDS]


def _handler(simulation: Simulation, command: Command) -> Callable[[Request], object]:
    async def handle(request: Request) -> Response:
        wanted = {
            **orjson.loads(await request.body() or b"{}"),
            **request.query_params,
            **request.path_params,
        }
        return await run_in_threadpool(run, wanted)

    def run(wanted: Json) -> Response:
        with simulation.settled():
            try:
                answer = command(simulation, wanted)
            except ValueError as problem:
                return Response(str(problem), 400, media_type="text/plain")
        if isinstance(answer, Iterator):
            return StreamingResponse(answer, media_type="application/x-ndjson")
        return Response(orjson.dumps(answer), media_type="application/json")

    return handle


def _create_key(simulation: Simulation, wanted: Json) -> object:
    return {"key": simulation.keys.create(wanted.get("scopes", simulation.configuration.key_scopes))}


def _revoke_key(simulation: Simulation, wanted: Json) -> object:
    simulation.keys.revoke(wanted["key"])
    return None


def _create_list(simulation: Simulation, wanted: Json) -> object:
    return {"id": simulation.account.lists.create(wanted["name"]).id}


def _delete_list(simulation: Simulation, wanted: Json) -> object:
    simulation.account.lists.delete(wanted["id"])
    return None


def _create_field(simulation: Simulation, wanted: Json) -> object:
    return {"id": simulation.account.fields.create(wanted["name"], wanted["type"]).id}


def _suppress(simulation: Simulation, wanted: Json) -> object:
    kind = SuppressionKind(wanted["kind"])
    simulation.account.suppressions.add(kind, wanted["emails"], simulation.clock())
    return None


def _list_erased(simulation: Simulation, _wanted: Json) -> object:
    return sorted(simulation.account.erased)


def _configure(simulation: Simulation, wanted: Json) -> object:
    simulation.configure(wanted)
    return simulation.configuration.model_dump(mode="json")


def _members(simulation: Simulation, list_id: str) -> list[Contact]:
    found = simulation.account.lists.get(list_id)
    if found is None:
        raise ValueError("no such list")
    return list(simulation.account.contacts.list_numbered(found.members))


def _list_emails(simulation: Simulation, wanted: Json) -> Iterator[bytes]:
    members = _members(simulation, wanted["id"])
    return (
        b"".join(
            orjson.dumps(each.parse_fields().get("email"), option=orjson.OPT_APPEND_NEWLINE) for each in batch
        )
        for batch in batched(members, BATCH, strict=False)
    )


def _list_contacts(simulation: Simulation, wanted: Json) -> Iterator[bytes]:
    """Shows the members as they are now; takes hold of the account again for each batch."""
    members = _members(simulation, wanted["id"])

    def show(batch: tuple[Contact, ...]) -> bytes:
        with simulation.settled():
            return b"".join(_contact_line(simulation, each) for each in batch)

    return map(show, batched(members, BATCH, strict=False))


def _contact_line(simulation: Simulation, contact: Contact) -> bytes:
    shown = simulation.account.describe_contact(contact, simulation.configuration.public_url)
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def _get_contact(simulation: Simulation, wanted: Json) -> object:
    found = simulation.account.contacts.get_by_email(wanted["email"])
    if found is None:
        return None
    return simulation.account.describe_contact(found, simulation.configuration.public_url)


def _list_requests(simulation: Simulation, _wanted: Json) -> Iterator[bytes]:
    return (each.model_dump_json().encode() + b"\n" for each in simulation.log.list_all())


def _count(simulation: Simulation, _wanted: Json) -> object:
    account = simulation.account
    return {
        "contacts": len(account.contacts),
        "requests": simulation.log.count_by_status(),
        "jobs": account.jobs.count_by_status(),
    }


def _inject(simulation: Simulation, wanted: Json) -> object:
    simulation.faults.add(Fault.model_validate(wanted))
    return None


def _clear_faults(simulation: Simulation, _wanted: Json) -> object:
    simulation.faults.clear()
    return None


def _list_injected(simulation: Simulation, _wanted: Json) -> Iterator[bytes]:
    return (each.model_dump_json().encode() + b"\n" for each in simulation.faults.list_injected())


def _reset(simulation: Simulation, _wanted: Json) -> object:
    simulation.reset()
    return None


COMMANDS: tuple[tuple[str, str, Command], ...] = (
    ("POST", "/keys", _create_key),
    ("POST", "/keys/revoke", _revoke_key),  # the key is not in the path, where a log could show it
    ("POST", "/lists", _create_list),
    ("DELETE", "/lists/{id}", _delete_list),
    ("GET", "/lists/{id}/emails", _list_emails),
    ("GET", "/lists/{id}/contacts", _list_contacts),
    ("GET", "/contact", _get_contact),
    ("POST", "/fields", _create_field),
    ("POST", "/suppressions", _suppress),
    ("GET", "/erased", _list_erased),
    ("PATCH", "/configuration", _configure),
    ("GET", "/requests", _list_requests),
    ("GET", "/counts", _count),
    ("POST", "/faults", _inject),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/injected", _list_injected),
    ("POST", "/reset", _reset),
)
