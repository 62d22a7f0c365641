"""Where `make serve` listens and with which key: the same at every start, so that a bookmark stays good."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ValidationError

from local.azure.environment import KEY_NAME
from local.cloud import new_key

FILE: Final = Path(".local/serve.json")
PORT: Final = 7071
"""Where Core Tools listen, too."""


class Place(BaseModel):
    """Port and administrator's key."""

    port: int
    function_key: str

    @classmethod
    def kept(cls, file: Path = FILE) -> Self:
        """As at the last start; new ones where there was none."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            return cls(port=PORT, function_key=new_key(KEY_NAME))

    @property
    def free_port(self) -> int:
        """The port; 0, which means any, where somebody else has it."""
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", self.port))
            except OSError:
                return 0
        return self.port

    def keep(self, file: Path = FILE) -> None:
        """Keep it for the next start; only who has started it may read it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(self.model_dump_json())
