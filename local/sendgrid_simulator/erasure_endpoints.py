"""The erasure of people's data.

https://www.twilio.com/docs/sendgrid/api-reference/recipients-data-erasure. It speaks of the data about mail that
was sent; that contacts and suppressions stay, so that whoever wants them gone has to delete them, is our choice.
"""

import uuid
from typing import Final

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.addresses import is_email_address
from local.sendgrid_simulator.answers import Answer, error, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint

ERASE_PATH: Final = "/v3/recipients/erasejob"
ABOUT: Final = "email_addresses"


def _erase(call: Call, _now: float) -> Answer:
    """Accepts addresses, of which only those that are none are ever heard of again."""
    emails = parse_object(call.body).get(ABOUT)
    if not isinstance(emails, list) or not all(isinstance(each, str) for each in emails):
        raise refusal(400, [error(f"{ABOUT} must be addresses", about=ABOUT)])
    if not 1 <= len(emails) <= limits.MAX_ERASED_EMAILS or len(call.body) > limits.MAX_ERASURE_BYTES:
        raise refusal(400, [error(f"1 to {limits.MAX_ERASED_EMAILS} addresses are allowed", about=ABOUT)])
    if bad := [each for each in emails if not is_email_address(each)]:
        raise refusal(400, [error(f"Email_address {each} is not valid", about=ABOUT) for each in bad])
    call.simulation.account.erased.update(each.lower() for each in emails)
    return json_answer(202, {"job_id": str(uuid.uuid4())})


ENDPOINTS = (Endpoint(method="POST", path=ERASE_PATH, answer=_erase, scope=keys.ERASE),)
