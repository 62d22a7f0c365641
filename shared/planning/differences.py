"""What a plan would change, beside the members: how many are new and how many otherwise, with examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.planning.engine import Engine

BROUGHT_BEFORE: Final = "SELECT count(*) FROM piece SEMI JOIN brought USING (key) WHERE verdict IS NULL"
NEW_LINES: Final = """
SELECT line FROM piece ANTI JOIN brought USING (key) WHERE verdict IS NULL ORDER BY row LIMIT $most
"""
CHANGED_LINES: Final = """
SELECT line FROM piece SEMI JOIN brought USING (key) WHERE verdict IS NULL ORDER BY row LIMIT $most
"""


@dataclass(kw_only=True)
class Differences:
    """Looks at the contacts of a plan as they are planned; made for one plan."""

    examples: int
    """How many of each kind are kept."""
    changed: int = 0
    """Contacts to be sent that are members already."""
    new_lines: list[str] = field(default_factory=list, repr=False)
    changed_lines: list[str] = field(default_factory=list, repr=False)
    leavers: list[str] = field(default_factory=list, repr=False)
    """Addresses of members who have left."""

    def begin(self, engine: Engine, own: str) -> None:
        """Make the table `brought` of the relation `own`, which has the members' addresses; all cursors see it."""
        engine.execute(f"CREATE TABLE brought AS SELECT key_of(address) AS key FROM {own}")

    def look(self, engine: Engine) -> None:
        """Look at the table `piece`, of which only contacts to be sent are left."""
        self.changed += engine.number(BROUGHT_BEFORE)
        for query, lines in ((NEW_LINES, self.new_lines), (CHANGED_LINES, self.changed_lines)):
            if (wanted := self.examples - len(lines)) > 0:
                lines.extend(line for (line,) in engine.rows(query, {"most": wanted}))

    def end(self, engine: Engine) -> None:
        """Look at the table `missing`."""
        query = "SELECT address FROM missing WHERE due ORDER BY address LIMIT $most"
        self.leavers.extend(address for (address,) in engine.rows(query, {"most": self.examples}))
