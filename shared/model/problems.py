"""Why a request was refused: codes for programs, with what each means and what to do about it."""

from __future__ import annotations

from shared.model.codes import ExplainedCode


class ProblemCode(ExplainedCode):
    """The `code` of a problem document, where it is no reason code of a run."""

    INVALID_REQUEST = (
        "invalid_request",
        "Something in the request is wrong: its body, a parameter, a header, or an id in its address.",
        "Correct what `errors` names, and send it again.",
    )
    UNAUTHENTICATED = (
        "unauthenticated",
        "The app does not know who is calling: no key or token, one it does not know, or one that has expired.",
        "Send a function key whose name is in KEY_ROLES, or a new token of the app's registration.",
    )
    FORBIDDEN = (
        "forbidden",
        "The caller's role does not allow this, or the connection is not theirs to use.",
        "Ask an administrator for the role, or to be among the connection's users.",
    )
    NOT_FOUND = (
        "not_found",
        "There is no such thing, or the caller may not see it.",
        "Correct the id; or ask an administrator to be among the connection's users.",
    )
    CONFLICT = (
        "conflict",
        "The state of what the request is about forbids it; `detail` says which.",
        "Read it again, and do what `detail` says.",
    )
    KEY_NOT_WRITABLE = (
        "key_not_writable",
        "The app may not write the Key Vault secret that the connection names.",
        "Store the key with the command in `detail`; or whoever runs the app names the secret in secretWriters.",
    )
    KEY_NOT_ACCEPTED = (
        "key_not_accepted",
        "SendGrid does not take the API key that was sent. Nothing was stored.",
        "Copy the whole key, or make a new one at SendGrid, and look at the connection's region.",
    )
    SECRET_DELETED = (
        "secret_deleted",
        "The Key Vault secret that the connection names is deleted, and can be brought back.",
        "Recover it with the command in `detail`, and send the key again.",
    )
    VERSION_CHANGED = (
        "version_changed",
        "The document is not the version that If-Match names; or If-None-Match says that there must be none.",
        "Read it again, apply the change to the new version, and send it with its ETag.",
    )
    UNSUPPORTED_MEDIA = (
        "unsupported_media",
        "The body is of another media type than is taken here; `detail` says which are.",
        "Send the body with the Content-Type that `detail` names.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        "The Idempotency-Key was sent before with another request.",
        "Send a key of its own with each request.",
    )
    TOO_MANY_REQUESTS = (
        "too_many_requests",
        "As much as is served at a time is under way.",
        "Send the same request again after as many seconds as Retry-After says.",
    )
    NOT_SET_UP = (
        "not_set_up",
        "A setting of the app is missing or wrong; `detail` names it.",
        "Whoever runs the app corrects the setting.",
    )
    TRY_AGAIN_LATER = (
        "try_again_later",
        "Storage, the vault, SendGrid or Microsoft Entra ID does not answer.",
        "Send the same request again after as many seconds as Retry-After says.",
    )
