"""Steps of the app that end or hold up their worker when the suite says so, as where memory runs out.

Installed in the worker. A file `<step>` in the folder that FAULT_ORDERS names holds whose step is meant, an export
or a list, and what is to happen: `kill`, each time, `kill_once`, or `hang`, once.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any, Final

ORDERS: Final = "FAULT_ORDERS"
HANG_SECONDS: Final = 3600


def install() -> None:
    """Put an order's effect before each step, where orders can come at all."""
    if ORDERS not in os.environ:
        return
    from shared.runs import confirm, deliver, membership, plan
    from shared.sendgrid import gateway

    folder = Path(os.environ[ORDERS])
    _wrap(plan, "_make_plan", folder / "plan")
    _wrap(deliver, "_send_next", folder / "deliver")
    _wrap(confirm, "_poll", folder / "confirm")
    _wrap(membership, "members_blob", folder / "note")  # right before a generation is written
    _wrap(membership, "members_folder", folder / "noted")  # right after the document names it
    _wrap(gateway.SendGridGateway, "send", folder / "remove", about="/lists/{}/contacts?")


def _wrap(module: Any, name: str, order: Path, about: str = "'{}'") -> None:  # noqa: ANN401  # any module or class
    """Look for an order before each call whose arguments say `about` whom the order is."""
    step = getattr(module, name)

    def ordered(*args: Any, **options: Any) -> Any:  # noqa: ANN401  # passed on
        if order.exists():
            _obey(order, about, repr(args))
        return step(*args, **options)

    setattr(module, name, ordered)


def _obey(order: Path, about: str, arguments: str) -> None:
    whose, what = order.read_text("utf-8").split()
    if about.format(whose) not in arguments:
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    order.unlink(missing_ok=True)
    if what == "kill_once":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(HANG_SECONDS)
