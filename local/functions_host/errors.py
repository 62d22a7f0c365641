"""What can be wrong before the first function runs.

SettingError   one setting is missing or wrong; says which, but not whose it is
StartUpError   the host cannot start; all the reasons, a sentence each
"""

from collections.abc import Iterable


class SettingError(ValueError):
    """An app setting, or a value that a decorator gives, is missing or wrong."""


class StartUpError(Exception):
    """The host cannot start; ``problems`` has a sentence for each reason."""

    def __init__(self, problems: Iterable[str]) -> None:
        """Keep the reasons."""
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))
