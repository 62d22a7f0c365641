from __future__ import annotations

import pytest

from shared.sendgrid.file_addresses import ADDRESS_MAX, known_file_address

SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261127T221306Z&X-Amz-Signature=0f8f"


@pytest.mark.parametrize(
    "address",
    [
        "https://api.sendgrid.com/__errors/1",
        "https://api.eu.sendgrid.com/__exports/1/a.csv?X-Amz-Signature=1",
        "https://sendgrid.com/file",
        "https://mc.sendgrid.net/file",
        "https://files.twilio.com:443/file",
        f"https://s3.amazonaws.com/bucket/file?{SIGNED}",
        f"https://s3.us-west-2.amazonaws.com/bucket/file?{SIGNED}",
        f"https://s3-us-west-2.amazonaws.com/bucket/file?{SIGNED}",
        f"https://bucket.s3.amazonaws.com/file?{SIGNED}",
        f"https://a.bucket.s3.dualstack.us-west-2.amazonaws.com/file?{SIGNED}",
        f"HTTPS://Bucket.S3.EU-west-1.Amazonaws.com/file?{SIGNED}",
    ],
)
def test_a_file_of_a_known_host_is_followed(address: str) -> None:
    assert known_file_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://api.sendgrid.com/file",
        "ftp://api.sendgrid.com/file",
        "//api.sendgrid.com/file",
        "api.sendgrid.com/file",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://127.0.0.1:8443/file",
        "https://[::1]/file",
        "https://2130706433/file",
        "https://localhost/file",
        "https://user:pw@evil.example/file",
        "https://user:pw@api.sendgrid.com/file",
        "https://api.sendgrid.com@evil.example/file",
        "https://evil.example#@api.sendgrid.com/file",
        "https://evil.example\\@api.sendgrid.com/file",
        "https://evil.example/api.sendgrid.com",
        "https://api.sendgrid.com.evil.example/file",
        "https://evilsendgrid.com/file",
        "https://api.sendgrid.com:8443/file",
        "https://amazonaws.com/file",
        "https://ec2.us-west-2.amazonaws.com/file",
        "https://bucket.s3.us-west-2.amazonaws.com.evil.example/file",
        "https://s3.evil.example/file",
        "https://vault.azure.net/secrets",
        "https://api.sendgrid.com\n.evil.example/file",
        "https://api.sendgrid.com/\x00",
        "https://äpi.sendgrid.com/file",
        "https://[/file",
        "https://api.sendgrid.com/" + "x" * ADDRESS_MAX,
        "",
        None,
        7,
        ["https://api.sendgrid.com/file"],
    ],
)
def test_no_other_address_is_followed(address: object) -> None:
    assert known_file_address(address) is None
