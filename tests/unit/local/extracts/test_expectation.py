"""Files as people's tools write them, read by the demo as a run reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.extracts.expectation import UnsuitableFileError, expect_file
from shared.model.definitions import FieldMapping, SourceOptions

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = {"ann@example.com", "bo@example.com"}
OF_TOOLS: dict[str, tuple[bytes, dict[str, str], SourceOptions]] = {
    "Excel, German": (
        "E-Mail;Vorname;Umsatz\nann@example.com;Änne;1,5\nbo@example.com;Bo;2,5\n;;\n".encode("cp1252"),
        {"email": "E-Mail", "first_name": "Vorname"},
        SourceOptions(encoding="windows-1252"),
    ),
    "Excel, Unicode text": (
        "EMail\tFirst name\r\nann@example.com\tÄnne\r\nbo@example.com\tBo\r\n".encode("utf-16"),
        {"email": "email", "first_name": "FIRST NAME"},
        SourceOptions(),
    ),
    "Excel, sep=": (
        b"sep=;\r\nEmail;First\r\nann@example.com;Ann\r\nbo@example.com;Bo\r\n",
        {"email": "Email", "first_name": "First"},
        SourceOptions(),
    ),
    "Shopify": (
        (
            b"Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,Tags\n"
            b"'1,Ann,Lee,ann@example.com,yes,Oslo,\"vip, new\"\n'2,Bo,Ek,bo@example.com,no,,\n"
        ),
        {"email": "Email", "first_name": "First Name", "city": "Default Address City"},
        SourceOptions(),
    ),
    "HubSpot": (
        (
            b'"Record ID - Contact","First Name","Email","Interests"\n"1","Ann","ann@example.com","a;b;c"\n'
            b'"2","Bo","bo@example.com",""\n'
        ),
        {"email": "Email", "first_name": "First Name"},
        SourceOptions(),
    ),
    "Mailchimp": (
        (
            b'"Email Address","First Name",MEMBER_RATING,OPTIN_TIME\nann@example.com,Ann,2,"2026-01-02 03:04:05"\n'
            b"bo@example.com,Bo,1,\n"
        ),
        {"email": "Email Address", "first_name": "First Name"},
        SourceOptions(),
    ),
    "Dynamics": (
        (
            b"\xef\xbb\xbf(Do Not Modify) Contact,First Name,Email,Address 1: City\r\n"
            b"6b1f1e5c-3f0e-4f7e-9d55-1c1f0c4b8a52,Ann,ann@example.com,Oslo\r\n,Bo,bo@example.com,\r\n"
        ),
        {"email": "Email", "first_name": "First Name", "city": "Address 1: City"},
        SourceOptions(),
    ),
}


@pytest.mark.parametrize("tool", OF_TOOLS)
def test_a_file_of_a_common_tool_is_read(tmp_path: Path, tool: str) -> None:
    data, mapping, source = OF_TOOLS[tool]
    path = tmp_path / "customers.csv"
    path.write_bytes(data)
    found, addresses = expect_file(path, FieldMapping.model_validate(mapping), source)
    assert (found.rows, found.contacts, found.rejected, addresses) == (2, 2, 0, ADDRESSES)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Name,Mail\nAnn,ann@example.com\n", "has no column of that name. It has: Name, Mail."),
        (b"EMail\nnobody\n", "Not one of 1 rows can be sent: 1 email_invalid"),
        ("EMail,Namn\nann@example.com,Åsa\n".encode("cp1252"), "cp1252"),
        (b"PK\x03\x04", "zip or Excel file"),
    ],
)
def test_a_mistake_in_the_data_is_one_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(data)
    with pytest.raises(UnsuitableFileError) as refused:
        expect_file(path, FieldMapping(email="EMail"), SourceOptions())
    assert words in str(refused.value)
