import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sendgrid_simulator.addresses import is_email_address, is_phone_number


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com",
        "Ann.Lee+news@sub.example.co.uk",
        "o'brien@example.org",
        "x" * 64 + "@example.com",
        "a@" + "b" * 63 + ".de",
        "a@xn--mnchen-3ya.de",
        "a@1.example",
    ],
)
def test_a_mailbox_is_an_address(address: str) -> None:
    assert is_email_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@localhost",
        "ann@@example.com",
        "ann lee@example.com",
        " ann@example.com",
        "ann@example.com\n",
        ".ann@example.com",
        "ann.@example.com",
        "a..b@example.com",
        "ann@-example.com",
        "ann@example-.com",
        "ann@exam_ple.com",
        "ann@example.com.",
        "ann@127.0.0.1",
        "änn@example.com",
        "x" * 65 + "@example.com",
        "a@" + "b" * 64 + ".de",
        "a@" + "b." * 127 + "de",
        '"ann lee"@example.com',
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert not is_email_address(text)


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    assert is_email_address(text) in {True, False}


@pytest.mark.parametrize(("text", "expected"), [("+4930901820", True), ("030901820", False), ("+0", False)])
def test_a_phone_number_is_in_e164_form(text: str, *, expected: bool) -> None:
    assert is_phone_number(text) is expected
