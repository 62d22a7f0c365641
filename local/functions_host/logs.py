"""What is written to the log, and how."""

import logging
import os
import time
from typing import TextIO

HOST = "local.functions_host"
# The host calls the storage on threads of this name, and nothing else does.
STORAGE_THREAD_NAME = "host-storage"


def is_for_the_reader(record: logging.LogRecord) -> bool:
    """Leave out what libraries tell about the host's own requests; the app's show as they do in Azure."""
    is_hosts_own = (record.threadName or "").startswith(STORAGE_THREAD_NAME)
    return not is_hosts_own or record.name.startswith(HOST)


def configure_logging(stream: TextIO) -> None:
    """Write every record of host and app as ``time level logger message``, as the worker would hand it on."""
    is_debugging = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in {"1", "true"}
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(is_for_the_reader)
    logging.basicConfig(level=logging.DEBUG if is_debugging else logging.INFO, handlers=[handler], force=True)
    # The library's own records are system logs, which a function app does not show.
    for name in () if is_debugging else ("azure.functions", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
