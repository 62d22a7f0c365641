"""`make serve` is found where it was."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from local.place import PORT, Place

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_start_has_the_port_and_the_key_of_the_first(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "serve.json"
    first = Place.kept(file)
    assert first.port == PORT
    assert first.function_key.startswith("admin.")
    first.keep(file)
    assert Place.kept(file) == first
    assert file.stat().st_mode & 0o077 == 0


def test_what_was_damaged_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "serve.json"
    file.write_text('{"port": ')
    assert Place.kept(file).port == PORT


def test_a_port_that_somebody_has_is_left_to_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = Place(port=taken.getsockname()[1], function_key="admin.0")
        assert place.free_port == 0
    assert place.free_port == place.port
