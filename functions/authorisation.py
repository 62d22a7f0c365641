"""Who calls, and may they? Asked once, before any HTTP function but the health check does anything."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.http_support import answering, identifier, run_id
from functions.wiring import get_http_services
from shared.access.callers import Relation
from shared.access.policy import POLICY, Target, Verdict, has_any, judge
from shared.definitions import manage
from shared.errors import ExportUnavailableError, ForbiddenError, NotFoundError, RequestError, RunEndError
from shared.model.reasons import ReasonCode
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

    from functions.http_support import Handler
    from shared.access.callers import Caller
    from shared.access.policy import Rule
    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Connection, Saved
    from shared.model.runs import Run
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request whose caller is known, and may ask for what it asks for."""

    request: func.HttpRequest
    services: Services
    caller: Caller
    rule: Rule

    @property
    def id(self) -> str:
        """The connection or export in the route."""
        return identifier(self.request)

    @property
    def run(self) -> str:
        """The run in the route."""
        return run_id(self.request)

    def may_see(self, connection: Saved[Connection] | None, *, export: str | None = None) -> bool:
        """Whether what goes through a connection is among what the caller is shown."""
        return self._judge(connection, export) is Verdict.ALLOWED

    def may_see_run(self, run: Run) -> bool:
        """The same of a run, by the connection it went through."""
        return self.may_see(manage.find_connection(self.services, run.connection), export=run.export)

    def job(self) -> ExportWithConnection:
        """The export in the route, with its connection. Raises ExportUnavailableError."""
        from shared.definitions.resolve import resolve_export

        return resolve_export(self.services.store, self.id)

    def _judge(self, connection: Saved[Connection] | None, export: str | None) -> Verdict:
        return judge(self.caller, self.rule, self.caller.relation_to(connection), export=export)

    def require(self) -> None:
        """Raises ForbiddenError, and what is not found by those who may not know of it."""
        if not has_any(self.caller, self.rule):
            raise ForbiddenError("Your role does not allow this.")
        match self._verdict():
            case Verdict.FORBIDDEN:
                raise ForbiddenError("Your role does not allow this.")
            case Verdict.HIDDEN:
                raise self._missing()
            case Verdict.ALLOWED:
                pass

    def _verdict(self) -> Verdict:
        match self.rule.target:
            case Target.ALL:
                return Verdict.ALLOWED
            case Target.APP:
                return judge(self.caller, self.rule, Relation.FOREIGN)
            case Target.CONNECTION:
                return self._judge(manage.find_connection(self.services, self.id), None)
            case Target.EXPORT:
                return self._judge_export()
            case Target.RUN:
                return self._judge_run()

    def _missing(self) -> RequestError | RunEndError:
        """What is said where there is nothing, and where the caller may not know that there is something."""
        match self.rule.target:
            case Target.CONNECTION:
                return NotFoundError(f"There is no connection {self.id}.")
            case Target.EXPORT:
                return ExportUnavailableError(ReasonCode.EXPORT_MISSING, f"There is no export {self.id}.")
            case Target.RUN:
                return NotFoundError(f"The export {self.id} has no run {self.run}.")
            case Target.ALL | Target.APP:
                return NotFoundError("There is no such address.")

    def _judge_export(self) -> Verdict:
        saved = manage.find_export(self.services, self.id)
        if saved is None and self.rule.may_make:
            bound = self.caller.only_export
            return Verdict.ALLOWED if bound in {None, self.id} else Verdict.HIDDEN
        connection = manage.find_connection(self.services, saved.definition.connection) if saved else None
        return self._judge(connection, self.id)

    def _judge_run(self) -> Verdict:
        """A run is judged by the connection it goes through; one of an earlier export of that id is not there."""
        from shared.runs.views import find_run

        run = find_run(self.services, self.id, self.run)
        saved = manage.find_export(self.services, self.id)
        if run is None or (saved is not None and saved.uid != run.export_uid):
            return Verdict.HIDDEN
        return self._judge(manage.find_connection(self.services, run.connection), self.id)


def authorised(work: Callable[[Call], func.HttpResponse]) -> Handler:
    """Let `work` answer those who may ask it, by its rule in `shared.access.policy`."""
    operation = work.__name__
    rule = POLICY[operation]

    def answer(request: func.HttpRequest) -> func.HttpResponse:
        services = get_http_services()
        known = ""
        try:
            headers = {name.lower(): value for name, value in request.headers.items()}
            caller = services.authenticator.identify(headers, request.params)
            known = caller.id
            call = Call(request=request, services=services, caller=caller, rule=rule)
            call.require()
        except (RequestError, RunEndError) as error:
            log_event(
                Event.ACCESS_DENIED,
                level=logging.WARNING,
                operation=operation,
                caller=known or None,
                error=type(error).__name__,
            )
            raise
        return work(call)

    answer.__name__, answer.__doc__ = operation, work.__doc__
    return answering(answer)
