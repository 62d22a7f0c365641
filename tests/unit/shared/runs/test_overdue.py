"""Exports that say how often they are to succeed are watched, and those who want to know are told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions import wiring
from shared.definitions.manage import delete_export
from shared.limits import OVERDUE_EVERY, OVERDUE_EXPORTS_A_TICK
from shared.model.definitions import Off
from shared.model.overdue import ExportWatch, Freshness, Overdue
from shared.model.reasons import RunStatus
from shared.runs import overdue as watching
from shared.runs.freshness import find_freshness
from shared.runs.overdue import judge, watch_exports
from shared.storage.documents import Store
from shared.storage.layout import export_watch_blob, freshness_blob
from tests.support.factories import NOW, an_export
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from shared.model.notifications import Notice
    from shared.services import Services

DAY = timedelta(days=1)


class Told:
    """Who wants to know was told of these."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.works = True

    def __call__(self, _services: Services, notice: Notice) -> bool:
        if self.works:
            self.notices.append(notice)
        return self.works

    @property
    def types(self) -> list[str]:
        return [notice.types[0].value for notice in self.notices]


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> Told:
    told_of = Told()
    monkeypatch.setattr(watching, "tell", told_of)
    return told_of


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save(expect_every="P1D", schedule=Off(kind="off"))
    app.deliver_extract(people(3))
    return app


def ticks(app: InMemoryApp, span: timedelta) -> None:
    """Let time pass, with a tick whenever exports are looked at."""
    end = app.clock.now + span
    while app.clock.now < end:
        app.clock.now += timedelta(seconds=3600)
        watch_exports(app.services)


def run(app: InMemoryApp, **options: Any) -> RunStatus:  # noqa: ANN401 - passed on
    started = app.start(**options)
    app.work()
    return app.run(started).status


def watched_since(app: InMemoryApp) -> datetime:
    return Store(app.blobs).get(export_watch_blob("newsletter"), ExportWatch).document.watched_since


def state(app: InMemoryApp) -> Overdue | None:
    return Store(app.blobs).get(export_watch_blob("newsletter"), ExportWatch).document.overdue


def test_an_export_that_does_what_it_says_is_not_overdue(app: InMemoryApp, notices: Told) -> None:
    for day in range(4):
        app.deliver_extract(people(3 + day))
        assert run(app) is RunStatus.SUCCEEDED
        ticks(app, timedelta(hours=20))
    assert notices.types == []
    assert state(app) is None


def test_one_that_never_runs_is_overdue_once_and_recovers_once(app: InMemoryApp, notices: Told) -> None:
    watch_exports(app.services)
    since = watched_since(app)
    ticks(app, 3 * DAY)
    assert notices.types == ["export.overdue"]
    assert state(app) == Overdue(since=since + DAY, code="no_success")
    app.deliver_extract(people(3))
    assert run(app) is RunStatus.SUCCEEDED
    ticks(app, timedelta(hours=2))
    assert notices.types == ["export.overdue", "export.recovered"]
    assert notices.notices[1].since == notices.notices[0].since
    assert state(app) is None


def test_unchanged_again_and_again_is_no_success(app: InMemoryApp, notices: Told) -> None:
    assert run(app) is RunStatus.SUCCEEDED
    watch_exports(app.services)
    for _ in range(4):
        ticks(app, timedelta(hours=8))
        assert run(app) is RunStatus.SKIPPED
    ticks(app, timedelta(hours=1))
    assert notices.types == ["export.overdue"]
    overdue = state(app)
    assert overdue
    assert overdue.code == "no_new_extract"
    app.deliver_extract(people(4))
    assert run(app) is RunStatus.SUCCEEDED
    ticks(app, timedelta(hours=1))
    assert notices.types == ["export.overdue", "export.recovered"]


def test_the_same_extract_sent_again_is_no_success_either(app: InMemoryApp, notices: Told) -> None:
    watch_exports(app.services)
    for _ in range(4):
        assert run(app, force=True) is RunStatus.SUCCEEDED
        ticks(app, timedelta(hours=12))
    assert notices.types == ["export.overdue"]
    assert notices.notices[0].reason == "no_new_extract"


def test_runs_that_fail_are_no_success(app: InMemoryApp, notices: Told) -> None:
    app.sendgrid.keys.clear()
    watch_exports(app.services)
    for _ in range(4):
        app.deliver_extract(people(3))
        assert run(app, force=True) is RunStatus.FAILED
        ticks(app, timedelta(hours=12))
    assert [(notice.types[0].value, notice.reason) for notice in notices.notices] == [
        ("export.overdue", "no_success")
    ]


def test_without_an_expectation_nothing_is_watched(app: InMemoryApp, notices: Told) -> None:
    app.save(schedule=Off(kind="off"))
    ticks(app, 5 * DAY)
    assert notices.types == []
    assert not list(app.names("overdue/"))


@pytest.mark.parametrize("change", [{"enabled": False}, {"expect_every": None}])
def test_who_is_not_watched_any_more_is_not_overdue_and_begins_anew(
    app: InMemoryApp, notices: Told, change: dict[str, Any]
) -> None:
    watch_exports(app.services)
    ticks(app, 2 * DAY)
    usual: dict[str, Any] = {"expect_every": "P1D", "schedule": Off(kind="off")}
    app.save(**(usual | change))
    ticks(app, 5 * DAY)
    assert notices.types == ["export.overdue"]
    assert not list(app.names("overdue/"))
    app.save(expect_every="P1D", schedule=Off(kind="off"))
    ticks(app, timedelta(hours=23))
    assert notices.types == ["export.overdue"]
    ticks(app, timedelta(hours=3))
    assert notices.types == ["export.overdue", "export.overdue"]
    assert notices.notices[0].id != notices.notices[1].id


def test_who_cannot_be_told_now_is_told_at_a_later_look(app: InMemoryApp, notices: Told) -> None:
    watch_exports(app.services)
    notices.works = False
    ticks(app, 2 * DAY)
    assert state(app) is None
    notices.works = True
    ticks(app, timedelta(hours=1))
    assert notices.types == ["export.overdue"]


def test_a_look_that_is_cut_off_tells_the_same_again(app: InMemoryApp, notices: Told) -> None:
    watch_exports(app.services)
    before = app.blobs.get(export_watch_blob("newsletter")).data
    ticks(app, 2 * DAY)
    app.blobs.upsert(export_watch_blob("newsletter"), before)
    ticks(app, timedelta(hours=1))
    assert len(notices.notices) == 2
    assert len({notice.id for notice in notices.notices}) == 1


def test_many_exports_are_looked_at_some_at_a_tick(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert OVERDUE_EXPORTS_A_TICK >= 100
    monkeypatch.setattr(watching, "OVERDUE_EXPORTS_A_TICK", 3)
    for number in range(7):
        app.save(f"export-{number}", expect_every="P1D")
    seen = []
    for _ in range(4):
        watch_exports(app.services)
        seen.append(len(list(app.names("overdue/"))))
    assert seen == [3, 6, 8, 8]
    app.clock.now += timedelta(seconds=OVERDUE_EVERY)
    app.blobs.delete(export_watch_blob("export-0"))
    watch_exports(app.services)
    assert len(list(app.names("overdue/"))) == 8


def test_a_deleted_export_leaves_nothing_to_be_watched_or_held_against_its_successor(
    app: InMemoryApp, notices: Told
) -> None:
    run(app)
    watch_exports(app.services)
    delete_export(app.services, "newsletter", etag=None)
    assert not list(app.names("overdue/"))
    assert not list(app.names("freshness/"))
    assert notices.types == []


def test_what_another_export_of_that_id_has_left_says_nothing(app: InMemoryApp, notices: Told) -> None:
    Store(app.blobs).upsert(
        export_watch_blob("newsletter"),
        ExportWatch(
            export_uid="another",
            watched_since=NOW - 9 * DAY,
            overdue=Overdue(since=NOW - 8 * DAY, code="no_success"),
        ),
    )
    Store(app.blobs).upsert(freshness_blob("newsletter"), Freshness(export_uid="another", success_at=NOW))
    ticks(app, timedelta(hours=2))
    assert notices.types == []
    assert state(app) is None
    assert find_freshness(app.services, "newsletter", "uid-1").success_at is None


@pytest.mark.parametrize("name", ["overdue/newsletter.json", "freshness/newsletter.json"])
def test_a_document_that_cannot_be_read_is_begun_anew(app: InMemoryApp, notices: Told, name: str) -> None:
    watch_exports(app.services)
    app.blobs.upsert(name, b"{}")
    assert run(app) is RunStatus.SUCCEEDED
    ticks(app, 2 * DAY)
    assert notices.types == ["export.overdue"]
    assert find_freshness(app.services, "newsletter", "uid-1").success_at is not None or name.startswith("overdue")


# --- the rule ---


def test_only_a_run_that_has_looked_since_tells_that_there_is_no_new_extract() -> None:
    export, began = an_export(expect_every="P1D"), NOW - 30 * DAY
    known = Freshness(
        export_uid="u", success_at=NOW - 2 * DAY, extract_delivered_at=NOW - 3 * DAY, looked_at=NOW - 2.5 * DAY
    )
    assert judge(export, known, began, NOW) == Overdue(since=NOW - DAY, code="no_success")
    looked = known.model_copy(update={"looked_at": NOW - timedelta(hours=1)})
    assert judge(export, looked, began, NOW) == Overdue(since=NOW - 2 * DAY, code="no_new_extract")


def test_nothing_is_overdue_before_it_was_watched_for_so_long() -> None:
    export = an_export(expect_every="P1D")
    known = Freshness(export_uid="u", success_at=NOW - 9 * DAY, extract_delivered_at=NOW - 9 * DAY, looked_at=NOW)
    assert judge(export, known, NOW - timedelta(hours=23), NOW) is None
    assert judge(export, known, NOW - timedelta(hours=25), NOW) is not None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *[(each, each) for each in ("P1D", "P1DT2H", "PT1M")],
        ("PT26H", "P1DT2H"),
        ("P2W", "P14D"),
        ("P366D", "P366D"),
    ],
)
def test_spans_that_are_read(text: str, kept: str) -> None:
    answered = an_export(expect_every=text).model_dump(mode="json")["expect_every"]
    assert answered == kept
    assert an_export(expect_every=answered) == an_export(expect_every=text)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1 day", "P1M", "P1Y", "-P1D", "PT59S", "P367D", "P99999999999D", 86400, True]
)
def test_spans_that_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expect_every"):
        an_export(expect_every=text)


# --- what is shown ---


def test_it_is_shown_with_the_export_and_among_all(app: InMemoryApp, notices: Told) -> None:
    watch_exports(app.services)
    ticks(app, 2 * DAY)
    serve(app)
    wiring.watching_runs.cache_clear()
    shown = told(ask("get_export"))
    assert shown["overdue"]["code"] == "no_success"
    assert [each["code"] for each in shown["warnings"]] == ["no_success"]
    assert "expected every P1D" in shown["warnings"][0]["message"]
    (listed,) = told(ask("list_exports"))["exports"]
    assert listed["overdue"] == shown["overdue"]
    assert notices.types == ["export.overdue"]


def test_the_age_of_the_newest_extract_is_a_fact_of_every_run(app: InMemoryApp) -> None:
    delivered = app.clock.now
    run(app)
    app.clock.now += timedelta(hours=5)
    skipped = app.start()
    app.work()
    document = app.run(skipped)
    assert document.status is RunStatus.SKIPPED
    assert document.extract_delivered_at
    assert abs(document.extract_delivered_at - delivered) < timedelta(seconds=5)
    assert document.extract_age_s == pytest.approx(5 * 3600, abs=120)
    assert [extract.segment for extract in document.extracts] == ["Customers"]


def test_of_several_segments_the_one_that_is_delivered_no_more_counts(app: InMemoryApp) -> None:
    old = app.clock.now
    app.deliver_extract(people(2, first=50), segment="Others")
    app.clock.now += 3 * DAY
    app.deliver_extract(people(5))
    app.save(segments=("Customers", "Others"))
    started = app.start()
    app.work()
    assert app.run(started).extract_delivered_at - old < timedelta(minutes=1)  # type: ignore[operator]


# --- rejected rows ---


def rejecting(app: InMemoryApp, good: int, bad: int) -> tuple[str, ...]:
    app.clock.now += timedelta(minutes=5)
    app.deliver_extract([*people(good), *((f"no address {number}", "x") for number in range(bad))])
    started = app.start()
    app.work()
    return app.run(started).warnings


def test_a_rejected_share_that_jumps_is_told(app: InMemoryApp) -> None:
    assert [rejecting(app, 1000, bad) for bad in (5, 6, 5)] == [()] * 3
    assert rejecting(app, 1000, 12) == ()
    (words,) = rejecting(app, 1000, 100)
    assert words == "9.1% of the rows were rejected; in the 4 runs before it was 0.5%."


def test_few_rows_and_few_runs_are_no_jump(app: InMemoryApp) -> None:
    assert rejecting(app, 1000, 150) == ()
    assert [rejecting(app, 10, bad) for bad in (0, 0, 1, 1)] == [()] * 4
