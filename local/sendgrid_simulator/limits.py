"""The documented limits, in one place.

Contacts: the schemas `UpdateContact` and `ContactRequest` of
https://github.com/twilio/sendgrid-oai/blob/main/spec/json/tsg_mc_contacts_v3.json.
Custom fields: https://www.twilio.com/docs/sendgrid/ui/managing-contacts/custom-fields.
"""

from typing import Final

MAX_CONTACTS: Final = 30_000
MAX_BODY_BYTES: Final = 6_000_000
"""SendGrid says "6MB"; the decimal reading is the stricter one."""

MAX_IMPORTED_CONTACTS: Final = 1_000_000
MAX_UPLOAD_BYTES: Final = 5_000_000_000
"""One import of a CSV file."""

MAX_REQUEST_LINE_BYTES: Final = 8_192
"""nginx's default `large_client_header_buffers`; others measured about 8,150 characters of URL by trial."""

MAX_ALTERNATE_EMAILS: Final = 5
MAX_EMAIL_LENGTH: Final = 254
MAX_SEARCHED: Final = 100
"""Identifiers or ids in one search."""

MAX_SHOWN_CONTACTS: Final = 50
MAX_SEARCHED_EMAIL_LENGTH: Final = 100
MAX_LISTS: Final = 1_000
MAX_NAME_LENGTH: Final = 100
"""Characters in the name of a list or of a custom field."""

MAX_SUPPRESSIONS: Final = 500
"""Entries of a suppression list in one answer."""

MAX_GROUP_NAME_LENGTH: Final = 30
MAX_GROUP_DESCRIPTION_LENGTH: Final = 100
MAX_ERASED_EMAILS: Final = 5_000
MAX_ERASURE_BYTES: Final = 256 * 1024
MAX_PAGE_SIZE: Final = 1_000
DEFAULT_PAGE_SIZE: Final = 100
MAX_CUSTOM_FIELDS: Final = 500
MAX_CUSTOM_TEXT_LENGTH: Final = 1_000

UNLIMITED: Final = 1 << 31

TEXT_LENGTHS: Final = {
    "email": MAX_EMAIL_LENGTH,
    "phone_number_id": UNLIMITED,
    "external_id": 254,
    "anonymous_id": 254,
    "first_name": 50,
    "last_name": 50,
    "address_line_1": 100,
    "address_line_2": 100,
    "city": 60,
    "state_province_region": 50,
    "postal_code": UNLIMITED,
    "country": 50,
    # Writable according to the field definitions, with no length published.
    "phone_number": UNLIMITED,
    "whatsapp": UNLIMITED,
    "line": UNLIMITED,
    "facebook": UNLIMITED,
    "unique_name": UNLIMITED,
}
"""The most characters (code points) in each writable text field of a contact."""

IDENTIFIERS: Final = ("email", "phone_number_id", "external_id", "anonymous_id")
"""A contact has at least one of these; see the description of `contacts` in `UpdateContact`."""
