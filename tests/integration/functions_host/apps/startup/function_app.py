"""An app whose settings a test can get wrong, one at a time."""

import azure.functions as func

app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
def refresh(timer: func.TimerRequest) -> None:
    """Never called."""


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Work")
def deliver(message: func.QueueMessage) -> None:
    """Never called."""
