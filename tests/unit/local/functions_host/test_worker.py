from pathlib import Path

from local.functions_host import protos
from local.functions_host.worker import PROJECT_ROOT, Function, path_with_app_last


def test_the_app_folder_comes_last_and_the_projects_root_goes(tmp_path: Path) -> None:
    app = tmp_path.resolve()
    assert path_with_app_last([str(PROJECT_ROOT), str(app), "/packages"], app) == ["/packages", str(app)]


def test_an_app_in_the_projects_root_comes_last() -> None:
    assert path_with_app_last([str(PROJECT_ROOT), "/packages"], PROJECT_ROOT) == ["/packages", str(PROJECT_ROOT)]


def test_a_function_is_read_from_its_raw_bindings() -> None:
    metadata = protos.RpcFunctionMetadata(
        name="f",
        function_id="1",
        raw_bindings=[
            '{"type": "queue", "direction": "OUT", "name": "out"}',
            '{"type": "queueTrigger", "direction": "IN", "name": "message"}',
        ],
        retry_options=protos.RpcRetryOptions(max_retry_count=3),
    )
    assert Function.from_metadata(metadata) == Function(
        name="f",
        function_id="1",
        trigger={"type": "queueTrigger", "direction": "IN", "name": "message"},
        outputs=({"type": "queue", "direction": "OUT", "name": "out"},),
        has_retry_policy=True,
    )
