import re
import tracemalloc
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.extracts.customer_insights import csv_blocks
from local.extracts.people import CITY, COLUMNS, CUSTOMER_ID, EMAIL, FIRST_NAME, LAST_NAME, People
from tests.support.csv_oracle import expect_file

ROWS = 2_345


def write_csv(path: Path, people: People) -> Path:
    """Write a file as an extract would be, with a header on top."""
    path.write_bytes(b"".join(csv_blocks([list(COLUMNS), *people])))
    return path


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, ROWS])
@pytest.mark.parametrize("seed", [1, 7])
def test_counts_by_construction_equal_an_independent_count_of_the_csv(
    tmp_path: Path, rows: int, seed: int
) -> None:
    people = People(rows=rows, seed=seed)
    found, addresses = expect_file(write_csv(tmp_path / "people.csv", people), "EMail")
    made = people.expectation()
    assert (found.rows, found.contacts, found.duplicates, found.rejected) == (
        made.rows,
        made.contacts,
        made.duplicates,
        made.rejected,
    )
    assert addresses == set(people.emails())


def test_cut_values_are_those_longer_than_sendgrid_takes() -> None:
    people = People(rows=ROWS)
    limits = {"first_name": (FIRST_NAME, 50), "last_name": (LAST_NAME, 50), "city": (CITY, 60)}
    sendable = set(people.emails())
    cut: Counter[str] = Counter()
    for row in people:
        if row[EMAIL].lower() in sendable:
            sendable.remove(row[EMAIL].lower())
            cut.update(field for field, (place, limit) in limits.items() if len(row[place]) > limit)
    assert cut == people.expectation().cut


def test_every_address_is_named_once() -> None:
    emails = list(People(rows=ROWS).emails())
    assert len(emails) == len(set(emails)) == People(rows=ROWS).expectation().contacts


@given(seed=st.integers(0, 2**32), number=st.integers(0, 10**7))
def test_a_row_follows_from_seed_and_number_alone(seed: int, number: int) -> None:
    assert People(rows=10, seed=seed).row(number) == People(rows=number + 1, seed=seed).row(number)


def test_another_seed_makes_other_people() -> None:
    assert list(People(rows=10, seed=1)) != list(People(rows=10, seed=2))


def test_a_longer_extract_begins_with_the_same_people() -> None:
    assert list(People(rows=500))[:300] == list(People(rows=300))


def test_slices_make_up_the_whole() -> None:
    people = People(rows=250)
    assert [*people.slice(0, 120), *people.slice(120, 250)] == list(people)


def test_customer_ids_are_guids_and_differ() -> None:
    ids = [row[CUSTOMER_ID] for row in People(rows=ROWS)]
    assert len(set(ids)) == ROWS
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in ids)


def test_every_row_has_a_value_for_every_column() -> None:
    assert {len(row) for row in People(rows=ROWS)} == {len(COLUMNS)}


@pytest.mark.parametrize(
    "pattern",
    [
        r"[\u0400-\u04ff]",  # Cyrillic
        r"[\u4e00-\u9fff]",  # Han
        r"·l",  # Catalan
        r"[åäöÅÄÖ]",  # Swedish
        r"ç",  # French
        r"'",
        r'"',
        r",",
        r"\r\n",
        r"[^\r]\n",
        r"[\U00010000-\U0010ffff]",  # beyond the basic plane
    ],
)
def test_names_and_towns_hold_what_real_ones_do(pattern: str) -> None:
    texts = [row[place] for row in People(rows=ROWS) for place in (FIRST_NAME, LAST_NAME, CITY)]
    assert any(re.search(pattern, text) for text in texts)


def test_duplicates_come_in_other_case_and_between_blanks() -> None:
    seen: set[str] = set()
    again = []
    for row in People(rows=ROWS):
        if (email := row[EMAIL].strip().lower()) in seen:
            again.append(row[EMAIL])
        seen.add(email)
    assert any(email.startswith(" ") for email in again)
    assert any(email.isupper() for email in again)


def test_a_million_rows_are_not_held_in_memory() -> None:
    rows = iter(People(rows=1_000_000))
    tracemalloc.start()
    try:
        for _ in islice(rows, 20_000):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
