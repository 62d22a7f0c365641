"""What has to be done for the app to be as the files say; decided before anything is done, then done in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tools.exports.api import ApiError, RefusedError
from tools.exports.definitions import Difference, Kind, differences
from tools.exports.files import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.exports.api import Api
    from tools.exports.files import DefinitionFile

PRECONDITION_FAILED = 412


class Action(StrEnum):
    """What is to be done with a definition."""

    CREATE = "create"
    CHANGE = "change"
    NONE = "none"
    DRIFT = "drift"
    """It is in the app and in no file: it is left alone."""
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is to be done with one definition."""

    kind: Kind
    id: str
    action: Action
    differences: tuple[Difference, ...] = ()
    file: DefinitionFile | None = None
    """None where no file has it."""
    etag: str | None = None
    """The version that was looked at; None where there is none."""

    @property
    def does_something(self) -> bool:
        """Whether applying it changes the app."""
        return self.action in {Action.CREATE, Action.CHANGE, Action.DELETE}


class StepRefusedError(ApiError):
    """A step that the app refused; those before it are done, those after it are not."""

    def __init__(self, step: Step, refusal: RefusedError, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join([str(refusal), *map(str, faults)]))
        self.step = step
        self.refusal = refusal
        self.faults = faults


def make_plan(api: Api, files: Sequence[DefinitionFile], *, delete: bool) -> list[Step]:
    """The steps, in order: connections before exports; what is deleted comes last, exports first.

    Raises ApiError. Where no file is of a kind, and nothing is to be deleted, that kind is listed all the same.
    """
    kept = [_compare(api, file) for file in files]
    named = {(file.kind, file.id) for file in files}
    left = [(kind, each) for kind in reversed(Kind) for each in api.list_ids(kind) if (kind, each) not in named]
    if not delete:
        return kept + [Step(kind=kind, id=each, action=Action.DRIFT) for kind, each in left]
    return kept + [step for kind, each in left for step in _delete(api, kind, each)]


def apply(api: Api, steps: Sequence[Step], *, done: Callable[[Step], None]) -> None:
    """Do the steps, telling each when it is done. Raises StepRefusedError at the first that is refused."""
    for step in steps:
        if not step.does_something:
            continue
        try:
            _do(api, step)
        except RefusedError as error:
            raise StepRefusedError(step, error, _faults(step, error)) from None
        done(step)


def _compare(api: Api, file: DefinitionFile) -> Step:
    found = api.find(file.kind, file.id)
    changes = differences(found.definition if found else None, file.complete)
    action = Action.CREATE if found is None else Action.CHANGE if changes else Action.NONE
    return Step(
        kind=file.kind,
        id=file.id,
        action=action,
        differences=changes,
        file=file,
        etag=found.etag if found else None,
    )


def _delete(api: Api, kind: Kind, identity: str) -> list[Step]:
    found = api.find(kind, identity)
    return [Step(kind=kind, id=identity, action=Action.DELETE, etag=found.etag)] if found else []


def _do(api: Api, step: Step) -> None:
    if step.file is not None:
        api.save(step.kind, step.id, step.file.document, etag=step.etag)
    elif step.etag is not None:
        api.delete(step.kind, step.id, etag=step.etag)


def _faults(step: Step, error: RefusedError) -> list[Fault]:
    """What the app found wrong, by file and line."""
    if step.file is None:
        return []
    if error.status == PRECONDITION_FAILED:
        message = f"{step.kind} {step.id} was changed since it was read; plan anew and look"
        return [Fault(path=step.file.path, line=None, field=None, message=message)]
    return [
        Fault(
            path=step.file.path,
            line=step.file.line_of(each.get("pointer") or "/" + each["field"].replace(".", "/")),
            field=each["field"],
            message=each["message"],
        )
        for each in error.errors
    ]
