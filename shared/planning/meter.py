"""How much text the files of an extract unpack to: more than is meant ends the run before it fills anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.limits import UNPACKED_RATIO_FROM
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from shared.extracts.extract import ExtractFile

GIGABYTE: Final = 1_000_000_000


@dataclass(kw_only=True)
class TextMeter:
    """Counts the text of one extract's files."""

    unpacked: int = 0
    """Bytes of all files."""
    of_file: int = 0
    """Bytes of the file that is being read."""
    name: str = ""
    """Of that file."""

    def count(self, file: ExtractFile, size: int) -> None:
        """Count `size` bytes more of a file's text. Raises RunEndError."""
        if file.name != self.name:
            self.name, self.of_file = file.name, 0
        self.unpacked += size
        self.of_file += size
        limits = file.source.limits
        if self.of_file > max(UNPACKED_RATIO_FROM, limits.ratio * file.size):
            message = f"{file.name} has {file.size:,} bytes and unpacks to more than {limits.ratio} times as many."
            raise RunEndError(ReasonCode.RATIO_TOO_HIGH, message)
        if self.unpacked > limits.unpacked_gb * GIGABYTE:
            message = (
                f"The extract has more than {limits.unpacked_gb} GB of text; {file.name} was read up to there."
            )
            raise RunEndError(ReasonCode.UNPACKED_TOO_LARGE, message)
