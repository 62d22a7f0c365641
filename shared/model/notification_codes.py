"""Why a notification did not arrive: codes for programs, with what each means and what to do about it."""

from __future__ import annotations

from shared.model.codes import ExplainedCode


class NotificationCode(ExplainedCode):
    """The `code` of a notification that a target did not take."""

    TARGET_NOT_ALLOWED = (
        "target_not_allowed",
        "The target's host has an address that is not one of the internet, or its port is not 443.",
        "Correct `url`; or have the host named in NOTIFICATION_ALLOWED_HOSTS, if it is meant.",
    )
    NAME_UNKNOWN = (
        "name_unknown",
        "The target's host has no address.",
        "Correct `url`, or the name's entry in DNS.",
    )
    UNREACHABLE = (
        "unreachable",
        "No connection to the target came about, or it was cut off.",
        "Look whether the target runs, and may be reached from the app's network.",
    )
    CERTIFICATE_REFUSED = (
        "certificate_refused",
        "The target's certificate is not good for its name, has expired, or is nobody's that is trusted.",
        "Give the target a certificate that a browser takes.",
    )
    NO_ANSWER = (
        "no_answer",
        "The target did not answer in time.",
        "Have it answer at once, and do its work afterwards.",
    )
    BAD_ANSWER = (
        "bad_answer",
        "What the target answered is not HTTP.",
        "Look what listens at the address.",
    )
    REDIRECTED = (
        "redirected",
        "The target answered with another address; none is followed.",
        "Set `url` to the final address.",
    )
    REFUSED = (
        "refused",
        "The target answered a status that is not from 200 to 299; `status` says which.",
        "Look into the target's own log; that it checks the signature with the right secret, first.",
    )
    GONE = (
        "gone",
        "The target answered 410: it wants no more of it, and is told no more.",
        "Delete the target; or save it again to go on.",
    )
    SECRET_UNAVAILABLE = (
        "secret_unavailable",
        "The signing secret could not be read: it is missing, disabled, forbidden, or no signing secret.",
        "Store `whsec_` and 24 to 64 random bytes in base64 under `secret_name`, and let the app read it.",
    )
    TARGET_CHANGED = (
        "target_changed",
        "The target was deleted, disabled, or asks for something else since this was to be told.",
        "Nothing.",
    )
    STEP_FAILED = (
        "step_failed",
        "Telling it failed each time within the app.",
        "Read the app's log.",
    )
