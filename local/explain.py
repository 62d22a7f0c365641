"""`make explain`: what the app would take from a folder on disk, as one JSON object, without a cloud.

Exit code 0 when a run would send, 3 when it would refuse, 2 when what is asked makes no sense.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from local.extracts.folder import FolderBlobs
from local.options import SOURCE, OptionError, read_json
from shared.errors import ExtractChangedError, RunEndError
from shared.extracts.discovery import find_extract
from shared.model.definitions import CustomField, FieldMapping, SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.runs import ChunkInfo, Counts
from shared.planning.plan import plan
from shared.runs.plan import EXTRACT_EMPTY
from shared.runs.plan_warnings import no_valid_contact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.extracts.extract import Extract

WOULD_REFUSE: Final = 3
WRONG_OPTIONS: Final = 2
DEFAULT_MAPPING: Final = FieldMapping(email="EMail", first_name="FirstName")
USAGE: Final = (
    "make explain FOLDER=… SEGMENT=… [PREFIX=…] [MAPPING=file.json] [SOURCE=file.json] [FIELDS=file.json]"
    " [CONTACTS=20]"
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked."""

    folder: Path
    segment: str
    prefix: str
    mapping: FieldMapping
    source: SourceOptions
    fields: dict[str, CustomField]
    contacts: int
    """So many are shown."""


@dataclass
class FirstContacts:
    """Keeps the first contacts of a plan, and nothing else."""

    most: int
    lines: list[bytes] = field(default_factory=list, repr=False)

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Keep the first lines."""
        del info
        self.lines += lines.splitlines()[: self.most - len(self.lines)]

    def write_rejected(self, csv_part: bytes) -> None:
        """Pass over: the counts tell."""


def read_question(environment: Mapping[str, str]) -> Question:
    """Read the variables. Raises OptionError."""
    folder, segment = environment.get("FOLDER", ""), environment.get("SEGMENT", "")
    if not folder or not segment:
        raise OptionError(f"FOLDER and SEGMENT are needed: {USAGE}")
    if not Path(folder).is_dir():
        raise OptionError(f"FOLDER={folder} is no folder.")
    contacts = environment.get("CONTACTS") or "0"
    if not contacts.isdecimal():
        raise OptionError(f"CONTACTS={contacts} is no number.")
    fields: TypeAdapter[dict[str, CustomField]] = TypeAdapter(dict[str, CustomField])
    return Question(
        folder=Path(folder),
        segment=segment,
        prefix=environment.get("PREFIX", ""),
        mapping=read_json(environment, "MAPPING", TypeAdapter(FieldMapping)) or DEFAULT_MAPPING,
        source=read_json(environment, "SOURCE", SOURCE) or SourceOptions(),
        fields=read_json(environment, "FIELDS", fields) or {},
        contacts=int(contacts),
    )


def explain(question: Question) -> tuple[dict[str, Any], bool]:
    """What a run would read and send, and whether it would send at all."""
    blobs, sink = FolderBlobs(question.folder), FirstContacts(question.contacts)
    extract, counts, reason = None, Counts(), None
    try:
        extract = find_extract(blobs, question.segment, prefix=question.prefix, source=question.source)
        outcome = plan([extract], question.mapping, blobs=blobs, sink=sink, custom_fields=question.fields)
        counts = outcome.counts
        if not counts.sent:
            reason = no_valid_contact(counts) if counts.rows_read else EXTRACT_EMPTY
    except RunEndError as end:
        reason, counts = end.reason, end.counts or counts
    except ExtractChangedError as error:
        reason = Reason(code=ReasonCode.EXTRACT_UNREADABLE, message=f"{error}.")
    return _answer(extract, counts, reason, sink), reason is None


def _answer(extract: Extract | None, counts: Counts, reason: Reason | None, sink: FirstContacts) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "reason": reason.code if reason else None,
        "message": reason.message if reason else None,
        "advice": reason.advice if reason else None,
        "version": extract.version if extract else None,
        "delivered_at": f"{extract.delivered_at:%Y-%m-%dT%H:%M:%SZ}" if extract else None,
        "incomplete": extract.incomplete if extract else None,
        "files": [file.name for file in extract.files] if extract else [],
        "passed_over": [each.model_dump() for each in extract.passed_over] if extract else [],
        "rows": counts.rows_read,
        "contacts": 0 if reason else counts.sent,
        "duplicates": counts.duplicate,
        "rejected": counts.rejected_by_reason,
        "cut": counts.cut,
        "unusable": counts.unusable,
    }
    if sink.most:
        answer["first_contacts"] = [] if reason else [json.loads(line) for line in sink.lines]
    return answer


def main() -> int:
    """Answer on standard output."""
    try:
        question = read_question(os.environ)
    except OptionError as error:
        print(f"explain: {error}", file=sys.stderr)
        return WRONG_OPTIONS
    answer, would_send = explain(question)
    print(json.dumps(answer, ensure_ascii=False, indent=1))
    return 0 if would_send else WOULD_REFUSE


if __name__ == "__main__":
    sys.exit(main())
