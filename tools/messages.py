"""`make messages`: the catalogues of the console have the same keys, in order.

A message that a language does not have yet is English there until somebody translates it; one that English has no
more goes away. So it is with what codes mean (`codes/`), whose English is the app's own: a translation keeps there
of which words it was made (`of`), and is English again when those change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.reference import all_codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.reference import Code

FOLDER: Final = Path(__file__).parents[1] / "functions/console/messages"
CODES: Final = FOLDER / "codes"
WITHOUT_ONE: Final = {"zh-Hant-HK"}
"""Languages that say one as they say many."""

type Message = str | dict[str, str]


def main() -> None:
    """Write all catalogues anew."""
    english = _read(FOLDER / "en.json")
    for path in sorted(FOLDER.glob("*.json")):
        own = _read(path)
        _write(path, {key: own.get(key, _as_in(path.stem, english[key])) for key in sorted(english)})
        if path.stem != "en":
            _write(CODES / path.name, explained(_read(CODES / path.name), all_codes()))


def explained(own: Mapping[str, Message], codes: Iterable[Code]) -> dict[str, Message]:
    """Those translations that were made of the words of today; the English of all others."""
    found: dict[str, Message] = {}
    for code in sorted(codes, key=lambda each: each.code):
        english: Message = {"action": code.action, "meaning": code.meaning, "of": version(code)}
        told = own.get(code.code)
        found[code.code] = told if isinstance(told, dict) and told["of"] == version(code) else english
    return found


def version(code: Code) -> str:
    """By which a translation knows the English that it was made of."""
    return hashlib.sha256(f"{code.meaning}\n{code.action}".encode()).hexdigest()[:4]


def _read(path: Path) -> dict[str, Message]:
    if not path.exists():
        return {}
    found: dict[str, Message] = json.loads(path.read_text())
    return found


def _write(path: Path, messages: Mapping[str, Message]) -> None:
    path.write_text(json.dumps(messages, ensure_ascii=False, indent=2) + "\n")


def _as_in(language: str, message: Message) -> Message:
    if isinstance(message, dict) and language in WITHOUT_ONE:
        return {"other": message["other"]}
    return message


if __name__ == "__main__":
    main()
