from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from shared.planning.engine import Engine, open_engine
from shared.planning.international_domains import with_ascii_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL_63 = "d" * 63
LOCAL_64 = "l" * 64
LONGEST = f"{LOCAL_64}@{LABEL_63}.{LABEL_63}.{'d' * 57}.com"
assert len(LONGEST) == 254


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as opened:
        yield opened


def sql(engine: Engine, call: str, *values: str | None) -> object:
    """What a macro makes of these values."""
    return engine.connection.execute(f"SELECT {call}", values).fetchall()[0][0]


# --- e-mail -------------------------------------------------------------------------------------------------

GOOD = [
    "ann@example.com",
    "a@b.co",
    "ann.lee@mail.example.co.uk",
    "ann+news@example.com",
    "!#$%&'*+/=?^_`{|}~-@example.com",
    "-ann-@example.com",
    "1@2.c3",
    "ann@in-ner.hy--phens.example",
    "ann@1.2.x4",
    "ann@xn--mnchen-3ya.example",
    "ann@example.xn--p1ai",
    f"{LOCAL_64}@example.com",
    f"{'a-' * 32}@example.com",
    f"ann@{LABEL_63}.com",
    f"ann@example.{LABEL_63}",
    f"ann@{LABEL_63}.{LABEL_63}.com",
    LONGEST,
]

BAD = [
    "ann",
    "@example.com",
    "ann@",
    "ann@example",
    "ann@example.c",
    "ann@example.12",
    "ann@example.1com",
    "ann@192.168.0.1",
    "ann@[192.168.0.1]",
    "ann@.example.com",
    "ann@example..com",
    "ann@example.com.",
    "ann@-example.com",
    "ann@example-.com",
    "ann@example.-com",
    "ann@example.com-",
    "ann@exam_ple.com",
    "ann@exam ple.com",
    ".ann@example.com",
    "ann.@example.com",
    "ann..lee@example.com",
    "ann lee@example.com",
    '"ann"@example.com',
    "ann,bo@example.com",
    "ann@example.com,bo@example.com",
    "ann;@example.com",
    "ann(lee)@example.com",
    "ann\\@example.com",
    "ann@bo@example.com",
    "ann@example.com\n",
    "<ann@example.com>",
    "mailto:ann@example.com",
    "änn@example.com",
    f"{LOCAL_64}l@example.com",
    f"ann@{LABEL_63}d.com",
    f"ann@example.{LABEL_63}d",
]


@pytest.mark.parametrize("address", GOOD)
def test_a_good_address_passes(engine: Engine, address: str) -> None:
    assert sql(engine, "is_address(?)", address) is True
    assert sql(engine, "address_verdict(?)", address) is None


@pytest.mark.parametrize("address", BAD)
def test_a_bad_address_is_invalid(engine: Engine, address: str) -> None:
    assert sql(engine, "is_address(?)", address) is False
    assert sql(engine, "address_verdict(?)", address) == "email_invalid"


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        (None, "email_missing"),
        ("", "email_missing"),
        ("a" + LONGEST, "email_too_long"),
        ("x" * 255, "email_too_long"),
        ("x" * 254, "email_invalid"),
        ("ann@münchen.example", "international"),
        ("ann@例え.テスト", "international"),
        (f"ann@{'ü' * 250}", "international"),
        (f"ann@{'ü' * 251}", "email_too_long"),
        (".ann@münchen.example", "email_invalid"),
        ("änn@münchen.example", "email_invalid"),
    ],
)
def test_a_verdict_says_what_is_wrong(engine: Engine, address: str | None, verdict: str) -> None:
    assert sql(engine, "address_verdict(?)", address) == verdict


@pytest.mark.parametrize(
    ("address", "converted"),
    [
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
        ("ann@MÜNCHEN.example", "ann@xn--mnchen-3ya.example"),
        ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@example。com", "ann@example.com"),
    ],
)
def test_a_domain_beyond_ascii_is_converted(engine: Engine, address: str, converted: str) -> None:
    assert with_ascii_domain(address) == converted
    assert sql(engine, "address_verdict(?)", converted) is None


@pytest.mark.parametrize(
    "address", ["ann@-ü.example", "ann@ü..example", f"ann@{'ü' * 60}.example", "ann@ü☃\u200d.example"]
)
def test_a_domain_that_cannot_be_converted_stays(address: str) -> None:
    assert with_ascii_domain(address) == address


# --- other values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", "0"),
        ("-7", "-7"),
        ("12.50", "12.50"),
        ("999999999999999999", "999999999999999999"),
        ("0.123456789012", "0.123456789012"),
        ("+5", "5"),
        ("007", "7"),
        ("-007.10", "-7.1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("+100", "100"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("1e-20", "0"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.1234567890125", "0.123456789013"),
    ],
)
def test_a_number_is_written_as_json(engine: Engine, value: str, number: str) -> None:
    assert sql(engine, "number_of(?)", value) == number
    assert json.loads(number) == pytest.approx(float(value), abs=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-",
        ".",
        "1,5",
        "1 000",
        "1_000",
        "1.2.3",
        "--1",
        "0x1F",
        "NaN",
        "inf",
        "Infinity",
        "1e",
        "1e1000",
        "1e40",
        "9" * 27,
        "12 kg",
        "٣",
        "true",
        "1\n",
    ],
)
def test_what_is_no_number_has_none(engine: Engine, value: str) -> None:
    assert sql(engine, "number_of(?)", value) is None


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-03-01", "03/01/2026"),
        ("2024-02-29", "02/29/2024"),
        ("1900-01-31", "01/31/1900"),
        ("2026-03-01 23:59", "03/01/2026"),
        ("2026-03-01T23:59:59", "03/01/2026"),
        ("2026-03-01T23:59:59.1234567Z", "03/01/2026"),
        ("2026-03-01T00:30:00+02:00", "03/01/2026"),
        ("2026-03-01 23:30:00 -0800", "03/01/2026"),
        ("2026-03-01 00:00:00 UTC", "03/01/2026"),
        ("2026/3/1", "03/01/2026"),
        ("20260301", "03/01/2026"),
        ("2026-3-1", "03/01/2026"),
        ("March 1, 2026", "03/01/2026"),
        ("1-Mar-2026", "03/01/2026"),
        ("13/3/2026", "03/13/2026"),
        ("1.3.2026", "03/01/2026"),
        ("01.03.2026", "03/01/2026"),
    ],
)
def test_a_date_keeps_the_day_that_is_written(engine: Engine, value: str, day: str) -> None:
    assert sql(engine, "day_of(?, '-')", value) == day


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-02-29",
        "2026-13-01",
        "20261301",
        "30.2.2026",
        "0999-01-01",
        "26-03-01",
        "March 1, 26",
        "2026-03-01Z",
        "2026-03-01T",
        "2026-03-01 or so",
        "1772323200",
        "3/1/2026",
        "2026-03",
    ],
)
def test_what_is_no_date_has_no_day(engine: Engine, value: str) -> None:
    assert sql(engine, "day_of(?, '-')", value) is None


@pytest.mark.parametrize(
    ("value", "form", "day"),
    [
        ("3/1/2026", "%m/%d/%Y", "03/01/2026"),
        ("3/1/2026", "%d/%m/%Y", "01/03/2026"),
        ("31/12/2026", "%d/%m/%Y", "12/31/2026"),
        ("31/12/2026", "%m/%d/%Y", None),
        ("3/1/2026 11:30:00 PM", "%m/%d/%Y", "03/01/2026"),
        ("3/1/2026 or so", "%m/%d/%Y", None),
    ],
)
def test_a_date_with_slashes_is_read_as_declared(engine: Engine, value: str, form: str, day: str | None) -> None:
    assert sql(engine, "day_of(?, ?)", value, form) == day


@pytest.mark.parametrize(
    ("value", "phone"),
    [
        ("+46701234567", "+46701234567"),
        ("+46 70-123 45 67", "+46701234567"),
        ("+1 (555) 010.0000", "+15550100000"),
        ("+46\u00a070/1234567", "+46701234567"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
        ("+123456", None),
        ("+1234567890123456", None),
        ("+0701234567", None),
        ("0046701234567", None),
        ("0701234567", None),
        ("46701234567", None),
        ("+46701234567 ext. 8", None),
        ("+46701234567\n", None),
        ("++46701234567", None),
        ("", None),
    ],
)
def test_a_phone_number_is_international_or_none(engine: Engine, value: str, phone: str | None) -> None:
    assert sql(engine, "phone_of(?)", value) == phone


@pytest.mark.parametrize(
    ("value", "tidy"),
    [
        ("Ann", "Ann"),
        ("  Ann  Lee  ", "Ann  Lee"),
        ("\u00a0\u3000Ann\u2003", "Ann"),
        ("\nAnn\r\nLee\t", "Ann  Lee"),
        ("Ann\x0bB\x0cC\x85D", "Ann B C D"),
        ("A\x01n\x1fn\x7f\x80\x9f", "Ann"),
        ("A\x00nn", "Ann"),
        ("\x01 Ann \x02", "Ann"),
        ("Dí 漢 👩\u200d🚀", "Dí 漢 👩\u200d🚀"),
        (" \t\n", ""),
        ("", ""),
        (None, None),
    ],
)
def test_tidying_leaves_what_people_can_see(engine: Engine, value: str | None, tidy: str | None) -> None:
    assert sql(engine, "tidy(?)", value) == tidy
