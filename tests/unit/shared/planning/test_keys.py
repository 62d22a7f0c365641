"""Addresses and contacts are told apart by 64 bits, and those must be good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.planning.engine import Engine, open_engine
from tests.unit.shared.planning.planned import as_csv, plan_file

if TYPE_CHECKING:
    from collections.abc import Iterator

TWINS = ("person763483.lastname446@example33.com", "person213483.lastname497@example33.com")
"""Different people, and one and the same to DuckDB's own hash."""
LETTERS = "chr((33 + i % 90)::INT), chr((33 + i // 90 % 90)::INT)"
PATTERNS = {
    "numbered twice": "format('person{}.lastname{}@example{}.com', i, i % 977, i % 50)",
    "two letters": f"format('aaaaaaa{{}}bbbbbbb{{}}@example.com', {LETTERS})",
    "two letters elsewhere": f"format('aaa{{}}bbbbbbb{{}}@example.com', {LETTERS})",
    "counted": "'person' || i || '@example.com'",
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine() as opened:
        yield opened


def test_two_people_are_two_contacts_whatever_the_engine_hashes() -> None:
    planned = plan_file(as_csv([(address, "Ann") for address in TWINS]))
    assert [contact["email"] for contact in planned.contacts] == list(TWINS)
    assert planned.outcome.counts.duplicate == 0


@pytest.mark.parametrize("function", ["key_of", "fingerprint"])
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=[name.replace(" ", "-") for name in PATTERNS])
def test_no_two_of_many_like_texts_are_one(engine: Engine, function: str, pattern: str) -> None:
    texts = f"SELECT DISTINCT {pattern} AS text FROM range(1_000_000) AS numbers (i)"
    assert engine.number(f"SELECT count(*) - count(DISTINCT {function}(text)) FROM ({texts})") == 0


def test_keys_are_others_in_every_engine_and_fingerprints_are_not(engine: Engine) -> None:
    query = "SELECT key_of('ann@example.com'), fingerprint('ann@example.com')"
    ((key, fingerprint),) = engine.rows(query)
    with open_engine() as another:
        ((other_key, same_fingerprint),) = another.rows(query)
    assert key != other_key
    assert fingerprint == same_fingerprint
