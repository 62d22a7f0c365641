"""A timer function that tells what it is told, takes its time, and fails when asked to."""

import json
import logging
import os
import time

import azure.functions as func
from azure.functions.timer import TimerRequest

app = func.FunctionApp()
logger = logging.getLogger("sample")


@app.function_name(os.environ["TIMER_NAME"])
@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=os.environ.get("RUN_ON_STARTUP") == "1")
def tick(timer: TimerRequest) -> None:
    logger.info("start %s", json.dumps({"past_due": timer.past_due, "status": timer.schedule_status}))
    time.sleep(float(os.environ.get("SLEEP", "0")))
    logger.info("end {}")
    if "FAIL" in os.environ:
        raise ValueError(os.environ["FAIL"])
