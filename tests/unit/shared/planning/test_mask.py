from __future__ import annotations

import pytest

from shared.planning.mask import mask


def test_a_mask_keeps_the_shape() -> None:
    masked = mask({"alternate_emails": ["a@b.se"], "custom_fields": {"w1": 17, "w2": None}})
    assert masked == {"alternate_emails": ["a*****"], "custom_fields": {"w1": "*", "w2": "*"}}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ada@example.com", "a***********"),
        ("a text by which everybody knows whom it is about", "a***********"),
        ("1984-02-29", "1*********"),
        ("Ek", "E*"),
        ("F", "*"),
        ("", ""),
    ],
)
def test_neither_a_value_nor_how_long_a_long_one_is_can_be_told(value: str, shown: str) -> None:
    assert mask(value) == shown
