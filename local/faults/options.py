"""What the suite is asked to do: by environment variables, as `make faults NAME=value` passes them."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KILLS: Final = 100
SEED_BELOW: Final = 1_000_000


class OptionError(Exception):
    """An option that makes no sense; the message says what to give instead."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to play."""

    seed: int
    """Everything that is chosen follows from it."""
    names: tuple[str, ...] = ()
    """Beginnings of the names of the scenarios to play; none for all."""
    kills: int = KILLS
    """How often the host is killed at least."""

    def wants(self, name: str) -> bool:
        """Whether to play the scenario of that name."""
        return not self.names or name.startswith(self.names)


def read_options(environment: Mapping[str, str]) -> Options:
    """Read SEED, SCENARIOS and KILLS; empty ones count as not given. Raises OptionError."""
    seed, kills = environment.get("SEED"), environment.get("KILLS")
    return Options(
        seed=_whole("SEED", seed) if seed else random.randrange(SEED_BELOW),
        names=tuple(re.findall(r"[^\s,]+", environment.get("SCENARIOS", ""))),
        kills=_whole("KILLS", kills) if kills else KILLS,
    )


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise OptionError(f"{name}={text} is no whole number.")
    return int(text)
