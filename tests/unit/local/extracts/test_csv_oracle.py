from pathlib import Path

import pytest

from local.extracts.expectation import UnsuitableFileError
from tests.support.csv_oracle import expect_file, is_valid


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "customers.csv"
    path.write_bytes(content)
    return path


def test_every_row_is_a_contact_a_duplicate_or_rejected(tmp_path: Path) -> None:
    path = a_file(tmp_path, b'Name,Mail\nA,a@x.org\n"A,\nagain", A@X.org \nB,\nC,none\nD,d@x.org\n')
    found, addresses = expect_file(path, "Mail")
    assert (found.rows, found.contacts, found.duplicates, found.rejected) == (5, 2, 1, 2)
    assert addresses == {"a@x.org", "d@x.org"}


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    found, _ = expect_file(a_file(tmp_path, b"\xef\xbb\xbfMail\na@x.org\n"), "Mail")
    assert found.contacts == 1


def test_an_international_domain_is_written_as_sendgrid_keeps_it(tmp_path: Path) -> None:
    _, addresses = expect_file(a_file(tmp_path, "Mail\nInfo@Köln.example\n".encode()), "Mail")
    assert addresses == {"info@xn--kln-sna.example"}


@pytest.mark.parametrize("row", [b"a@x.org", b"a@x.org,A,more"])
def test_a_row_with_too_few_or_too_many_values_is_rejected(tmp_path: Path, row: bytes) -> None:
    found, _ = expect_file(a_file(tmp_path, b"Mail,Name\n" + row + b"\n"), "Mail")
    assert (found.rows, found.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Name,Mail\n", "has no column 'EMail'; it has: Name, Mail"),
        (b"", "has no column 'EMail'"),
        (b"EMail\n\xff\xfe\n", "is not UTF-8 text"),
    ],
)
def test_an_unsuitable_file_is_named_with_its_fault(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnsuitableFileError, match=message):
        expect_file(a_file(tmp_path, content), "EMail")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableFileError, match="No such file"):
        expect_file(tmp_path / "none.csv", "EMail")


@pytest.mark.parametrize("email", ["a@x.org", "o'brien+tag@mail.example.com", f"{'a' * 64}@x.org"])
def test_valid_addresses(email: str) -> None:
    assert is_valid(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "a@",
        "@x.org",
        "a@@x.org",
        "a@x",
        "a@x..org",
        "a@-x.org",
        "a@127.0.0.1",
        ".a@x.org",
        "a b@x.org",
        f"{'a' * 65}@x.org",
    ],
)
def test_invalid_addresses(email: str) -> None:
    assert not is_valid(email)
