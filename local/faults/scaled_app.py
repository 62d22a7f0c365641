"""The function app as it is, loaded after its limits were scaled; the Functions host of the suite imports this."""

import json
import os
import runpy
import sys
from pathlib import Path

from local.azure.processes import PROJECT_ROOT
from local.faults.scale import CODE, VARIABLE


def load() -> object:
    """Scale the limits, then load the app from its function_app.py."""
    code = Path(os.environ.get(CODE, PROJECT_ROOT))
    if code != PROJECT_ROOT:
        sys.path.insert(0, str(code))
    # At the end, where Azure has the app folder; this module lies in no app folder of its own.
    sys.path.append(str(PROJECT_ROOT))
    from local.faults import injected_deaths
    from shared import limits

    for name, value in json.loads(os.environ[VARIABLE]).items():
        if not hasattr(limits, name):
            raise AttributeError(f"The app has no limit {name}.")
        setattr(limits, name, value)
    injected_deaths.install()
    return runpy.run_path(str(code / "function_app.py"))["app"]


app = load()
