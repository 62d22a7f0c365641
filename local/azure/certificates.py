"""Issues the certificates under which local servers answer for the production host names."""

from dataclasses import dataclass
from pathlib import Path

import trustme

HOST_NAMES = (
    "localhost",
    "127.0.0.1",
    "*.vault.azure.net",
    "*.blob.core.windows.net",
    "*.queue.core.windows.net",
    "*.table.core.windows.net",
    "login.microsoftonline.com",
    "management.azure.com",
    "*.scm.azurewebsites.net",
    "api.sendgrid.com",
    "api.eu.sendgrid.com",
)


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Where the PEM files of one throw-away certification authority and its only leaf are.

    Attributes:
        ca_file: What clients must trust, and trust nothing else.
        certificate_file: The servers' certificate chain, for all of `HOST_NAMES`.
        private_key_file: The servers' private key.
    """

    ca_file: Path
    certificate_file: Path
    private_key_file: Path


def issue_certificates(directory: Path) -> Certificates:
    """Create an authority and one leaf and write them to `directory`, over those of an earlier start."""
    authority = trustme.CA()
    leaf = authority.issue_cert(*HOST_NAMES)
    files = Certificates(
        ca_file=directory / "ca.pem",
        certificate_file=directory / "server.pem",
        private_key_file=directory / "server.key",
    )
    files.ca_file.write_bytes(authority.cert_pem.bytes())
    files.certificate_file.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    files.private_key_file.write_bytes(leaf.private_key_pem.bytes())
    return files
