"""The contact lists of an account."""

import uuid
from dataclasses import dataclass, field

from local.sendgrid_simulator import limits


@dataclass(slots=True)
class ContactList:
    """A list and the numbers of the contacts on it, in the order they were added."""

    id: str
    name: str
    members: dict[int, None] = field(default_factory=dict)
    counted: list[tuple[float, int]] = field(default_factory=list)
    """When the number of members was another one than before, and which."""

    def note_count(self, now: float) -> None:
        """Remembers how many members there are, if that has changed."""
        if not self.counted or self.counted[-1][1] != len(self.members):
            self.counted.append((now, len(self.members)))

    def count_at(self, moment: float) -> int:
        """Gives the number of members of a moment; none before the list was first looked at."""
        return next((count for since, count in reversed(self.counted) if since <= moment), 0)


class Lists:
    """All lists of one account."""

    def __init__(self) -> None:
        self._by_id: dict[str, ContactList] = {}

    def __contains__(self, list_id: object) -> bool:
        return list_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, list_id: str) -> ContactList | None:
        """Finds a list."""
        return self._by_id.get(list_id)

    def page(self, *, start: int, size: int) -> list[ContactList]:
        """Gives up to `size` lists in the order of their ids, from the one numbered `start`."""
        return [self._by_id[each] for each in sorted(self._by_id)[start : start + size]]

    def names(self) -> set[str]:
        """Gives the names that are taken."""
        return {each.name for each in self._by_id.values()}

    def create(self, name: object) -> ContactList:
        """Adds an empty list; raises ValueError, with a reason for the user, when the rules forbid it."""
        name = checked_name(name)
        if len(self._by_id) >= limits.MAX_LISTS:
            raise ValueError("the account has as many lists as it may")
        created = ContactList(id=str(uuid.uuid4()), name=name)
        self._by_id[created.id] = created
        return created

    def delete(self, list_id: str) -> ContactList | None:
        """Removes a list and gives it, or nothing when it was not there."""
        return self._by_id.pop(list_id, None)

    def note_counts(self, now: float) -> None:
        """Has every list remember how many members it has."""
        for each in self._by_id.values():
            each.note_count(now)

    def ids_with(self, number: int) -> list[str]:
        """Names the lists that a contact is on."""
        return [each.id for each in self._by_id.values() if number in each.members]

    def forget(self, numbers: set[int]) -> None:
        """Takes contacts off every list."""
        for each in self._by_id.values():
            for number in numbers:
                each.members.pop(number, None)


def checked_name(name: object) -> str:
    """Gives the name, or raises ValueError when it cannot be a list's."""
    if not isinstance(name, str) or not 1 <= len(name) <= limits.MAX_NAME_LENGTH:
        raise ValueError(f"name must have 1 to {limits.MAX_NAME_LENGTH} characters")
    return name
