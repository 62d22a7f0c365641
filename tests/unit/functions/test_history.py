"""The runs of all exports: filters, pages, and who sees which."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared import limits
from shared.definitions import manage
from shared.runs import history
from shared.runs.views import READERS
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.storage.interfaces import Blob


@pytest.fixture
def app() -> InMemoryApp:
    """Two exports with runs that are over, by turns, and one of each that is not."""
    app = InMemoryApp()
    app.save("newsletter")
    app.save("offers", max_contacts=1)
    app.save_connection(a_connection(users=("nora", "newsletter-only")))
    app.deliver_extract(people(2))
    for _ in range(2):
        for export in ("newsletter", "offers"):
            app.start(export)
            app.work()
            app.clock.now += timedelta(hours=1)
    for export in ("newsletter", "offers"):
        app.start(export)
        app.clock.now += timedelta(hours=1)
    return serve(app)


def page(caller: str = "admin", **params: str) -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("list_all_runs", params=params, caller=caller))


def pages(**params: str) -> Iterator[list[Any]]:
    found = page(**params)
    while True:
        yield found["runs"]
        if found["next"] is None:
            return
        found = page(**dict(parse_qsl(urlsplit(found["next"]).query)))


def exports(runs: list[Any]) -> list[str]:
    return [run["export"] for run in runs]


@pytest.mark.usefixtures("app")
def test_runs_of_all_exports_are_told_newest_first() -> None:
    runs = page()["runs"]
    assert exports(runs) == ["offers", "newsletter"] * 3
    assert [run["id"] for run in runs] == sorted((run["id"] for run in runs), reverse=True)


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"status": "skipped"}, 3),
        ({"status": "queued"}, 2),
        ({"trigger": "on_demand"}, 6),
        ({"trigger": "scheduled"}, 0),
        ({"kind": "send"}, 6),
        ({"kind": "dry_run"}, 0),
        ({"export": "offers"}, 3),
        ({"export": "no-such"}, 0),
        ({"connection": "main", "export": "newsletter", "status": "succeeded"}, 1),
        ({"connection": "other"}, 0),
        ({"since": "2026-03-02T13:00:00Z"}, 2),
        ({"until": "2026-03-02T14:00:00+01:00"}, 4),
    ],
)
def test_filters_leave_what_was_asked_for(app: InMemoryApp, asked: dict[str, str], number: int) -> None:
    assert len(app.runs()) == 3
    assert len(page(**asked)["runs"]) == number


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", ["status", "trigger", "kind", "export", "since", "limit", "cursor", "before"])
def test_a_filter_that_is_wrong_is_named(name: str) -> None:
    refused = ask("list_all_runs", params={name: "?"})
    assert refused.status_code == 400
    assert [error["field"] for error in told(refused)["errors"]] == [name]


@pytest.mark.usefixtures("app")
def test_pages_are_the_whole_and_keep_their_filters() -> None:
    in_pages = list(pages(limit="2", connection="main"))
    assert [len(each) for each in in_pages] == [2, 2, 2]
    assert list(itertools.chain.from_iterable(in_pages)) == page()["runs"]


def test_a_page_does_not_move_when_runs_are_added(app: InMemoryApp) -> None:
    first = page(limit="3")
    before = list(pages())
    app.start("newsletter", force=True)
    rest = page(**dict(parse_qsl(urlsplit(first["next"]).query)))["runs"]
    assert first["runs"] + rest == before[0]


def test_a_page_reads_few_documents_however_many_runs_there_are(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    get = app.blobs.get

    def counted(name: str) -> Blob:
        read.append(name)
        return get(name)

    monkeypatch.setattr(app.blobs, "get", counted)
    for number in range(400):
        app.blobs.upsert(f"runs/newsletter/20250101T{number:06}Z-scheduled/run.json", b"never read")
    assert len(page(limit="2")["runs"]) == 2
    assert len([name for name in read if name.endswith("/run.json")]) <= READERS


def test_a_page_that_finds_nothing_ends_and_goes_on(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.RUNS_SCANNED_MAX >= 100
    monkeypatch.setattr(history, "RUNS_SCANNED_MAX", 2)
    found = list(pages(status="succeeded"))
    assert [len(each) for each in found] == [0, 0, 1]
    assert found[2][0]["id"] == min(run.id for run in app.runs())


@pytest.mark.usefixtures("app")
def test_a_key_of_one_export_sees_its_runs_only() -> None:
    assert set(exports(page("newsletter-only")["runs"])) == {"newsletter"}


def test_others_see_runs_through_their_connections_only(app: InMemoryApp) -> None:
    assert len(page("nora")["runs"]) == 6
    app.save_connection(a_connection())
    assert page("nora")["runs"] == []


def test_the_history_of_a_deleted_export_is_administrators(app: InMemoryApp) -> None:
    manage.delete_export(app.services, "offers", etag=None)
    assert len(told(ask("list_runs", id="offers"))["runs"]) == 3
    assert ask("list_runs", id="offers", caller="nora").status_code == 404
    assert len(page(export="offers")["runs"]) == 3


def test_runs_of_an_earlier_export_of_the_same_id_are_not_its_own(app: InMemoryApp) -> None:
    before = page(export="offers")["runs"]
    definition = manage.get_export(app.services, "offers").document.definition.model_dump(mode="json")
    manage.delete_export(app.services, "offers", etag=None)
    assert ask("put_export", definition, id="offers").status_code == 201
    assert (len(before), page(export="offers")["runs"]) == (3, [])


def test_runs_through_an_earlier_connection_of_the_same_id_are_not_shown(app: InMemoryApp) -> None:
    assert page("nora")["runs"]
    app.save_connection(a_connection(users=("nora",)), uid="main-2")
    assert page("nora")["runs"] == []
    assert page()["runs"]
