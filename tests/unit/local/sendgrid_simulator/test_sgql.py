import pytest

from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.sgql import QueryError, parse

ANN: Json = {
    "id": "7",
    "email": "ann@example.com",
    "first_name": "Ann",
    "last_name": "O'Hara",
    "city": "",
    "list_ids": ["a", "b"],
    "alternate_emails": None,
    "custom_fields": {"shoe": 38},
}
FIELDS = {*ANN, "shoe", "hat"}


@pytest.mark.parametrize(
    "query",
    [
        "email = 'ann@example.com'",
        'email = "ann@example.com"',
        "primary_email = 'ann@example.com'",
        "contact_id = '7'",
        "email LIKE 'ann%'",
        "email like '%@example.com'",
        "email LIKE 'a_n@example.com'",
        "email IN ('bob@example.com', 'ann@example.com')",
        "lower(email) = lower('ANN@example.com')",
        "CONTAINS(list_ids, 'b')",
        "email LIKE 'a%' AND CONTAINS(list_ids, 'a')",
        "email = 'x' OR first_name = 'Ann' AND NOT city = 'Rome'",
        "(email = 'x' OR first_name = 'Ann') AND first_name <> 'Bob'",
        "last_name = 'O\\'Hara'",
        "city IS NULL AND hat IS NULL AND shoe IS NOT NULL",
        "shoe = 38",
        "NOT CONTAINS(alternate_emails, 'x')",
        "first_name != 'ann'",
    ],
)
def test_it_matches(query: str) -> None:
    assert parse(query, FIELDS)(ANN)


@pytest.mark.parametrize(
    "query",
    [
        "email = 'ANN@example.com'",
        "email LIKE 'ann'",
        "first_name LIKE 'an%'",
        "email LIKE 'ann.example.com'",
        "CONTAINS(list_ids, 'c')",
        "email = 'x' OR email = 'y'",
        "email = 'ann@example.com' AND shoe = 39",
        "shoe IS NULL",
    ],
)
def test_it_does_not_match(query: str) -> None:
    assert not parse(query, FIELDS)(ANN)


@pytest.mark.parametrize(
    "query",
    [
        "email",
        "email =",
        "email = ann",
        "email = 'ann' email = 'ann'",
        "email = 'O'Hara'",
        "email = 'ann",
        "color = 'red'",
        "'ann' = email",
        "email > 'a'",
        "email IN ()",
        "CONTAINS(list_ids)",
        "(email = 'x'",
        "(" * 5_000,
        "email = 'x';",
    ],
)
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        parse(query, FIELDS)
