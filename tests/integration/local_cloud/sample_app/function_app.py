"""The smallest app that needs its identity: it answers with the length of a secret."""

import os

import azure.functions as func
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

app = func.FunctionApp()


@app.route(route="length", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def length(req: func.HttpRequest) -> func.HttpResponse:
    with (
        DefaultAzureCredential() as credential,
        SecretClient(os.environ["KEY_VAULT_URL"], credential) as client,
    ):
        value = client.get_secret(req.params["secret"]).value or ""
    return func.HttpResponse(f"{os.environ['UNIT']}: {len(value)}")
