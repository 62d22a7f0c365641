"""One request on its way through the simulator, and the endpoints it can be for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Answer
from local.sendgrid_simulator.faults import Fault, FaultKind, Moment
from local.sendgrid_simulator.simulation import Simulation


@dataclass(kw_only=True)
class Call:
    """A request as the endpoints see it; `body` is filled in once it has been read."""

    simulation: Simulation
    endpoint: "Endpoint"
    method: str
    target: str
    """Path and query as sent."""
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    query_items: Sequence[tuple[str, str]]
    """With every value of a name that comes more than once."""
    headers: Mapping[str, str]
    """Keys are lower-case."""
    started: float
    body: bytes = b""
    body_is_whole: bool = False
    """False until the body is read, and for ever when it is too large."""
    received_bytes: int = 0
    scopes: tuple[str, ...] = ()
    """What the key in use may do."""
    accepted_contacts: int = 0
    injected: list[FaultKind] = field(default_factory=list)

    def take_fault(self, moment: Moment, emails: Callable[[], set[str]] = set) -> Fault | None:
        """Gives the fault that strikes this request at this moment, if any."""
        fault = self.simulation.faults.take(moment, self.endpoint.method, self.endpoint.path, emails)
        if fault:
            self.injected.append(fault.kind)
        return fault


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One operation of the API."""

    method: str
    path: str
    """The template, such as /v3/marketing/lists/{id}."""
    answer: Callable[[Call, float], Answer]
    """Does what was asked, given the request and the time, and raises RefusedError when it is refused."""
    scope: str | None = None
    """What the key must be allowed to do; none means that any valid key will do."""
    needs_key: bool = True
    max_body_bytes: int = limits.MAX_BODY_BYTES

    @property
    def label(self) -> str:
        """Names the endpoint in logs and for the limiter."""
        return f"{self.method} {self.path}"
