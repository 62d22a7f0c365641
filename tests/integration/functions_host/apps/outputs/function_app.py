"""A queue function that sends what it gets to two other queues."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Storage")
@app.queue_output(arg_name="$return", queue_name="%RETURNED%", connection="Storage")
@app.queue_output(arg_name="copies", queue_name="%COPIES%", connection="Storage")
def relay(message: func.QueueMessage, copies: func.Out[str]) -> str:
    body = message.get_body().decode()
    copies.set(body)
    return f"returned {body}"
