from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from local import export_api
from local.export_api import ApiError, ExportApi, Run

type MakeRun = Callable[..., Run]
type Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_pause_between_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_api, "POLL_SECONDS", 0)


@contextmanager
def api_to(answer: Answer, said: list[str] | None = None) -> Iterator[ExportApi]:
    """An API client whose app is one function."""
    transport = httpx.MockTransport(answer)
    with httpx.Client(base_url="http://app", transport=transport) as client:
        yield ExportApi(client, say=(said if said is not None else []).append)


def shows(*runs: Run) -> Answer:
    """An app that shows one state of a run after the other, and the last one for ever."""
    states = list(runs)
    return lambda _: httpx.Response(200, text=(states.pop(0) if len(states) > 1 else states[0]).model_dump_json())


def test_a_run_is_followed_to_its_end(make_run: MakeRun) -> None:
    states = [make_run(status=status) for status in ("queued", "uploading", "succeeded")]
    with api_to(shows(*states)) as api:
        seen = [run.status for run in api.follow(make_run(), timeout_seconds=60)]
    assert seen == ["queued", "uploading", "succeeded"]


def test_a_run_that_does_not_end_is_given_up(make_run: MakeRun) -> None:
    with (
        api_to(shows(make_run(status="importing"))) as api,
        pytest.raises(ApiError, match="was still importing"),
    ):
        list(api.follow(make_run(), timeout_seconds=0))


def test_a_started_run_is_looked_for_where_location_says(make_run: MakeRun) -> None:
    place = "/api/exports/vip/runs/20260804T140300Z-abc"

    def app(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, headers={"Location": place})
        assert request.url.path == place
        return httpx.Response(200, text=make_run().model_dump_json())

    said: list[str] = []
    with api_to(app, said) as api:
        assert api.start_run("vip") == make_run()
    assert said == ["POST /api/exports/vip/runs → 202"]


def test_the_first_scheduled_run_is_awaited(make_run: MakeRun) -> None:
    on_demand = make_run()
    first, second = (make_run(trigger="scheduled", id=name) for name in ("first", "second"))
    lists = [[on_demand], [on_demand], [second, first, on_demand]]

    def app(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"runs": [run.model_dump(mode="json") for run in lists.pop(0)]})

    with api_to(app) as api:
        assert api.await_own_run("vip", trigger="scheduled", timeout_seconds=60) == first


def test_a_scheduled_run_that_never_starts_is_given_up() -> None:
    with (
        api_to(lambda _: httpx.Response(200, json={"runs": []})) as api,
        pytest.raises(ApiError, match="No run of vip was started as arrival"),
    ):
        api.await_own_run("vip", trigger="arrival", timeout_seconds=0.01)


def test_a_refusal_is_told_with_the_apps_words() -> None:
    with (
        api_to(lambda _: httpx.Response(409, text='{"detail":"The export is disabled."}')) as api,
        pytest.raises(ApiError, match=r"POST /api/exports/vip/runs → 409 .*The export is disabled"),
    ):
        api.start_run("vip")


def test_an_app_that_has_gone_is_told() -> None:
    def app(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with api_to(app) as api, pytest.raises(ApiError, match="the app does not answer"):
        api.put("/api/exports/vip", {})


def test_rejected_rows_of_all_parts_are_counted_without_the_header(make_run: MakeRun) -> None:
    def app(request: httpx.Request) -> httpx.Response:
        if "part" in request.url.params:
            return httpx.Response(200, text="a,b,2,x,c,d\r\n")
        text = 'segment,file,row,customer_id,column,reason\r\na,b,1,"x\r\ny",c,d\r\n'
        return httpx.Response(200, text=text, headers={"Link": f'<{request.url.path}?part=2>; rel="next"'})

    with api_to(app) as api:
        assert api.count_rejected(make_run()) == 2
