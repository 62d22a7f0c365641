"""Which cron expressions people may write, and what is said of those they may not."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from shared.model.cron import check_cron

START = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("* * * * *", "* * * * *"),
        ("30 6 * * MON-FRI", "30 6 * * MON-FRI"),
        ("*/5 0-4 1,15 JAN-JUN *", "*/5 0-4 1,15 JAN-JUN *"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 6 * * mon#1", "0 6 * * mon#1"),
        ("0 6 * * 5-7", "0 6 * * 5-7"),
        ("0 6 * * */2", "0 6 * * */2"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("  30\t6 * * * ", "30 6 * * *"),
        ("0 30 6 * * *", "30 6 * * *"),
        ("*/10 * * * * *", "*/10 * * * * *"),
    ],
)
def test_what_is_taken(written: str, kept: str) -> None:
    assert check_cron(written) == kept


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "five fields"),
        ("0 4 * *", "five fields"),
        ("0 0 4 * * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 4 * * *", "its minute"),
        ("0 24 * * *", "its hour"),
        ("0 0 32 * *", "its day"),
        ("0 0 * 13 *", "its month"),
        ("0 0 * * 8", "its weekday"),
        ("99 0 0 * * *", "its second"),
        ("0 0 ? * *", "its day"),
        ("0 0 15W * *", "its day"),
        ("\u0663 * * * *", "not ASCII"),
        ("0 6 * * FRI-MON", "must not run backwards"),
        ("0 22-4 * * *", "must not run backwards"),
        ("0 0 30 2 *", "a date that comes"),
        ("0 0 31 4,6,9,11 *", "a date that comes"),
        ("0 6 1-7 * MON", "either of them .* both at once.*MON#1"),
        ("0 6 */2 * MON", "both at once"),
        ("0 6 L * 5", "both at once"),
        ("0 6 * * MON/2", "list the days"),
        ("0 6 * * FRI,MON/2", "list the days"),
    ],
)
def test_what_is_refused_and_how(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_cron(written)


fields = st.text(alphabet="0123456789*/,-#LW?", min_size=1, max_size=6)


@given(written=st.lists(fields, min_size=5, max_size=6).map(" ".join))
def test_whatever_is_taken_comes(written: str) -> None:
    with contextlib.suppress(ValueError):
        assert len(list(islice(CronSim(check_cron(written), START), 2))) == 2
