from datetime import timedelta
from typing import Any

import pytest

from local.functions_host import protos


@pytest.mark.parametrize(
    ("message", "values"),
    [
        (protos.RpcException, {"text": "x"}),
        (protos.RpcException, {"message": b"x"}),
        (protos.StatusResult, {"status": "Success"}),
        (protos.StatusResult, {"exception": "x"}),
        (protos.TypedData, {"bytes": "x"}),
        (protos.TypedData, {"string": b"x"}),
        (protos.RpcHttp, {"body": b"x"}),
        (protos.RpcHttp, {"status_code": 200}),
        (protos.RpcRetryOptions, {"delay_interval": 1}),
        (protos.TypedData, {"string": "x", "json": "x"}),
    ],
)
def test_an_unknown_field_or_a_wrong_type_is_refused(message: Any, values: dict[str, object]) -> None:  # noqa: ANN401  # any message
    with pytest.raises(TypeError):
        message(**values)


def test_none_leaves_a_field_unset() -> None:
    values: Any = {"message": None, "stack_trace": "x"}
    assert protos.RpcException(**values) == protos.RpcException(stack_trace="x")


def test_an_unset_list_is_empty_and_nobody_elses() -> None:
    first = protos.RpcHttp()
    first.headers["x"] = "y"
    assert protos.RpcHttp().headers == {}


def test_the_body_of_a_request_is_never_missing() -> None:
    assert protos.RpcHttp().body.WhichOneof("data") is None


@pytest.mark.parametrize("name", ["string", "json", "int", "double", "bytes", "http"])
def test_the_field_of_a_group_that_is_set_is_known(name: str) -> None:
    values: dict[str, Any] = {
        "string": "",
        "json": "",
        "int": 0,
        "double": 0.0,
        "bytes": b"",
        "http": protos.RpcHttp(),
    }
    assert protos.TypedData(**{name: values[name]}).WhichOneof("data") == name


def test_a_group_without_a_field_set_has_none() -> None:
    assert protos.ParameterBinding(name="x").WhichOneof("rpc_data") is None


def test_a_type_with_arguments_is_checked_by_its_kind() -> None:
    options = protos.RpcRetryOptions(retry_strategy="fixed_delay", delay_interval=timedelta(seconds=1))
    assert options.retry_strategy == "fixed_delay"
