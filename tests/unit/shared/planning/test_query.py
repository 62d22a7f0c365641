"""The SQL of a small mapping, as it was approved: a change of a rule shows as a change of approved.sql.

`APPROVE=1 pytest tests/unit/shared/planning/test_query.py` writes the file anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.model.definitions import CustomField, FieldMapping
from shared.planning.fields import fields_of
from shared.planning.query import PieceQuery, read_piece

APPROVED = Path(__file__).parent / "approved.sql"
MAPPING = FieldMapping(email="EMail", first_name="FirstName", custom_fields={"Score": "Points"})


def test_the_query_of_a_piece_is_the_approved_one() -> None:
    fields = fields_of(MAPPING, {"Score": CustomField(id="e1_N", type="Number")})
    values = {"email": "c0"} | {field.alias: f"c{number}" for number, field in enumerate(fields, 1)}
    rows = PieceQuery(relation="text", values=values, token="token ", base=0, slashed_date="-")
    written = "\n".join(line.strip() for line in read_piece(rows, fields, []).splitlines() if line.strip()) + "\n"
    if os.environ.get("APPROVE"):
        APPROVED.write_text(written, encoding="utf-8")
    assert written == APPROVED.read_text(encoding="utf-8")
