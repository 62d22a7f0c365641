"""The worker's process: does what the host asks for over the socket it was given, and ends with the host."""

import asyncio
import os
import socket
import sys

from local.functions_host.frames import Failure, Invoke, Start, Stop, frame, read_frame
from local.functions_host.logs import configure_logging
from local.functions_host.worker import Worker, WorkerError


async def serve(connection: socket.socket) -> None:
    """Answer requests until the host asks to stop, or is gone."""
    reader, writer = await asyncio.open_connection(sock=connection)
    worker, calls = Worker(), set[asyncio.Task[None]]()

    async def answer(number: int, request: Start | Invoke) -> None:
        try:
            if isinstance(request, Start):
                os.chdir(request.app_dir)
                content: object = await worker.start(request.app_dir)
            else:
                content = await worker.invoke(
                    request.function, request.invocation_id, request.value, request.metadata
                )
        except WorkerError as error:
            content = Failure(message=str(error), stack_trace=error.stack_trace)
        except Exception as error:  # noqa: BLE001  # a value that does not fit fails the call, not the worker
            content = Failure(message=f"{type(error).__name__}: {error}", stack_trace="")
        writer.write(frame(number, content))

    while (found := await read_frame(reader)) is not None:
        number, request = found
        if isinstance(request, Stop):
            worker.stop()
            writer.write(frame(number, None))
            await writer.drain()
            return
        call = asyncio.create_task(answer(number, request))
        calls.add(call)
        call.add_done_callback(calls.discard)
    os._exit(1)  # without its host nobody waits for what still runs


def main() -> None:
    """Serve on the socket whose number is the only argument."""
    configure_logging(sys.stderr)
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
