"""The app's own pages write numbers, times and plurals as people of each language do."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from functions.words import Words, languages, nearest


def words(language: str = "en", zone: str = "UTC") -> Words:
    return Words(language=language, zone=ZoneInfo(zone))


def spaced(text: str) -> str:
    """With plain spaces in place of those that do not break."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), "en"),
        (("fr",), "fr"),
        (("fr-CA",), "fr"),
        (("FR-ca",), "fr"),
        (("zh-HK", "en"), "zh-Hant-HK"),
        (("zh-hant-hk",), "zh-Hant-HK"),
        (("tlh", "ru"), "ru"),
        (("tlh", "*"), "en"),
        (("../fr", "", "-"), "en"),
        (("fran",), "en"),
    ],
)
def test_the_first_language_that_is_there_or_near_is_taken(wanted: tuple[str, ...], found: str) -> None:
    assert nearest(wanted) == found


def test_the_same_comes_before_one_that_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.words.languages", lambda: ("zh-Hans", "zh-Hant-HK"))
    assert (nearest(["zh-Hant-HK"]), nearest(["zh-SG"])) == ("zh-Hant-HK", "zh-Hans")


def test_every_language_has_numbers_times_and_sizes() -> None:
    for language in languages():
        these = words(language)
        told = (these.number(1234), these.percent(0.5), these.bytes(2048), these.duration(90))
        assert all(any(map(str.isdigit, each)) for each in told)
        assert "2026" in these.date_time(datetime(2026, 3, 2, 6, 30, tzinfo=UTC))
        assert these.known("run.outcome")


@pytest.mark.parametrize(
    ("language", "count", "told"),
    [
        ("en", 1, "1 row read"),
        ("en", 1234, "1,234 rows read"),
        ("fr", 0, "0 ligne lue"),
        ("ru", 21, "Прочитана 21 строка"),
        ("ru", 3, "Прочитаны 3 строки"),
        ("ru", 5, "Прочитано 5 строк"),
    ],
)
def test_a_count_decides_the_form(language: str, count: int, told: str) -> None:
    assert spaced(words(language).t("run.rows_read", count=count)) == told


def test_a_value_is_told_as_it_is_and_one_that_is_missing_is_left() -> None:
    assert words().t("run.title_of", export="{count}") == "Run of {count}"
    assert words().t("run.title_of") == "Run of {export}"
    assert words().t("run.list_count", before="?", after=1000).startswith("? contacts before, 1,000 after")


def test_a_key_without_words_is_told_as_it_is() -> None:
    assert (words("fr").t("run_status.new"), words("fr").known("run_status.new")) == ("run_status.new", False)


@pytest.mark.parametrize(
    ("share", "told"), [(0, "0%"), (0.0004, "0%"), (0.1225, "12.3%"), (0.909, "90.9%"), (1, "100%")]
)
def test_a_share_is_told_to_a_tenth_of_a_percent(share: float, told: str) -> None:
    assert words().percent(share) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 sec"),
        (0.4, "0 sec"),
        (0.5, "1 sec"),
        (2.5, "3 sec"),
        (60, "1 min"),
        (125, "2 min, 5 sec"),
        (90_061, "1 day, 1 hr"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds: float, told: str) -> None:
    assert words().duration(seconds) == told


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 byte"), (999, "999 byte"), (1250, "1.3 kB"), (12_000_000, "12 MB"), (5 * 10**13, "50,000 GB")],
)
def test_a_size_has_a_unit_that_fits(size: int, told: str) -> None:
    assert words().bytes(size) == told


def test_a_moment_is_told_in_the_readers_time_zone() -> None:
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert spaced(words().date_time(moment)) == "Mar 2, 2026, 11:30 PM"
    assert spaced(words(zone="Europe/Stockholm").date_time(moment)) == "Mar 3, 2026, 12:30 AM"
    assert spaced(words("fr", "Asia/Hong_Kong").date_time(moment)) == "3 mars 2026, 07:30"
