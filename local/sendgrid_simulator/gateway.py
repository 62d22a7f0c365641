"""A request's way through the simulator: arrival, body, judgement, departure, and the faults along it."""

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Answer, html_answer
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.connection import reset_connection
from local.sendgrid_simulator.fault_answers import fault_answer
from local.sendgrid_simulator.faults import Fault, FaultKind, Moment
from local.sendgrid_simulator.judgement import judge
from local.sendgrid_simulator.request_log import LoggedRequest, Recorder
from local.sendgrid_simulator.simulation import Simulation


class _ResetWantedError(Exception):
    """A fault wants the connection reset instead of an answer."""


class Gateway:
    """The ASGI application behind one endpoint."""

    def __init__(self, simulation: Simulation, endpoint: Endpoint, recorder: Recorder | None) -> None:
        self._simulation = simulation
        self._endpoint = endpoint
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or resets its connection."""
        request = Request(scope, receive)
        call = self._begin(request)
        fault = call.take_fault(Moment.ARRIVAL)
        try:
            answer = await _pass_through(request, call, fault)
        except _ResetWantedError:
            await self._note(call, None)
            await reset_connection(request)
            return
        except ClientDisconnect:
            await self._note(call, None)
            return
        latency = self._simulation.configuration.latency_of(call.endpoint.label)
        latency += fault.delay_seconds if fault else 0
        await self._note(call, answer, latency)
        await asyncio.sleep(latency)
        await _response(answer)(scope, receive, send)

    def _begin(self, request: Request) -> Call:
        query = f"?{request.url.query}" if request.url.query else ""
        return Call(
            simulation=self._simulation,
            endpoint=self._endpoint,
            method=request.method,
            target=request.scope["raw_path"].decode("ascii") + query,
            path_params=request.path_params,
            query=request.query_params,
            query_items=request.query_params.multi_items(),
            headers=request.headers,
            started=self._simulation.clock(),
        )

    async def _note(self, call: Call, answer: Answer | None, latency: float = 0) -> None:
        """Logs the request before it is answered, so that whoever has the answer finds it in the log."""
        self._simulation.log.add(_log_entry(call, answer, latency))
        if self._recorder and call.endpoint.needs_key:
            await run_in_threadpool(self._recorder.write, _exchange(call, answer))


async def _pass_through(request: Request, call: Call, fault: Fault | None) -> Answer:
    kind = fault.kind if fault else None
    if kind is FaultKind.RESET_BEFORE_BODY:
        raise _ResetWantedError
    if kind is FaultKind.RESET_DURING_BODY:
        await request.receive()
        raise _ResetWantedError
    await _read_body(request, call)
    if fault and kind is FaultKind.ANSWER:
        return fault_answer(fault, call.started)
    return _edge_answer(call) or _depart(call, await run_in_threadpool(judge, call))


async def _read_body(request: Request, call: Call) -> None:
    """Reads the body into the call; one that is too large is read and dropped.

    nginx, too, goes on reading for a while after such a refusal, so that the client gets to see it.
    """
    chunks = []
    async for chunk in request.stream():
        call.received_bytes += len(chunk)
        if call.received_bytes <= call.endpoint.max_body_bytes:
            chunks.append(chunk)
    call.body_is_whole = call.received_bytes <= call.endpoint.max_body_bytes
    if call.body_is_whole:
        call.body = b"".join(chunks)


def _edge_answer(call: Call) -> Answer | None:
    """Gives the refusal of the web server in front of the API, if any."""
    if len(f"{call.method} {call.target} HTTP/1.1") > limits.MAX_REQUEST_LINE_BYTES:
        return html_answer(414)
    if not call.body_is_whole:
        return html_answer(413)
    # https://github.com/sendgrid/sendgrid-php/issues/1054: the next identical request succeeds
    return html_answer(406) if call.endpoint.needs_key and call.simulation.edge_refuses() else None


def _depart(call: Call, answer: Answer) -> Answer:
    fault = call.take_fault(Moment.DEPARTURE) if answer.status < HTTPStatus.BAD_REQUEST else None
    if fault is None:
        return answer
    if fault.kind is FaultKind.DROP_AFTER_ACCEPTANCE:
        raise _ResetWantedError
    return fault_answer(fault, call.simulation.clock())


def _response(answer: Answer) -> Response:
    headers = {"Server": "nginx", **answer.headers}
    if answer.media_type:
        headers["Content-Type"] = answer.media_type  # given here, as Starlette would add a charset
    return Response(answer.content, answer.status, headers)


def _log_entry(call: Call, answer: Answer | None, latency: float) -> LoggedRequest:
    return LoggedRequest(
        method=call.method,
        path=call.target,
        endpoint=call.endpoint.label,
        status=answer.status if answer else None,
        request_bytes=call.received_bytes,
        response_bytes=len(answer.content) if answer else 0,
        started=call.started,
        seconds=call.simulation.clock() - call.started + latency,
        contacts=call.accepted_contacts,
        injected=tuple(call.injected),
    )


def _exchange(call: Call, answer: Answer | None) -> dict[str, Any]:
    """Builds a line of the recording; what was not received whole or not answered is null."""
    response = _response(answer) if answer else None
    return {
        "method": call.method,
        "path": call.target,
        "request_headers": {name: call.headers[name] for name in call.headers if name != "authorization"},
        "request_body": call.body.decode(errors="replace") if call.body_is_whole else None,
        "status": answer.status if answer else None,
        "response_headers": dict(response.headers) if response else None,
        "response_body": answer.content.decode() if answer else None,
        "injected": call.injected,
    }
