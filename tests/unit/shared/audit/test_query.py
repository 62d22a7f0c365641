from __future__ import annotations

import base64

import pytest

from shared.audit.query import ADVICE, AuditQuery, make_cursor, parse_cursor, parse_query
from shared.errors import InvalidInputError
from tests.support.factories import RUN_ID

GOOD = {
    "since": "2026-03-01T00:00:00Z",
    "until": "2026-03-02T00:00:00+01:00",
    "caller": "marketing-key",
    "caller_type": "key",
    "operation": "Exports.Save",
    "connection": "marketing",
    "export": "loyal",
    "run": RUN_ID,
    "result": "ClientError",
    "denied": "true",
    "limit": "1000",
    "cursor": make_cursor(("2026-03-01T12:00:00.000000Z", "2026/03/01/110000000000-p1.jsonl")),
}
BAD = [
    ("since", "yesterday"),
    ("since", "2026-03-01T00:00:00"),
    ("until", "9999-12-31T23:59:59-14:00"),
    ("until", "0001-01-01T00:00:00+14:00"),
    ("caller", "ada@example.com"),
    ("caller_type", "robot"),
    ("operation", "drop table"),
    ("connection", "Marketing!"),
    ("export", ""),
    ("run", "42"),
    ("result", "maybe"),
    ("denied", "perhaps"),
    ("denied", "0"),
    ("limit", "0"),
    ("limit", "1001"),
    ("limit", "9" * 5000),
    ("cursor", "ada@example.com"),
    ("cursor", "é"),
    ("cursor", base64.urlsafe_b64encode(b'["only one"]').decode()),
    ("cursor", base64.urlsafe_b64encode(b"\xff").decode()),
    ("cursor", base64.urlsafe_b64encode(b"[" * 100_000).decode()),
    ("calller", "marketing-key"),
]


def test_every_parameter_is_understood() -> None:
    assert set(GOOD) == set(AuditQuery.model_fields)
    query = parse_query(GOOD)
    assert (query.begin, query.limit, query.denied) == ("2026-03-01T00:00:00.000000Z", 1000, True)
    assert query.end == ("2026-03-01T12:00:00.000000Z", "2026/03/01/110000000000-p1.jsonl")


def test_every_parameter_has_advice() -> None:
    assert set(ADVICE) == set(AuditQuery.model_fields)


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: value[:20])
def test_what_is_wrong_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_query({**GOOD, name: value})
    (problem,) = caught.value.errors
    assert (problem.field, problem.message) == (
        name,
        ADVICE.get(name, "is not known; remove it or correct its name"),
    )
    assert str(caught.value) == "The parameters are not valid."
    assert caught.value.__cause__ is None


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_query({"limit": "none", "since": "never", "who": "ada"})
    assert [problem.field for problem in caught.value.errors] == ["limit", "since", "who"]


def test_the_host_s_own_parameters_are_passed_over() -> None:
    assert parse_query({"code": "a key", "clientId": "default"}) == AuditQuery()


def test_a_cursor_survives_its_way() -> None:
    position = ("2026-03-01T12:00:00.000000Z", "2026/03/01/110000000000-p1.jsonl")
    assert parse_cursor(make_cursor(position)) == position
    assert make_cursor(position).isascii()
