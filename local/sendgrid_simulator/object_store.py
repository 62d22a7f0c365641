"""The store that exports are fetched from and imports are put into; it refuses in Amazon S3's words.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from local.sendgrid_simulator.answers import Answer, RefusedError

HEADERS = {"Server": "AmazonS3"}


def store_refusal(status: int, code: str, message: str) -> RefusedError:
    """Builds the exception for an error of the store."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    )
    return RefusedError(
        Answer(status=status, content=body.encode(), media_type="application/xml", headers=HEADERS)
    )
