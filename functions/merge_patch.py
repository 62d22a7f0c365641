"""Changes to a document: https://www.rfc-editor.org/rfc/rfc7396."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.errors import UnsupportedMediaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

MERGE_PATCH: Final = "application/merge-patch+json"
TAKEN: Final = frozenset({MERGE_PATCH, "application/json", ""})
"""Media types of a patch; one that says none is taken, too."""


def require_merge_patch(request: func.HttpRequest) -> None:
    """Raises UnsupportedMediaError unless the body is said to be a merge patch, or just JSON."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in TAKEN:
        raise UnsupportedMediaError(f"A change is sent as {MERGE_PATCH}, or as application/json.")


def merge(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The target with the patch's members; null takes a member out, an object changes one from within."""
    merged = {name: value for name, value in target.items() if name not in patch or patch[name] is not None}
    for name, value in patch.items():
        if isinstance(value, dict):
            within = merged.get(name)
            merged[name] = merge(within if isinstance(within, dict) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged
