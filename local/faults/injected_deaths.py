"""Steps of the app that end or hold up their worker when the suite says so, as where memory runs out.

Installed in the worker. A file `<step>` in the folder that FAULT_ORDERS names holds the export whose step is meant
and what is to happen: `kill`, each time, or `hang`, once.
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
    from shared.runs import confirm, deliver, plan

    folder = Path(os.environ[ORDERS])
    _wrap(plan, "_make_plan", folder / "plan")
    _wrap(deliver, "_send_next", folder / "deliver")
    _wrap(confirm, "_poll", folder / "confirm")


def _wrap(module: Any, name: str, order: Path) -> None:  # noqa: ANN401  # any module
    step = getattr(module, name)

    def ordered(*args: Any, **options: Any) -> Any:  # noqa: ANN401  # passed on
        if order.exists():
            _obey(order, repr(args))
        return step(*args, **options)

    setattr(module, name, ordered)


def _obey(order: Path, about: str) -> None:
    export, what = order.read_text("utf-8").split()
    if f"'{export}'" not in about:
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    order.unlink(missing_ok=True)
    time.sleep(HANG_SECONDS)
