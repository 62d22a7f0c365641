"""The timer: starts what is due, heals what was cut off."""

from __future__ import annotations

import azure.functions as func

from functions.tracing import traceparent_of
from functions.wiring import get_services
from shared import trace

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%SCHEDULE_TICK%", run_on_startup=False, use_monitor=True)
def refresh_exports(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the store knows when it last ran
    """Start a run of every export that became due since the last tick; see that arrivals are looked for."""
    from shared.runs.look_out import keep_looking
    from shared.runs.pulse import note_tick
    from shared.runs.start import start_due

    services = get_services()
    with trace.entered(traceparent_of(context)), services.heartbeat.working():
        start_due(services)
        note_tick(services.store, "refresh_exports", services.clock())
        keep_looking(services)


@blueprint.timer_trigger(arg_name="timer", schedule="%SCHEDULE_TICK%", run_on_startup=False, use_monitor=True)
def sweep(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the store knows when it last ran
    """Send lost messages again, delete what is past its retention, and look for overdue exports."""
    from shared.runs.overdue import watch_exports
    from shared.runs.pulse import note_tick
    from shared.runs.sweep import sweep as sweep_runs

    services = get_services()
    with trace.entered(traceparent_of(context)), services.heartbeat.working():
        sweep_runs(services)
        watch_exports(services)
        note_tick(services.store, "sweep", services.clock())
