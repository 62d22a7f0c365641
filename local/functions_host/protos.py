"""The messages of the worker protocol, as plain objects for the worker library to read and make.

The library is handed the module that holds its messages, so neither protobuf nor gRPC is needed. Names and
fields are those of https://github.com/Azure/azure-functions-language-worker-protobuf, as far as queue, timer
and HTTP functions need them. They are as strict as protobuf: an unknown field or a value of another type
raises TypeError, and None stands for a field that is not set.
"""

import builtins
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import ClassVar

from local.functions_host.message import Message


@dataclass(kw_only=True)
class RpcException(Message):
    """What a function or the worker raised."""

    source: str = ""
    message: str = ""
    stack_trace: str = ""


@dataclass(kw_only=True)
class StatusResult(Message):
    """How a request ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    Cancelled: ClassVar[int] = 2

    status: int = 0
    result: str = ""
    exception: RpcException | None = None


@dataclass(kw_only=True)
class Response(Message):
    """What the responses of the worker share."""

    result: StatusResult = field(default_factory=StatusResult)


@dataclass(kw_only=True)
class NullableString(Message):
    """A text that may be absent."""

    value: str = ""


@dataclass(kw_only=True)
class NullableBool(Message):
    """A truth value that may be absent."""

    value: bool = False


@dataclass(kw_only=True)
class NullableDouble(Message):
    """A number that may be absent."""

    value: float | int = 0.0


@dataclass(kw_only=True)
class Timestamp(Message):
    """Seconds since 1970 in UTC."""

    seconds: int = 0
    nanos: int = 0


@dataclass(kw_only=True)
class NullableTimestamp(Message):
    """A moment that may be absent."""

    value: Timestamp | None = None


@dataclass(kw_only=True)
class RpcHttpCookie(Message):
    """One cookie of an HTTP response."""

    SameSite: ClassVar[SimpleNamespace] = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    name: str = ""
    value: str = ""
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


@dataclass(kw_only=True)
class TypedData(Message):
    """A value on its way into or out of a function."""

    # Values of these kinds never occur with the bindings here, but the library looks at the names.
    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {"data": ("string", "json", "bytes", "http", "int", "double")}

    string: str | None = None
    json: str | None = None
    bytes: builtins.bytes | None = None
    http: "RpcHttp | None" = None
    int: builtins.int | None = None
    double: float | builtins.int | None = None


@dataclass(kw_only=True)
class RpcHttp(Message):
    """An HTTP request or response."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: TypedData = field(default_factory=TypedData)
    status_code: str = ""
    enable_content_negotiation: bool = False
    cookies: list[RpcHttpCookie] = field(default_factory=list)


@dataclass(kw_only=True)
class ParameterBinding(Message):
    """The value of one parameter."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {"rpc_data": ("data",)}

    name: str = ""
    data: TypedData | None = None


@dataclass(kw_only=True)
class BindingInfo(Message):
    """Kind and direction of one binding; the constants are those of its two enumerations."""

    undefined: ClassVar[int] = 0
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2

    type: str = ""
    direction: int = 0
    data_type: int = 0


@dataclass(kw_only=True)
class RpcRetryOptions(Message):
    """A function's retry policy."""

    max_retry_count: int = 0
    retry_strategy: str | int = 0
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(kw_only=True)
class RpcFunctionMetadata(Message):
    """What the worker found out about one function of the app."""

    name: str = ""
    function_id: str = ""
    directory: str = ""
    script_file: str = ""
    entry_point: str = ""
    language: str = ""
    is_proxy: bool = False
    managed_dependency_enabled: bool = False
    bindings: dict[str, BindingInfo] = field(default_factory=dict)
    raw_bindings: list[str] = field(default_factory=list)
    retry_options: RpcRetryOptions | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class WorkerMetadata(Message):
    """Which worker answered."""

    runtime_name: str = ""
    runtime_version: str = ""
    worker_version: str = ""
    worker_bitness: str = ""
    custom_properties: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class WorkerInitRequest(Message):
    """Asks the worker to load the app."""

    host_version: str = ""
    capabilities: dict[str, str] = field(default_factory=dict)
    function_app_directory: str = ""


@dataclass(kw_only=True)
class WorkerInitResponse(Response):
    """Whether the app could be loaded."""

    capabilities: dict[str, str] = field(default_factory=dict)
    worker_metadata: WorkerMetadata | None = None


@dataclass(kw_only=True)
class FunctionsMetadataRequest(Message):
    """Asks which functions the app has."""

    function_app_directory: str = ""


@dataclass(kw_only=True)
class FunctionMetadataResponse(Response):
    """The functions of the app."""

    function_metadata_results: list[RpcFunctionMetadata] = field(default_factory=list)
    use_default_metadata_indexing: bool = False


@dataclass(kw_only=True)
class FunctionLoadRequest(Message):
    """Announces that a function will be used."""

    function_id: str = ""


@dataclass(kw_only=True)
class FunctionLoadResponse(Response):
    """Whether the function can be used."""

    function_id: str = ""


@dataclass(kw_only=True)
class RpcTraceContext(Message):
    """W3C trace context of an invocation."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class RetryContext(Message):
    """Which attempt of a retry policy an invocation is."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException | None = None


@dataclass(kw_only=True)
class InvocationRequest(Message):
    """Asks the worker to call a function."""

    invocation_id: str = ""
    function_id: str = ""
    input_data: list[ParameterBinding] = field(default_factory=list)
    trigger_metadata: dict[str, TypedData] = field(default_factory=dict)
    trace_context: RpcTraceContext = field(default_factory=RpcTraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)


@dataclass(kw_only=True)
class InvocationResponse(Response):
    """What the function returned and put into its output bindings."""

    invocation_id: str = ""
    output_data: list[ParameterBinding] = field(default_factory=list)
    return_value: TypedData | None = None


@dataclass(kw_only=True)
class StreamingMessage(Message):
    """The envelope of a request."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {
        "content": (
            "worker_init_request",
            "functions_metadata_request",
            "function_load_request",
            "invocation_request",
        ),
    }

    request_id: str = ""
    worker_init_request: WorkerInitRequest | None = None
    functions_metadata_request: FunctionsMetadataRequest | None = None
    function_load_request: FunctionLoadRequest | None = None
    invocation_request: InvocationRequest | None = None
