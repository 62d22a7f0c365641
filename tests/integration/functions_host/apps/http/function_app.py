"""HTTP functions that answer with what they got, and two others to be started by hand."""

import json
import logging

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
logger = logging.getLogger("sample")


def answer(name: str, request: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "function": name,
        "method": request.method,
        "url": request.url,
        "route": dict(request.route_params),
        "query": dict(request.params),
        "headers": dict(request.headers),
        "body": request.get_body().hex(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"x-sample": name})


@app.route(route="items/{id:int}", methods=["GET"])
def get_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer("get_item", req)


@app.route(route="items/{id:int}", methods=["PUT"])
def put_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer("put_item", req)


@app.route(route="items/{name}", methods=["GET"])
def named_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer("named_item", req)


@app.route(route="items/latest", methods=["GET"])
def get_latest(req: func.HttpRequest) -> func.HttpResponse:
    return answer("get_latest", req)


@app.route(route="files/{*path}")
def files(req: func.HttpRequest) -> func.HttpResponse:
    return answer("files", req)


@app.route(route="pages/{number?}", methods=["GET"])
def pages(req: func.HttpRequest) -> func.HttpResponse:
    return answer("pages", req)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def public(req: func.HttpRequest) -> func.HttpResponse:
    return answer("public", req)


@app.route(auth_level=func.AuthLevel.ADMIN)
def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return answer("guarded", req)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def text(req: func.HttpRequest) -> str:
    return f"hello {req.params['name']}"


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def cookies(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the binding needs it
    headers = {"Set-Cookie": "taste=sweet; Path=/jar; HttpOnly; Max-Age=60; SameSite=Strict"}
    return func.HttpResponse(status_code=201, headers=headers)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def boom(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the binding needs it
    raise ValueError("the secret word is bumblebee")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 29 2 *", use_monitor=False)
def yearly(timer: func.TimerRequest) -> None:
    logger.info("timer %s", json.dumps({"past_due": timer.past_due}))


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Storage")
def work(message: func.QueueMessage) -> None:
    logger.info("message %s", json.dumps({"body": message.get_body().decode(), "id": message.id}))
