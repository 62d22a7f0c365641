"""Stands in for `az`: writes each command line to a file and answers like a subscription with what it is told.

Put on PATH under the name `az`. FAKE_AZ_LOG names the file, FAKE_AZ_ANSWERS a JSON file: a list of
[regular expression, standard output, exit code]; the first that fits the command line answers.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

line = " ".join(sys.argv[1:])
private = re.search(r"@(\S+/parameters\.json)", line)
with Path(os.environ["FAKE_AZ_LOG"]).open("a") as log:
    given = Path(private.group(1)).read_text() if private else ""
    log.write(json.dumps({"line": line, "words": sys.argv[1:], "parameters": given}) + "\n")
for pattern, output, code in json.loads(Path(os.environ["FAKE_AZ_ANSWERS"]).read_text()):
    if re.search(pattern, line):
        sys.stdout.write(f"{output}\n" if output else "")
        sys.exit(code)
