"""What people and systems are here for."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The app roles of infra/app-roles.json, which tokens bear, and which KEY_ROLES gives to keys."""

    ADMINISTRATOR = "Administrator"
    """Makes connections, says who may use them, and may do everything else."""
    CONTRIBUTOR = "Contributor"
    """Makes and runs exports through the connections shared with them."""
    OPERATOR = "Operator"
    """Starts and cancels runs, and sees how they go."""
    VIEWER = "Viewer"
    """Looks."""
