"""The function app: registers the blueprints, nothing else."""

import azure.functions as func

from functions import (
    api_page,
    audit,
    connections,
    console_page,
    exports,
    health,
    history,
    notifications,
    queues,
    reference,
    refresh,
    row_lists,
    runs,
    schedules,
    segments,
    sign_in,
    timers,
)
from functions.wiring import http_level

app = func.FunctionApp(http_auth_level=http_level())
app.register_functions(api_page.blueprint)
app.register_functions(audit.blueprint)
app.register_functions(connections.blueprint)
app.register_functions(console_page.blueprint)
app.register_functions(exports.blueprint)
app.register_functions(runs.blueprint)
app.register_functions(row_lists.blueprint)
app.register_functions(history.blueprint)
app.register_functions(refresh.blueprint)
app.register_functions(segments.blueprint)
app.register_functions(schedules.blueprint)
app.register_functions(sign_in.blueprint)
app.register_functions(health.blueprint)
app.register_functions(reference.blueprint)
app.register_functions(notifications.blueprint)
app.register_functions(queues.blueprint)
app.register_functions(timers.blueprint)
