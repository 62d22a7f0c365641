"""The function app: registers the blueprints, nothing else."""

import azure.functions as func

from functions.api import blueprint as api
from functions.delivery import blueprint as delivery
from functions.refresh import blueprint as refresh

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(api)
app.register_functions(delivery)
app.register_functions(refresh)
