"""Stands in for `az`: writes each command line to a file and answers like a subscription with what it is told.

With the line come what it was given on standard input, if it asks for that, and whether it inherited the key.
A line that fits FAKE_AZ_KILLS ends the script that calls, as kill -9 does.
Put on PATH under the name `az`. FAKE_AZ_LOG names the file, FAKE_AZ_ANSWERS a JSON file: a list of
[regular expression, standard output, exit code]; the first that fits the command line answers. What none of them
answers is looked up in the folder FAKE_AZ_STATE: parameters of deployments, and blobs with their metadata.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

line = " ".join(sys.argv[1:])
given = sys.stdin.read() if "@/dev/stdin" in sys.argv else ""
call = {"line": line, "words": sys.argv[1:], "input": given, "inherited": "SENDGRID_API_KEY" in os.environ}
with Path(os.environ["FAKE_AZ_LOG"]).open("a") as log:
    log.write(json.dumps(call) + "\n")
STATE = Path(os.environ["FAKE_AZ_STATE"])
DEPLOYMENT, BLOBS = STATE / "deployment.json", STATE / "blobs"


def deployment() -> str:
    """Keep the parameters of a deployment, or tell them."""
    if line.startswith("deployment group create"):
        kept = json.loads(given)["parameters"].get("keptParameters", {"value": None})
        DEPLOYMENT.write_text(json.dumps(kept["value"]))
    elif not DEPLOYMENT.exists():
        return ""
    elif line.startswith("deployment group list"):
        return "sendgrid-segment-export"
    elif "keptParameters" in line:
        return DEPLOYMENT.read_text()
    return ""


def option(name: str) -> list[str]:
    """The words behind an option."""
    if name not in sys.argv:
        return []
    words = sys.argv[sys.argv.index(name) + 1 :]
    return words[: next((number for number, word in enumerate(words) if word.startswith("--")), len(words))]


def blobs() -> str:
    """Do what is asked with the blobs of the container; without a key of the account, or not at all."""
    if option("--auth-mode") != ["login"] or "--account-key" in sys.argv or "--connection-string" in sys.argv:
        sys.exit("only as whoever is signed in")
    verb, names = line.split()[2], option("--name")
    if verb == "list":
        found = [path for path in sorted(BLOBS.rglob("*")) if path.is_file() and path.suffix != ".metadata"]
        facts = [Path(f"{path}.metadata") for path in found]
        return json.dumps(
            [
                {"name": str(path.relative_to(BLOBS)), "metadata": json.loads(each.read_text())}
                for path, each in zip(found, facts, strict=True)
            ]
        )
    blob = BLOBS / names[0]
    metadata = json.dumps(dict(word.split("=", 1) for word in option("--metadata")))
    if verb == "upload":
        blob.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(option("--file")[0], blob)
        Path(f"{blob}.metadata").write_text(metadata)
    elif verb == "metadata":
        Path(f"{blob}.metadata").write_text(metadata)
    elif verb == "download":
        shutil.copyfile(blob, option("--file")[0])
    elif verb == "delete":
        blob.unlink()
        Path(f"{blob}.metadata").unlink()
    return ""


kills = os.environ.get("FAKE_AZ_KILLS")
answered = next(
    (
        (output, code)
        for pattern, output, code in json.loads(Path(os.environ["FAKE_AZ_ANSWERS"]).read_text())
        if re.search(pattern, line)
    ),
    None,
)
if answered is None:
    known = {"deployment": deployment, "storage blob": blobs}
    does = next((does for start, does in known.items() if line.startswith(start)), None)
    answered = (does() if does else "", 0)
if kills and re.search(kills, line):
    os.kill(os.getppid(), signal.SIGKILL)
sys.stdout.write(f"{answered[0]}\n" if answered[0] else "")
sys.exit(answered[1])
