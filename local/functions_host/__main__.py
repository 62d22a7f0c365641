"""Runs a Functions app: ``python -m local.functions_host --app DIR --port 0``.

Settings come from the environment. When the host is ready, one line of JSON on standard output tells its
address and functions; everything else, the app's own output included, goes to standard error. SIGTERM and
SIGINT stop it. What the real host does not survive ends it with 70 (storage) or 71 (its worker died too often);
whoever runs it starts it anew.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Never

from local.functions_host.errors import HostEndError, StartUpError
from local.functions_host.host import Host, resolve_app
from local.functions_host.host_json import read_host_json
from local.functions_host.keys import Keys
from local.functions_host.logs import HOST, STORAGE_THREAD_NAME, configure_logging
from local.functions_host.queue_listener import LEASE_SECONDS
from local.functions_host.remote_worker import RemoteWorker
from local.functions_host.timer_lease import LEASE_SECONDS as TIMER_LEASE_SECONDS
from local.functions_host.worker import Function, WorkerError

GRACE_SECONDS = 10
STORAGE_THREADS = 32

logger = logging.getLogger(HOST)


def positive(text: str) -> int:
    """Read a number of seconds.

    Raises:
        ValueError: it is not a whole number above zero.
    """
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.functions_host", description="Runs a Functions app.")
    parser.add_argument("--app", type=Path, required=True, help="the folder with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any free one")
    parser.add_argument("--master-key", help="opens every function and the admin endpoint")
    parser.add_argument(
        "--function-key",
        action="append",
        default=[],
        help="a host key, which opens every function but those of level admin; may be given several times",
    )
    parser.add_argument(
        "--key-of",
        nargs=2,
        action="append",
        default=[],
        metavar=("FUNCTION", "KEY"),
        help="a key that opens one function",
    )
    parser.add_argument(
        "--message-lease-seconds",
        type=positive,
        default=LEASE_SECONDS,
        help="how long a message stays invisible unless renewed; the real host's ten minutes by default",
    )
    parser.add_argument(
        "--timer-lease-seconds",
        type=positive,
        default=TIMER_LEASE_SECONDS,
        help="how long the timers of a killed host stand still at most; a minute in the real host",
    )
    parser.add_argument(
        "--grace-seconds",
        type=positive,
        default=GRACE_SECONDS,
        help="how long functions may go on running after a signal to stop",
    )
    return parser.parse_args(arguments)


async def load_functions(worker: RemoteWorker, app_dir: Path) -> list[Function]:
    """Have the worker load the app; one that cannot be loaded has no functions, and the log says why."""
    try:
        return await worker.start(app_dir)
    except WorkerError as error:
        logger.error("The app cannot be loaded: %s\n%s", error, error.stack_trace)  # noqa: TRY400  # it is the worker's
        return []


def listen_on(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1.

    Raises:
        StartUpError: the port is taken.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise StartUpError(
            [f"The port {port} of 127.0.0.1 cannot be used: {os.strerror(error.errno or 0)}."]
        ) from error


async def run(arguments: argparse.Namespace, announce: Callable[[str], object]) -> None:
    """Start the app and run it until a signal comes.

    Raises:
        StartUpError: it cannot start.
    """
    stop, over = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(STORAGE_THREADS, thread_name_prefix=STORAGE_THREAD_NAME))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host_json = read_host_json(arguments.app)
    timeout = host_json.function_timeout
    ended: asyncio.Future[Never] = loop.create_future()
    worker = RemoteWorker(
        timeout_seconds=timeout.total_seconds() if timeout else None,
        on_end=lambda error: None if ended.done() else ended.set_exception(error),
    )
    functions = await load_functions(worker, arguments.app)
    app = resolve_app(functions, host_json, os.environ)
    listening = listen_on(arguments.port)
    keys = Keys(master=arguments.master_key, host=tuple(arguments.function_key), functions=dict(arguments.key_of))
    host = Host(
        app,
        worker,
        listening,
        keys=keys,
        lease_seconds=arguments.message_lease_seconds,
        timer_lease_seconds=arguments.timer_lease_seconds,
        grace_seconds=arguments.grace_seconds,
    )
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ready = json.dumps({"listening": address, "functions": list(app.triggers), "disabled": app.disabled})
    running = asyncio.create_task(host.run(stop, lambda: announce(ready)))
    running.add_done_callback(lambda _: over.set())
    ended.add_done_callback(lambda _: over.set())
    await over.wait()
    try:
        if ended.done():
            ended.result()
        if running.result():
            await worker.stop()
            return
        logger.warning("Functions still run %d seconds after the stop and are abandoned", arguments.grace_seconds)
        code = 0
    except HostEndError as error:
        logger.critical("An unhandled exception has occurred. Host is shutting down: %s", error)
        code = error.code
    worker.kill()
    logging.shutdown()
    os._exit(code)  # the interpreter would wait for what still runs


def main() -> int:
    """Run the host; return the exit code."""
    arguments = parse_arguments()
    arguments.app = arguments.app.resolve()
    standard_output, sys.stdout = sys.stdout, sys.stderr
    configure_logging(sys.stderr)

    def announce(line: str) -> None:
        print(line, file=standard_output, flush=True)

    try:
        asyncio.run(run(arguments, announce))
    except StartUpError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
