"""Files that are not written as they should be: the run ends, and says which encodings would fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from shared.extracts.extract import ExtractFile

SAMPLE_BYTES: Final = 64 * 1024
SUGGESTIONS: Final = 4
COMMON: Final = (
    "cp1252",
    "cp1250",
    "cp1251",
    "shift_jis",
    "gb18030",
    "big5",
    "koi8_r",
    "mac_roman",
    "cp1253",
    "cp1254",
)
"""What people's tools write, in the order in which they are named when nothing else speaks."""
ENOUGH_BYTES: Final = 64
"""With fewer bytes beyond ASCII, statistics guess wildly."""
ASCII_END: Final = 128
SIGNS: Final = "\u2019\u2018\u201c\u201d\u2013\u2014\u20ac\u00b4\u00b7\u00b0\u00ba\u00aa\u00a0"


def undecodable(file: ExtractFile, sample: str, *, what: str) -> RunEndError:
    """The run ends because `what` in the file is not valid in its encoding.

    Args:
        file: which one.
        sample: some of its text, with `surrogateescape`; nothing of it gets into the message.
        what: in words that go on after "in".
    """
    declared = file.source.encoding
    written = "UTF-8" if declared == "auto" else declared
    fitting = fitting_encodings(sample.encode("utf-8", "surrogateescape"))
    hint = f" It would be right as {', '.join(fitting)}." if fitting else ""
    return RunEndError(
        ReasonCode.EXTRACT_UNDECODABLE,
        f"{file.name} is not {written}: {what} cannot be decoded; nothing was sent.{hint}",
    )


def fitting_encodings(data: bytes) -> list[str]:
    """Python's names of encodings in which `data` would be text, likeliest first."""
    from charset_normalizer import from_bytes

    sample = data[:SAMPLE_BYTES].rpartition(b"\n")[0] or data[:SAMPLE_BYTES]
    guessed = [match.encoding for match in from_bytes(sample, enable_fallback=False)]
    speaks = sum(byte >= ASCII_END for byte in sample) >= ENOUGH_BYTES
    ordered = [*guessed, *COMMON] if speaks else [*COMMON, *guessed]
    return [name for name in dict.fromkeys(ordered) if _is_text(sample, name)][:SUGGESTIONS]


def _is_text(data: bytes, encoding: str) -> bool:
    """Whether all that is beyond ASCII would be letters and signs that stand in names."""
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return False
    return all(character.isalpha() or character in SIGNS for character in text if ord(character) >= ASCII_END)
