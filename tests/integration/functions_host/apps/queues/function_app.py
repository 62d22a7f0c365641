"""A queue function that does what its messages say."""

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
running: set[str] = set()
lock = threading.Lock()
logger = logging.getLogger("sample")


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Storage")
def take(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    about = {
        "body": body,
        "id": message.id,
        "dequeue_count": message.dequeue_count,
        "pop_receipt": message.pop_receipt,
        "inserted": str(message.insertion_time),
        "expires": str(message.expiration_time),
        "next_visible": str(message.time_next_visible),
    }
    print("printed", body)  # noqa: T201  # where it ends up is tested
    logger.info("got %s", json.dumps(about))
    if body.startswith("{"):
        follow(json.loads(body))
    logger.info("done %s", json.dumps(about))


def follow(order: dict[str, float]) -> None:
    if "fail" in order:
        raise ValueError("the secret word is bumblebee")
    if "sleep" in order:
        time.sleep(order["sleep"])
    if "hold" in order:
        hold()
    if "die" in order:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit" in order:
        sys.exit(1)


def hold() -> None:
    """Wait until the gate opens, and tell how many others wait, too."""
    name = threading.current_thread().name
    with lock:
        running.add(name)
        logger.info("holding %s", json.dumps({"running": len(running)}))
    while not Path(os.environ["GATE"]).exists():
        time.sleep(0.02)
    with lock:
        running.discard(name)
