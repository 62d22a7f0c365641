"""The last chunks of a run may end at the same moment, and each of them ends the run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from shared.model.reasons import RunStatus
from shared.model.runs import Run
from shared.planning import members
from shared.runs import finish
from shared.storage.layout import RunBlobs, membership_blob
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("plain_planner")
AT_ONCE = 4


def test_its_members_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each making takes memory for all members."""
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(12))
    monkeypatch.setattr(finish, "_delete_chunks", lambda *_args: None)
    done = app.run_to_its_end()
    name = RunBlobs(export=done.export, run=done.id).document
    app.services.store.update(name, Run, lambda run: run.model_copy(update={"status": RunStatus.IMPORTING}))
    app.services.store.blobs.delete(membership_blob(done.export))
    made: list[int] = []
    make: Callable[..., Any] = members.next_generation

    def slowly(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the real one
        made.append(1)
        time.sleep(0.1)
        return make(*args, **options)

    monkeypatch.setattr(members, "next_generation", slowly)
    threads = [
        threading.Thread(target=finish.finish_if_done, args=(app.services, done.export, done.id))
        for _ in range(AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert app.run(done).members == done.members
