"""What each role may do with what: the one table, by the names of the HTTP functions.

Whoever is not named in a rule may not: a function without a rule is nobody's, an administrator's neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Final

from shared.access.callers import Relation
from shared.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.access.callers import Caller

EVERY: Final = frozenset(Relation)
USABLE: Final = frozenset({Relation.OWN, Relation.SHARED})


class Target(StrEnum):
    """What a request is about, which decides whose connection is asked."""

    ALL = "all"
    """All there are, of which only those are shown that the caller may see."""
    CONNECTION = "connection"
    EXPORT = "export"
    """By the connection it goes through now."""
    DRAFT = "draft"
    """By the connection that the body names; an export of it need not be there."""
    RUN = "run"
    """By the connection it was started or planned with, whatever its export says now."""
    SEGMENT = "segment"
    """By the connections that the caller may use: through one of them it must be possible to export it."""
    APP = "app"
    """Nobody's connection."""
    NOTIFICATION = "notification"
    """A notification target, which is nobody's connection either."""
    FREE = "free"
    """What nobody is kept from but by their role: who they are, when a schedule is due."""


class Kind(StrEnum):
    """What a request does; the audit log keeps all but looks."""

    LOOK = "look"
    CHANGE = "change"
    START = "start"
    READ_PEOPLE = "read_people"
    """Reads data of the people in the segments."""


class Verdict(Enum):
    """What becomes of a request."""

    ALLOWED = auto()
    FORBIDDEN = auto()
    HIDDEN = auto()
    """What it is about is not there, as far as this caller is told."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Who may call one function."""

    operation: str
    """What the audit log calls it."""
    target: Target
    kind: Kind
    relations: Mapping[Role, frozenset[Relation]]
    """Of each role, to which connections; a role that is not named may not call it at all."""
    may_make: bool = False
    """Whether what it is about need not be there."""


def _rule(
    operation: str, target: Target, kind: Kind, *, usable_by: tuple[Role, ...] = (), may_make: bool = False
) -> Rule:
    """What administrators may do everywhere, and others with the connections that are theirs to use."""
    relations = {Role.ADMINISTRATOR: EVERY, **dict.fromkeys(usable_by, USABLE)}
    return Rule(operation=operation, target=target, kind=kind, relations=relations, may_make=may_make)


_C, _O, _V = Role.CONTRIBUTOR, Role.OPERATOR, Role.VIEWER


def _look_of_all(operation: str) -> Rule:
    """What everybody who has a role may look at, whatever it is about."""
    relations = dict.fromkeys(Role, EVERY)
    return Rule(operation=operation, target=Target.FREE, kind=Kind.LOOK, relations=relations)


POLICY: Final[Mapping[str, Rule]] = {
    "get_me": _look_of_all("Caller.Get"),
    "list_next_times": _look_of_all("Schedules.Next"),
    "list_connections": _rule("Connections.List", Target.ALL, Kind.LOOK, usable_by=(_C, _O, _V)),
    "get_connection": _rule("Connections.Get", Target.CONNECTION, Kind.LOOK, usable_by=(_C, _O, _V)),
    "put_connection": _rule("Connections.Save", Target.CONNECTION, Kind.CHANGE),
    "patch_connection": _rule("Connections.Change", Target.CONNECTION, Kind.CHANGE),
    "delete_connection": _rule("Connections.Delete", Target.CONNECTION, Kind.CHANGE),
    "put_connection_key": _rule("Connections.SetKey", Target.CONNECTION, Kind.CHANGE),
    "check_connection": _rule("Connections.Check", Target.CONNECTION, Kind.START, usable_by=(_C,)),
    "list_lists": _rule("Connections.Lists", Target.CONNECTION, Kind.LOOK, usable_by=(_C,)),
    "list_fields": _rule("Connections.Fields", Target.CONNECTION, Kind.LOOK, usable_by=(_C,)),
    "list_notifications": _rule("Notifications.List", Target.APP, Kind.LOOK),
    "get_notification": _rule("Notifications.Get", Target.NOTIFICATION, Kind.LOOK),
    "put_notification": _rule("Notifications.Save", Target.NOTIFICATION, Kind.CHANGE),
    "patch_notification": _rule("Notifications.Change", Target.NOTIFICATION, Kind.CHANGE),
    "delete_notification": _rule("Notifications.Delete", Target.NOTIFICATION, Kind.CHANGE),
    "try_notification": _rule("Notifications.Test", Target.NOTIFICATION, Kind.START),
    "list_segments": _rule("Segments.List", Target.ALL, Kind.LOOK, usable_by=(_C, _V)),
    "get_segment": _rule("Segments.Get", Target.SEGMENT, Kind.READ_PEOPLE, usable_by=(_C,)),
    "list_exports": _rule("Exports.List", Target.ALL, Kind.LOOK, usable_by=(_C, _O, _V)),
    "get_export": _rule("Exports.Get", Target.EXPORT, Kind.LOOK, usable_by=(_C, _O, _V)),
    "put_export": _rule("Exports.Save", Target.EXPORT, Kind.CHANGE, usable_by=(_C,), may_make=True),
    "patch_export": _rule("Exports.Change", Target.EXPORT, Kind.CHANGE, usable_by=(_C,)),
    "duplicate_export": _rule("Exports.Duplicate", Target.EXPORT, Kind.CHANGE, usable_by=(_C,)),
    "delete_export": _rule("Exports.Delete", Target.EXPORT, Kind.CHANGE, usable_by=(_C,)),
    "preview_export": _rule("Exports.Preview", Target.EXPORT, Kind.READ_PEOPLE, usable_by=(_C,)),
    "preview_draft": _rule("Exports.PreviewDraft", Target.DRAFT, Kind.READ_PEOPLE, usable_by=(_C,)),
    "plan_export": _rule("Exports.Plan", Target.EXPORT, Kind.START, usable_by=(_C,)),
    "adopt_list": _rule("Exports.Adopt", Target.EXPORT, Kind.START, usable_by=(_C,)),
    "start_run": _rule("Runs.Start", Target.EXPORT, Kind.START, usable_by=(_C, _O)),
    "refresh_all": _rule("Refresh.Start", Target.APP, Kind.START),
    "list_all_runs": _rule("Runs.ListAll", Target.ALL, Kind.LOOK, usable_by=(_C, _O, _V)),
    "list_runs": _rule("Runs.List", Target.EXPORT, Kind.LOOK, usable_by=(_C, _O, _V)),
    "get_run": _rule("Runs.Get", Target.RUN, Kind.LOOK, usable_by=(_C, _O, _V)),
    "get_report": _rule("Runs.Report", Target.RUN, Kind.LOOK, usable_by=(_C, _O, _V)),
    "cancel_run": _rule("Runs.Cancel", Target.RUN, Kind.CHANGE, usable_by=(_C, _O)),
    "retry_run": _rule("Runs.Retry", Target.RUN, Kind.START, usable_by=(_C, _O)),
    "confirm_removals": _rule("Runs.ConfirmRemovals", Target.RUN, Kind.START, usable_by=(_C,)),
    "get_rejected": _rule("Runs.Rejected", Target.RUN, Kind.READ_PEOPLE, usable_by=(_C,)),
    "get_others": _rule("Runs.Others", Target.RUN, Kind.READ_PEOPLE, usable_by=(_C,)),
    "get_audit": _rule("Audit.Read", Target.APP, Kind.READ_PEOPLE),
}
"""By function; those that ask for nobody have no rule."""


NOT_OF_AN_EXPORT: Final = frozenset(
    {Target.CONNECTION, Target.DRAFT, Target.SEGMENT, Target.APP, Target.NOTIFICATION}
)
"""What a key that is bound to one export never sees."""


def has_any(caller: Caller, rule: Rule) -> bool:
    """Whether some role of the caller may do this with some connection."""
    return any(rule.relations.get(role) for role in caller.roles)


def judge(caller: Caller, rule: Rule, relation: Relation, *, export: str | None = None) -> Verdict:
    """Whether a caller may do this with a connection, or with what goes through it.

    Args:
        caller: Who asks.
        rule: What they ask for.
        relation: How they stand to the connection.
        export: The export that it is about, if any; a key that is bound to one sees no other.
    """
    if not has_any(caller, rule):
        return Verdict.FORBIDDEN
    if caller.only_export is not None and export != caller.only_export:
        return Verdict.HIDDEN
    if any(relation in rule.relations.get(role, ()) for role in caller.roles):
        return Verdict.ALLOWED
    return Verdict.HIDDEN if relation is Relation.FOREIGN else Verdict.FORBIDDEN


def allowed_to(caller: Caller) -> Iterator[str]:
    """The functions that a caller may call at all; with which connections, judge tells."""
    for function, rule in POLICY.items():
        is_for_bound = rule.target not in NOT_OF_AN_EXPORT
        if has_any(caller, rule) and (caller.only_export is None or is_for_bound):
            yield function
