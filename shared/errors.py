"""The error tree. An error is named after what the caller does next.

ExportError
├── RequestError                 answer the HTTP caller
│   ├── InvalidInputError        400: the request must change; names the fields
│   ├── ForbiddenError           403: this caller may not do that
│   ├── NotFoundError             404: no such document
│   ├── ConflictError            409: the state forbids it
│   │   ├── KeyNotWritableError  the app may not write the connection's secret
│   │   ├── KeyNotAcceptedError  SendGrid does not take the key that was sent
│   │   └── SecretDeletedError   the secret is deleted, and has to be recovered first
│   ├── PreconditionFailedError  412: somebody changed the document in between
│   ├── UnauthenticatedError     401: nobody knows who this caller is
│   ├── UnsupportedMediaError    415: the body is of another kind than is taken
│   ├── IdempotencyMismatchError 422: the key belongs to another request
│   └── TooManyRequestsError     429: the same request may be sent again in some seconds
├── SettingsError                the deployment must change; names the setting
├── RunEndError                  end the run with a reason a person can act on
│   └── ExportUnavailableError   the export or its connection must change before it runs
├── TransientError               try again later; nobody has to act
│   ├── StorageUnavailableError  Azure Storage did not answer; the queue's message is put off for some seconds
│   └── VaultUnavailableError    the vault did not answer
├── ExportLockedError            another run of the export is not over: wait for it
├── PlannerBusyError             another plan is made on this instance: look again soon
├── ExtractPendingError          the newest delivery is not complete: look again later
├── ListExportPendingError       SendGrid's export of a list is not ready: look again later
├── FileGoneError                the address of SendGrid's file is no longer good: ask for a new one
├── ExtractChangedError          a file was replaced while it was read: plan again
├── BlobMissingError             the store has no such blob
├── BlobExistsError              somebody created the blob first
└── BlobChangedError             the blob is not the version that was read

No message of any of them may carry a value of a row, an e-mail address or a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.model.problems import ProblemCode
from shared.model.reasons import Reason, RunStatus

if TYPE_CHECKING:
    from shared.model.reason_codes import ReasonCode
    from shared.model.runs import Counts


class ExportError(Exception):
    """Anything this app raises on purpose."""


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one field of a request."""

    field: str
    """Dotted path of the field, for example `mapping.email`; or the name of a parameter or header."""
    message: str
    """What to change, without repeating the value."""
    pointer: str | None = None
    """Of a member of the body: where it is, by RFC 6901."""


class RequestError(ExportError):
    """A request that cannot be served; `status`, `title` and `code` are the answer's."""

    status = 400
    title = "Bad request"
    code: ProblemCode = ProblemCode.INVALID_REQUEST


class InvalidInputError(RequestError):
    """The request must change. `errors` names each offending field."""

    title = "The request is not valid"
    code = ProblemCode.INVALID_REQUEST

    def __init__(self, detail: str, *errors: FieldError) -> None:
        super().__init__(detail)
        self.errors = errors


class ForbiddenError(RequestError):
    """This caller may not do that."""

    status = 403
    title = "Not allowed"
    code = ProblemCode.FORBIDDEN


class NotFoundError(RequestError):
    """There is no such document."""

    status = 404
    title = "Not found"
    code = ProblemCode.NOT_FOUND


class ConflictError(RequestError):
    """The document's state, or another document, forbids the request."""

    status = 409
    title = "Conflict"
    code = ProblemCode.CONFLICT


class KeyNotWritableError(ConflictError):
    """The app may not write the secret that the connection names."""

    title = "The app may not write that secret"
    code = ProblemCode.KEY_NOT_WRITABLE


class SecretDeletedError(ConflictError):
    """The vault keeps the secret as deleted, and takes no new version of it."""

    title = "The secret is deleted"
    code = ProblemCode.SECRET_DELETED


class KeyNotAcceptedError(ConflictError):
    """SendGrid does not take the API key that was sent."""

    title = "SendGrid does not take the key"
    code = ProblemCode.KEY_NOT_ACCEPTED


class PreconditionFailedError(RequestError):
    """The document changed since the caller read it."""

    status = 412
    title = "The document has changed"
    code = ProblemCode.VERSION_CHANGED


class UnauthenticatedError(RequestError):
    """Nobody knows who this caller is; the message says what to send."""

    status = 401
    title = "Who are you?"
    code = ProblemCode.UNAUTHENTICATED


class UnsupportedMediaError(RequestError):
    """The body is of another kind than is taken; the message says which."""

    status = 415
    title = "The body is of another kind"
    code = ProblemCode.UNSUPPORTED_MEDIA


class IdempotencyMismatchError(RequestError):
    """The Idempotency-Key was sent before with another request."""

    status = 422
    title = "The key belongs to another request"
    code = ProblemCode.IDEMPOTENCY_KEY_REUSED


class TooManyRequestsError(RequestError):
    """As much as is served at a time is under way; the same request may be sent again after `retry_after`."""

    status = 429
    title = "Too many requests"
    code = ProblemCode.TOO_MANY_REQUESTS

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds."""


class SettingsError(ExportError):
    """An app setting is missing or wrong; the message names it."""


class RunEndError(ExportError):
    """The run cannot go on and ends with `status` and `reason`."""

    def __init__(
        self,
        code: ReasonCode | str,
        message: str,
        *,
        status: RunStatus = RunStatus.FAILED,
        counts: Counts | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = Reason(code=code, message=message)
        self.counts = counts
        """What was read until then, where anything was."""


class ExportUnavailableError(RunEndError):
    """The export cannot run as it is defined now; asked over HTTP, the request is refused for the same reason."""


class TransientError(ExportError):
    """Something outside failed in a way that passes; the work is to be done again later."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds to wait at least, where the other side said so."""


class StorageUnavailableError(TransientError):
    """Azure Storage did not answer, or answered with a fault of its own."""


class VaultUnavailableError(TransientError):
    """Key Vault did not answer, or answered with a fault of its own."""


class ExportLockedError(ExportError):
    """Another run of the export is not over; this one waits for it."""


class PlannerBusyError(ExportError):
    """Another plan is being made on this instance, perhaps on another one there is none: look again soon."""


class ExtractPendingError(ExportError):
    """The newest delivery is not complete yet; the message says why. Look again after `wait` seconds."""

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


class ListExportPendingError(ExportError):
    """SendGrid's export of a list is not ready; look again after `wait` seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__("SendGrid's export of the list is not ready yet.")
        self.wait = wait


class FileGoneError(ExportError):
    """SendGrid's file is no longer under its address, which is good for some days only; ask for a new one."""


class ExtractChangedError(ExportError):
    """A file of the extract was replaced or removed while it was being read."""


class BlobMissingError(ExportError):
    """The store has no blob of that name."""


class BlobExistsError(ExportError):
    """A blob of that name exists already."""


class BlobChangedError(ExportError):
    """The blob is not the version the caller read."""
