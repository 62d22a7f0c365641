"""The queues: plan runs, deliver chunks, look after import jobs, bury what fails too often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.wiring import get_services
from shared.errors import SettingsError, TransientError
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, POISON_SUFFIX, RUNS_QUEUE, ChunkMessage, RunMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.services import Services

CONNECTION = "DataStorage"
"""Name of the setting group that says where the queues are."""

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name=RUNS_QUEUE, connection=CONNECTION)
def plan_run(message: func.QueueMessage) -> None:
    """Plan a run and hand out its chunks."""
    from shared.runs import plan as preparing

    body = RunMessage.model_validate_json(message.get_body())
    _put_off_if_storage_is_away(RUNS_QUEUE, body, lambda services: preparing.plan_run(services, body))


@blueprint.queue_trigger(arg_name="message", queue_name=CHUNKS_QUEUE, connection=CONNECTION)
def deliver_chunk(message: func.QueueMessage) -> None:
    """Bring a chunk to SendGrid."""
    from shared.runs import deliver as delivering

    body = ChunkMessage.model_validate_json(message.get_body())
    _put_off_if_storage_is_away(
        CHUNKS_QUEUE, body, lambda services: delivering.deliver_chunk(services, body, str(message.id))
    )


@blueprint.queue_trigger(arg_name="message", queue_name=IMPORTS_QUEUE, connection=CONNECTION)
def check_import(message: func.QueueMessage) -> None:
    """Look after the import jobs of a chunk."""
    from shared.runs import confirm as confirming

    body = ChunkMessage.model_validate_json(message.get_body())
    _put_off_if_storage_is_away(
        IMPORTS_QUEUE, body, lambda services: confirming.check_import(services, body, str(message.id))
    )


@blueprint.queue_trigger(arg_name="message", queue_name=RUNS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_run(message: func.QueueMessage) -> None:
    """End a run that could not be planned."""
    _bury(RUNS_QUEUE, message)


@blueprint.queue_trigger(arg_name="message", queue_name=CHUNKS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_chunk(message: func.QueueMessage) -> None:
    """End a chunk that could not be delivered."""
    _bury(CHUNKS_QUEUE, message)


@blueprint.queue_trigger(arg_name="message", queue_name=IMPORTS_QUEUE + POISON_SUFFIX, connection=CONNECTION)
def bury_import(message: func.QueueMessage) -> None:
    """End a chunk whose import jobs could not be looked after."""
    _bury(IMPORTS_QUEUE, message)


def _bury(queue: str, message: func.QueueMessage) -> None:
    from shared.runs.dead_letters import dead_letter

    dead_letter(get_services(), queue, message.get_body(), str(message.id))


def _put_off_if_storage_is_away(
    queue: str, message: RunMessage | ChunkMessage, work: Callable[[Services], None]
) -> None:
    """Do the work; where storage fails, or refuses this app, the message comes back without being counted."""
    from shared.runs.enqueue import postpone
    from shared.sendgrid.decisions import backoff

    services = get_services()
    try:
        work(services)
    except (TransientError, SettingsError) as error:
        later = message.model_copy(update={"attempt": message.attempt + 1})
        asked = error.retry_after if isinstance(error, TransientError) else None
        wait = max(asked or 0.0, backoff(message.attempt, services.jitter()))
        postpone(services, queue, later, wait=wait, why=str(error))
