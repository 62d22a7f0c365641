"""`make messages`: the catalogues of the console have the same keys, in order.

A message that a language does not have yet is English there until somebody translates it; one that English has no
more goes away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "functions/console/messages"
WITHOUT_ONE: Final = {"zh-Hant-HK"}
"""Languages that say one as they say many."""

type Message = str | dict[str, str]


def main() -> None:
    """Write all catalogues anew."""
    english = _read("en")
    for path in sorted(FOLDER.glob("*.json")):
        own = _read(path.stem)
        found = {key: own.get(key, _as_in(path.stem, english[key])) for key in sorted(english)}
        path.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n")


def _read(language: str) -> dict[str, Message]:
    found: dict[str, Message] = json.loads((FOLDER / f"{language}.json").read_text())
    return found


def _as_in(language: str, message: Message) -> Message:
    if isinstance(message, dict) and language in WITHOUT_ONE:
        return {"other": message["other"]}
    return message


if __name__ == "__main__":
    main()
