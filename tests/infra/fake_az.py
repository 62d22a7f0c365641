"""Stands in for `az`: writes each command line to a file and answers like a subscription with what it is told.

With the line come what it was given on standard input, if it asks for that, and whether it inherited the key.
A line that fits FAKE_AZ_KILLS ends the script that calls, as kill -9 does.
Put on PATH under the name `az`. FAKE_AZ_LOG names the file, FAKE_AZ_ANSWERS a JSON file: a list of
[regular expression, standard output, exit code]; the first that fits the command line answers.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

line = " ".join(sys.argv[1:])
given = sys.stdin.read() if "@/dev/stdin" in sys.argv else ""
call = {"line": line, "words": sys.argv[1:], "input": given, "inherited": "SENDGRID_API_KEY" in os.environ}
with Path(os.environ["FAKE_AZ_LOG"]).open("a") as log:
    log.write(json.dumps(call) + "\n")
kills = os.environ.get("FAKE_AZ_KILLS")
if kills and re.search(kills, line):
    os.kill(os.getppid(), signal.SIGKILL)
for pattern, output, code in json.loads(Path(os.environ["FAKE_AZ_ANSWERS"]).read_text()):
    if re.search(pattern, line):
        sys.stdout.write(f"{output}\n" if output else "")
        sys.exit(code)
