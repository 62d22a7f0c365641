"""The queues: hear of extracts, plan runs, deliver chunks, poll jobs, notify, and end what failed too often."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import azure.functions as func

from functions.tracing import traceparent_of
from functions.wiring import get_services
from shared import trace
from shared.errors import SettingsError, TransientError
from shared.model.messages import (
    CHUNKS_QUEUE,
    EVENTS_QUEUE,
    IMPORTS_QUEUE,
    NOTIFICATIONS_QUEUE,
    ON_IMPORTS,
    POISON_SUFFIX,
    RUNS_QUEUE,
    ChunkMessage,
    ImportMessage,
    Kinds,
    ListMessage,
    Message,
    NotificationMessage,
    RunMessage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.services import Services

    type Handler = Callable[[func.QueueMessage, func.Context], None]

CONNECTION = "DataStorage"
"""Name of the setting group that says where the queues are."""

blueprint = func.Blueprint()


def postponing[M: Message](kind: type[M] | Kinds[M]) -> Callable[[Callable[[Services, M, str], None]], Handler]:
    """Read a message of `kind` for the function; where storage fails or refuses, put the message off uncounted."""

    def decorate(work: Callable[[Services, M, str], None]) -> Handler:
        @functools.wraps(work, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def handle(message: func.QueueMessage, context: func.Context) -> None:
            body = kind.model_validate_json(message.get_body())
            with trace.entered(traceparent_of(context), body.traceparent):
                attempt(message, body)

        def attempt(message: func.QueueMessage, body: M) -> None:
            services = get_services()
            identity = str(message.id)
            unfinished = body.unfinished + (message.dequeue_count or 1) - 1
            body = body.model_copy(update={"revived": False})
            try:
                with services.heartbeat.working():
                    if unfinished or _is_suspected(services, body):
                        suspect = body.as_suspect(body.origin or identity, unfinished)
                        _work_alone(services, suspect, lambda: work(services, suspect, identity))
                    else:
                        work(services, body, identity)
            except (TransientError, SettingsError) as error:
                _put_off(services, body, identity, error)

        del handle.__wrapped__  # the worker reads the arguments off the signature, which is the handler's own
        return handle

    return decorate


def _is_suspected(services: Services, message: Message) -> bool:
    from shared.runs.suspects import is_suspected

    return is_suspected(services, message)


def _work_alone(services: Services, message: Message, work: Callable[[], None]) -> None:
    from shared.runs.suspects import work_alone

    work_alone(services, message, work)


def _put_off(services: Services, message: Message, message_id: str, error: TransientError | SettingsError) -> None:
    from shared.runs.enqueue import put_off_for_storage

    if isinstance(message, ChunkMessage):
        message = message.model_copy(update={"holder": message.claimed_by(message_id)})
    put_off_for_storage(services, message.cleared(), why=str(error))


@blueprint.queue_trigger(arg_name="message", queue_name=RUNS_QUEUE, connection=CONNECTION)
@postponing(RunMessage)
def plan_run(services: Services, message: RunMessage, _message_id: str) -> None:
    """Plan a run and hand out its chunks."""
    from shared.runs import plan

    plan.plan_run(services, message)


@blueprint.queue_trigger(arg_name="message", queue_name=CHUNKS_QUEUE, connection=CONNECTION)
@postponing(ChunkMessage)
def deliver_chunk(services: Services, message: ChunkMessage, message_id: str) -> None:
    """Bring a chunk to SendGrid."""
    from shared.runs import deliver

    deliver.deliver_chunk(services, message, message_id)


@blueprint.queue_trigger(arg_name="message", queue_name=IMPORTS_QUEUE, connection=CONNECTION)
@postponing(ON_IMPORTS)
def check_import(services: Services, message: ImportMessage | ListMessage, _message_id: str) -> None:
    """Poll the import jobs of a chunk, or look after a list once they have ended."""
    from shared.runs import confirm, list_ready

    match message:
        case ImportMessage():
            confirm.check_import(services, message)
        case ListMessage():
            list_ready.look(services, message)


@blueprint.queue_trigger(arg_name="message", queue_name=NOTIFICATIONS_QUEUE, connection=CONNECTION)
def notify(message: func.QueueMessage, context: func.Context) -> None:
    """Find out who wants to be told, or tell a target."""
    from shared.notifications import deliver

    body = NotificationMessage.model_validate_json(message.get_body())
    services = get_services()
    with trace.entered(traceparent_of(context), body.traceparent):
        try:
            deliver.work(services, body, str(message.id))
        except (TransientError, SettingsError):
            deliver.put_off(services, body)


@blueprint.queue_trigger(arg_name="message", queue_name=EVENTS_QUEUE, connection=CONNECTION)
def extract_arrived(message: func.QueueMessage, context: func.Context) -> None:
    """Hear of files among the extracts, and start the exports whose extract is complete."""
    from shared.runs.arrivals import hear

    services = get_services()
    with trace.entered(traceparent_of(context)), services.heartbeat.working():
        hear(services, message.get_body(), str(message.id))


@blueprint.queue_trigger(arg_name="message", queue_name=RUNS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_run(message: func.QueueMessage, context: func.Context) -> None:
    """End a run that could not be planned."""
    _dead_letter(RunMessage, message, context)


@blueprint.queue_trigger(arg_name="message", queue_name=CHUNKS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_chunk(message: func.QueueMessage, context: func.Context) -> None:
    """End a chunk that could not be delivered."""
    _dead_letter(ChunkMessage, message, context)


@blueprint.queue_trigger(arg_name="message", queue_name=IMPORTS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_import(message: func.QueueMessage, context: func.Context) -> None:
    """End a chunk whose import jobs could not be polled, or the look after a list."""
    _dead_letter(ON_IMPORTS, message, context)


@blueprint.queue_trigger(arg_name="message", queue_name=EVENTS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_event(message: func.QueueMessage, context: func.Context) -> None:
    """Keep a message about extracts that could not be worked on; the timer has them looked for."""
    from shared.runs.dead_letters import keep

    with trace.entered(traceparent_of(context)):
        keep(get_services(), EVENTS_QUEUE, message.get_body(), str(message.id))


@blueprint.queue_trigger(arg_name="message", queue_name=NOTIFICATIONS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_notification(message: func.QueueMessage, context: func.Context) -> None:
    """Give up a notification that could not be told."""
    from shared.notifications import deliver

    with trace.entered(traceparent_of(context)):
        deliver.bury(get_services(), message.get_body(), str(message.id))


def _dead_letter[M: Message](kind: type[M] | Kinds[M], message: func.QueueMessage, context: func.Context) -> None:
    from shared.runs.dead_letters import dead_letter

    with trace.entered(traceparent_of(context)):
        dead_letter(get_services(), kind, message.get_body(), str(message.id))
