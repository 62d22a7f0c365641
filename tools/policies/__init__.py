"""What must hold of everything that is deployed, checked on the worked-out template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.policies.access import (
    audit_log_is_appended_to_only,
    connections_are_identities,
    nothing_secret,
    queues_are_granted,
    roles_are_least,
    secrets_are_written_as_told,
    settings_are_allowed,
)
from tools.policies.conduct import (
    alerts_reach_people,
    data_is_forgotten,
    everything_is_tagged,
    names_are_legal,
)
from tools.policies.extracts import events_come_by_identity, extracts_can_be_delivered
from tools.policies.locks import (
    app_is_locked,
    audit_log_is_kept,
    authentication_is_whole,
    deleted_blobs_come_back,
    storage_is_locked,
    storage_is_recorded,
    telemetry_needs_identity,
    vault_is_locked,
)
from tools.policies.network import network_is_as_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.deployment import Plan

POLICIES: Final[tuple[Callable[[Plan], Iterator[str]], ...]] = (
    storage_is_locked,
    deleted_blobs_come_back,
    storage_is_recorded,
    extracts_can_be_delivered,
    events_come_by_identity,
    vault_is_locked,
    app_is_locked,
    authentication_is_whole,
    telemetry_needs_identity,
    audit_log_is_kept,
    audit_log_is_appended_to_only,
    roles_are_least,
    secrets_are_written_as_told,
    queues_are_granted,
    network_is_as_asked,
    settings_are_allowed,
    connections_are_identities,
    nothing_secret,
    names_are_legal,
    everything_is_tagged,
    alerts_reach_people,
    data_is_forgotten,
)
"""All of them."""


def violations(plan: Plan) -> list[str]:
    """What a plan does wrong."""
    return [message for policy in POLICIES for message in policy(plan)]
