"""What can be wrong before the first function runs.

SettingError   one setting is missing or wrong; says which, but not whose it is
StartUpError   the host cannot start; all the reasons, a sentence each
HostEndError   the host ends itself, as the real one does; whoever runs it starts it anew
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


class HostEndError(Exception):
    """Something that the real host does not survive; ``code`` is what the process ends with."""

    STORAGE = 70
    """Storage refused the host something, or did not answer long enough."""
    WORKER = 71
    """Its worker died too often."""

    def __init__(self, reason: str, code: int) -> None:
        """Keep why, and how."""
        super().__init__(reason)
        self.code = code
