"""What hinders an export although it is saved: codes of warnings that are no reason of a run, too."""

from __future__ import annotations

from shared.model.codes import ExplainedCode
from shared.model.documents import Document


class WarningCode(ExplainedCode):
    """The `code` of a warning, where it is no reason code of a run."""

    REFRESH_OFF = (
        "refresh_off",
        "The export runs with the refresh, which is off in this app: it never runs by itself.",
        "Give the export a schedule of its own, or have REFRESH_SCHEDULE set; or start it on demand.",
    )
    NAMES_NOTHING = (
        "names_nothing",
        "A notification target is for a connection or an export that is not there.",
        "Correct `connections` or `exports` of the target, or make what it names.",
    )
    NOT_CHECKED = (
        "not_checked",
        "Something could not be looked at as it was saved: it was away, busy or slow.",
        "Nothing; a dry run (POST …/plan), or a test (POST …/test), looks at everything.",
    )
    NO_SUCCESS = (
        "no_success",
        "The export is overdue: no run has succeeded for longer than its expect_every.",
        "Look at its last runs; the reason of each says what to do.",
    )
    NO_NEW_EXTRACT = (
        "no_new_extract",
        "The export is overdue: the newest extract is older than its expect_every.",
        "See whether the source still delivers: in Customer Insights, the export's last run and its connection.",
    )


class ExportWarning(Document):
    """Something that will hinder an export, or keep a notification target from being told."""

    code: str
    """A warning's own code, or that of the reason for which a run would end."""
    message: str
