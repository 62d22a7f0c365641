"""Who calls, and may they? Asked once, before any HTTP function but the health check does anything."""

from __future__ import annotations

import inspect
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import azure.functions as func  # noqa: TC002 - the host's worker evaluates the annotations

from functions.operations import OPERATIONS, Operation
from functions.problems import REQUEST_ID, answered, answering
from functions.requests import identifier, named_connection, require_known, run_id, segment_name
from functions.tracing import traced
from functions.wiring import get_http_services
from shared.access.callers import Relation
from shared.access.policy import POLICY, Kind, Target, Verdict, has_any, judge
from shared.definitions import manage
from shared.definitions.segment_details import no_segment
from shared.errors import (
    ExportUnavailableError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RequestError,
    RunEndError,
    UnauthenticatedError,
)
from shared.model.audit import NOBODY, AuditedCaller, AuditedRequest, CallerKind
from shared.model.reason_codes import ReasonCode
from shared.notifications.targets import find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.functions.decorators.function_app import FunctionBuilder

    from functions.operations import Answer, Parameter
    from shared.access.callers import Caller
    from shared.access.policy import Rule
    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Connection, Saved
    from shared.model.documents import Document
    from shared.model.runs import Run
    from shared.services import Services

DENIALS: Final = (ForbiddenError, NotFoundError, ExportUnavailableError)
"""What is raised before anything is done where a caller is not allowed, or is not told."""


@dataclass(kw_only=True)
class Call:
    """A request whose caller is known, and may ask for what it asks for."""

    request: func.HttpRequest
    services: Services
    caller: Caller
    rule: Rule
    connection: str | None = None
    """Whose right was asked for, where it is one connection's."""
    is_missing: bool = False
    """Whether what it is about is not there, for anybody."""
    before: Document | None = None
    """The definition before a change, and …"""
    after: Document | None = None
    """… afterwards: the audit log keeps which fields differ."""
    made: str | None = None
    """The export that was made of the one in the route."""
    _connections: dict[str, Saved[Connection] | None] = field(default_factory=dict, repr=False)
    """Those that runs went through, each read once for a request."""

    @property
    def id(self) -> str:
        """The connection, export or notification target in the route."""
        return identifier(self.request)

    @property
    def run(self) -> str:
        """The run in the route."""
        return run_id(self.request)

    @property
    def segment(self) -> str:
        """The segment in the route."""
        return segment_name(self.request)

    def may_see(self, connection: Saved[Connection] | None, *, export: str | None = None) -> bool:
        """Whether what goes through a connection is among what the caller is shown."""
        return self._judge(connection, export) is Verdict.ALLOWED

    def may_see_run(self, run: Run, among: Mapping[str, Saved[Connection]] | None = None) -> bool:
        """The same of a run, by the connection it went through; `among` are all connections, if they were read."""
        return self.may_see(self._connection_of(run, among), export=run.export)

    def _connection_of(
        self, run: Run, among: Mapping[str, Saved[Connection]] | None = None
    ) -> Saved[Connection] | None:
        """The connection a run went through; one that was made anew under its id is another one."""
        if among is None and run.connection not in self._connections:
            self._connections[run.connection] = manage.find_connection(self.services, run.connection)
        found = (self._connections if among is None else among).get(run.connection)
        return found if found is not None and found.uid == run.connection_uid else None

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
            case Target.ALL | Target.FREE:
                return Verdict.ALLOWED
            case Target.APP | Target.NOTIFICATION:
                if self.rule.target is Target.NOTIFICATION:
                    target = find_target(self.services, self.id)
                    self.before, self.is_missing = (target.definition, False) if target else (None, True)
                return judge(self.caller, self.rule, Relation.FOREIGN)
            case Target.CONNECTION | Target.DRAFT:
                return self._judge_connection()
            case Target.SEGMENT:
                return self._judge_segment()
            case Target.EXPORT:
                return self._judge_export()
            case Target.RUN:
                return self._judge_run()

    def _missing(self) -> RequestError | RunEndError:
        """What is said where there is nothing, and where the caller may not know that there is something."""
        match self.rule.target:
            case Target.CONNECTION | Target.DRAFT:
                return NotFoundError(f"There is no connection {self.connection}.")
            case Target.SEGMENT:
                return no_segment(self.segment)
            case Target.EXPORT:
                return ExportUnavailableError(ReasonCode.EXPORT_MISSING, f"There is no export {self.id}.")
            case Target.RUN:
                return NotFoundError(f"The export {self.id} has no run {self.run}.")
            case Target.NOTIFICATION:
                return NotFoundError(f"There is no notification target {self.id}.")
            case Target.ALL | Target.APP | Target.FREE:
                return NotFoundError("There is no such address.")

    def _judge_connection(self) -> Verdict:
        if self.rule.target is Target.DRAFT:
            self.connection = named_connection(self.request)
            return self._judge(manage.find_connection(self.services, self.connection), None)
        self.connection = self.id
        saved = manage.find_connection(self.services, self.id)
        self.before, self.is_missing = (saved.definition, False) if saved else (None, True)
        return self._judge(saved, None)

    def _judge_segment(self) -> Verdict:
        """By what may be exported through some connection that the caller may use."""
        if judge(self.caller, self.rule, Relation.FOREIGN) is Verdict.ALLOWED:
            return Verdict.ALLOWED
        usable = (saved.definition for saved in manage.list_connections(self.services) if self.may_see(saved))
        is_shown = any(not connection.missing_segments([self.segment]) for connection in usable)
        return Verdict.ALLOWED if is_shown else Verdict.HIDDEN

    def _judge_export(self) -> Verdict:
        saved = manage.find_export(self.services, self.id)
        if saved is None and self.rule.may_make:
            bound = self.caller.only_export
            return Verdict.ALLOWED if bound in {None, self.id} else Verdict.HIDDEN
        if saved is None:
            self.is_missing = True
            return self._judge(None, self.id)
        self.connection, self.before = saved.definition.connection, saved.definition
        return self._judge(manage.find_connection(self.services, self.connection), self.id)

    def _judge_run(self) -> Verdict:
        """A run is judged by the connection it goes through; one of an earlier export of that id is not there."""
        from shared.runs.views import find_run

        run = find_run(self.services, self.id, self.run)
        saved = manage.find_export(self.services, self.id)
        if run is None or (saved is not None and saved.uid != run.export_uid):
            self.is_missing = True
            return Verdict.HIDDEN
        self.connection = run.connection
        return self._judge(self._connection_of(run), self.id)


def endpoint(
    blueprint: func.Blueprint,
    method: str,
    path: str,
    *,
    answers: Mapping[int, Answer],
    body: type[Document] | None = None,
    body_required: bool = True,
    parameters: tuple[Parameter, ...] = (),
    problems: tuple[int, ...] = (),
) -> Callable[[Callable[[Call], func.HttpResponse]], FunctionBuilder]:
    """Register a function for a route below /api; those may call it whom its rule in `shared.access` names."""

    def register(work: Callable[[Call], func.HttpResponse]) -> FunctionBuilder:
        operation = Operation(
            name=work.__name__,
            method=method,
            path=f"/api/{path}",
            description=inspect.getdoc(work) or "",
            rule=POLICY[work.__name__],
            answers=answers,
            body=body,
            body_required=body_required,
            parameters=parameters,
            problems=problems,
        )
        OPERATIONS[operation.name] = operation
        door = _Door(operation=operation, rule=POLICY[work.__name__])

        def handle(request: func.HttpRequest) -> func.HttpResponse:
            return door.let_in(request, work)

        handle.__name__, handle.__doc__ = work.__name__, work.__doc__
        registered: FunctionBuilder = blueprint.route(f"api/{path}", methods=[method], trigger_arg_name="request")(
            traced(answering(handle))
        )
        return registered

    return register


@dataclass(frozen=True, kw_only=True)
class _Door:
    """Lets those in who may ask for one thing, and writes down who was let in to what, and who was not."""

    operation: Operation
    rule: Rule

    def let_in(self, request: func.HttpRequest, work: Callable[[Call], func.HttpResponse]) -> func.HttpResponse:
        """Answer those who may ask. Raises what `answering` turns into an answer."""
        services = get_http_services()
        call = self._admit(services, request)
        require_known(request.params, self.operation.query)
        match self.rule.kind:
            case Kind.LOOK:
                return work(call)
            case Kind.READ_PEOPLE:
                services.audit.note_reading(self._audited(request, call.caller, call.connection))
                return work(call)
            case Kind.CHANGE | Kind.START:
                begun = services.audit.begin(self._audited(request, call.caller, call.connection))
                status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
                try:
                    answer = answered(lambda _request: work(call), request)
                    status = answer.status_code
                finally:
                    before, after = (call.before, call.after) if self.rule.kind is Kind.CHANGE else (None, None)
                    services.audit.conclude(begun, status=status, before=before, after=after, made=call.made)
                return answer

    def _admit(self, services: Services, request: func.HttpRequest) -> Call:
        """The call, once its caller is known and allowed."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            caller = services.authenticator.identify(headers, request.params)
        except UnauthenticatedError as error:
            services.audit.note_denial(self._audited(request, None, None), status=error.status)
            raise
        call = Call(request=request, services=services, caller=caller, rule=self.rule)
        try:
            call.require()
        except DENIALS as error:
            if not call.is_missing:
                status = error.status if isinstance(error, RequestError) else int(HTTPStatus.NOT_FOUND)
                services.audit.note_denial(self._audited(request, caller, None), status=status)
            raise
        return call

    def _audited(self, request: func.HttpRequest, caller: Caller | None, connection: str | None) -> AuditedRequest:
        """The request as the audit log keeps it; of what is in the address only what may be an id."""
        kind, identity, run = self.rule.target, given(identifier, request), given(run_id, request)
        return AuditedRequest(
            operation=self.rule.operation,
            caller=_audited_caller(caller),
            method=self.operation.method,
            path=self.operation.path,
            correlation_id=REQUEST_ID.get() or uuid.uuid4().hex[:16],
            connection=connection or (identity if kind is Target.CONNECTION else None),
            export=None if kind in {Target.CONNECTION, Target.NOTIFICATION} else identity,
            notification=identity if kind is Target.NOTIFICATION else None,
            run=run,
            segment=given(segment_name, request),
            required_roles=tuple(role.value for role in self.rule.relations),
        )


def given(read: Callable[[func.HttpRequest], str], request: func.HttpRequest) -> str | None:
    """An id in the route; None where there is none, or it cannot be one."""
    try:
        return read(request)
    except InvalidInputError:
        return None


def _audited_caller(caller: Caller | None) -> AuditedCaller:
    if caller is None:
        return NOBODY
    roles = tuple(sorted(role.value for role in caller.roles))
    return AuditedCaller(id=caller.id, kind=CallerKind(caller.kind.value), roles=roles)
