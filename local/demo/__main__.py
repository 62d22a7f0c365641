"""`make demo`: an export from blob storage to a SendGrid list, end to end, on this machine."""

import csv
import io
import os
import signal
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final, Never

import httpx
from azure.core.exceptions import AzureError
from rich.console import Console

from local.azure.processes import ProcessError
from local.cloud import Host, LocalCloud
from local.demo.progress import RunProgress
from local.demo.summary import (
    FailedRunError,
    Outcome,
    compare_list,
    find_problems,
    last_line,
    require_success,
    summary_table,
)
from local.export_api import ApiError, ExportApi, Run
from local.extracts.deliveries import Delivery, Source, source_of
from local.extracts.expectation import UnsuitableFileError
from local.options import OptionError, read_options, runs_on_schedule
from local.place import Place
from local.playground import (
    CONNECTION,
    EXPORT,
    MAX_CONTACTS,
    Playground,
    connection_definition,
    export_definition,
)
from local.sendgrid_simulator.configuration import REALISTIC

TICK: Final = "* * * * * *"
REFRESH: Final = "*/10 * * * * *"
"""Every ten seconds; the first run that comes of it ends the schedule."""
OFF: Final = {"kind": "off"}
ARRIVAL: Final = {"kind": "arrival"}
KEPT: Final = Path(".local/demo")
"""Where the report and the rejected rows of the first run stay."""
ROWS_SHOWN: Final = 5
BY_HAND: Final = tuple(f"by.hand{number}@example.com" for number in range(1, 6))
"""People whom somebody has put on the list."""
SHORT_JOBS: Final = {"job_delay_seconds": 1.0, "job_status_lag_seconds": 0.5}
"""A job takes SendGrid half a minute, which nobody wants to watch three times."""
RUN_SECONDS: Final = 1_200.0
SCHEDULE_SECONDS: Final = 60.0
INTERRUPTED: Final = 130
LOG_LINES: Final = 40
OWN_POLLING: Final = "'Functions.get_"
FAILURES: Final = (ApiError, FailedRunError, ProcessError, AzureError, httpx.HTTPError)


class Screen:
    """What the user sees, apart from the bars."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something is going on, then say how long it took."""
        began = monotonic()
        with self.console.status(text):
            yield
        self.say(f"{text}: {monotonic() - began:.1f} s")


class Demo:
    """The runs, on a local cloud and a host that are up."""

    _newest: Delivery

    def __init__(
        self, playground: Playground, host: Host, source: Source, screen: Screen, *, scheduled: bool
    ) -> None:
        self._scheduled = scheduled
        self._playground = playground
        self._simulator = playground.cloud.simulator
        self._host = host
        self._source = source
        self._screen = screen

    def run(self) -> list[Outcome]:
        """Run on demand, then by the timer, if that is wanted, then by an extract that people have left."""
        with self._host.client() as client:
            api = ExportApi(client, say=self._screen.say)
            api.put(f"/api/connections/{CONNECTION}", connection_definition())
            outcomes = [self._run_on_demand(api)]
            self._keep(api, outcomes[0].run)
            if self._scheduled:
                outcomes.append(self._run_scheduled(api))
            return [*outcomes, *self._run_with_changes(api)]

    def _keep(self, api: ExportApi, run: Run) -> None:
        """Leave the report and the list of rejected rows where people find them, and show the first rows."""
        KEPT.mkdir(parents=True, exist_ok=True)
        rejected = api.read_rejected(run) if run.counts.rejected else ""
        (KEPT / "rejected.csv").write_text(rejected, encoding="utf-8", newline="")
        (KEPT / "report.html").write_text(api.read_report(run), encoding="utf-8")
        for row in islice(csv.DictReader(io.StringIO(rejected, newline="")), ROWS_SHOWN):
            self._screen.say(f"  rejected: row {row['row']} of {row['file'].rpartition('/')[2]}, {row['reason']}")
        self._screen.say(f"Report and rejected rows: {KEPT}/report.html, {KEPT}/rejected.csv")

    def _run_on_demand(self, api: ExportApi) -> Outcome:
        delivery = self._deliver(again=False)
        self._put_export(api, delivery, schedule=OFF)
        before = self._count_requests()
        return self._outcome(api, api.start_run(EXPORT), delivery, before)

    def _run_scheduled(self, api: ExportApi) -> Outcome:
        delivery = self._deliver(again=True)
        self._put_export(api, delivery, schedule={"kind": "refresh"})
        before = self._count_requests()
        with self._screen.step("The timer ticks; the refresh is due every ten seconds"):
            run = api.await_own_run(EXPORT, trigger="scheduled", timeout_seconds=SCHEDULE_SECONDS)
        # Otherwise a long run would meet the next one.
        self._put_export(api, delivery, schedule=OFF)
        return self._outcome(api, run, delivery, before)

    def _run_with_changes(self, api: ExportApi) -> Iterator[Outcome]:
        """Some have left the segment, joined it or moved, and others were put on the list by hand.

        The extract starts the run, so everything else comes before it.
        """
        if not self._source.changes:
            return
        known = set(self._simulator.list_emails(self._playground.list_id))
        self._simulator.add_to_list(self._playground.list_id, *BY_HAND)
        self._screen.say(f"By hand onto the list: {len(BY_HAND)} people")
        self._put_export(api, self._newest, schedule=ARRIVAL)
        before = self._count_requests()
        with self._playground.extracts() as container:
            delivery = self._source.deliver_changed(container)
        self._tell(delivery)
        with self._screen.step("The extract arrives, and settles for a second"):
            run = api.await_own_run(EXPORT, trigger="arrival", timeout_seconds=SCHEDULE_SECONDS)
        outcome = self._outcome(api, run, delivery, before, by_hand=BY_HAND)
        yield replace(outcome, title="changes", leavers=len(known - delivery.emails))

    def _deliver(self, *, again: bool) -> Delivery:
        with self._screen.step("Extract delivered"), self._playground.extracts() as container:
            put = self._source.deliver_again if again else self._source.deliver
            delivery = self._newest = put(container)
        self._tell(delivery)
        return delivery

    def _tell(self, delivery: Delivery) -> None:
        rows = delivery.expectation.rows
        self._screen.say(f"  {delivery.folder}, {rows:,} rows, files: {delivery.files}")
        if rows > MAX_CONTACTS:
            self._screen.say(f"  max_contacts is raised from {MAX_CONTACTS:,} to {rows:,} on purpose")

    def _put_export(self, api: ExportApi, delivery: Delivery, *, schedule: Mapping[str, str]) -> None:
        definition = export_definition(
            self._playground.list_id,
            self._source.mapping,
            schedule="off",
            max_contacts=max(MAX_CONTACTS, delivery.expectation.rows),
            source=self._source.source,
            leavers="remove",
        )
        api.put(f"/api/exports/{EXPORT}", definition | {"schedule": schedule})

    def _outcome(
        self,
        api: ExportApi,
        run: Run,
        delivery: Delivery,
        before: Counter[str],
        *,
        by_hand: Collection[str] = (),
    ) -> Outcome:
        run = self._watch(api, run)
        require_success(run)
        on_list = self._simulator.list_emails(self._playground.list_id)
        return Outcome(
            run=run,
            expectation=delivery.expectation,
            on_list=len(on_list),
            list_problems=list(compare_list(on_list, delivery.emails | set(by_hand))),
            rejected_rows=api.count_rejected(run) if run.counts.rejected else 0,
            requests=self._count_requests() - before,
        )

    def _count_requests(self) -> Counter[str]:
        return Counter(self._simulator.counts().requests)

    def _watch(self, api: ExportApi, run: Run) -> Run:
        self._screen.say(f"Run {run.id}, {run.trigger}")
        with RunProgress(self._screen.console) as progress:
            for snapshot in api.follow(run, timeout_seconds=RUN_SECONDS):
                progress.show(snapshot)
                run = snapshot
        return run


def main() -> int:
    """Run the demo; the status to exit with."""
    signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(Console())
    with TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as directory:
        try:
            return _run(Path(directory), screen)
        except KeyboardInterrupt:
            screen.say("demo: stopped")
            return INTERRUPTED
        except (OptionError, UnsuitableFileError) as error:
            screen.say(f"demo: {error}")
        except FAILURES as error:
            screen.say(f"demo: failed: {error}")
            _show_log(Path(directory), screen)
    return 1


def _run(directory: Path, screen: Screen) -> int:
    source = source_of(read_options(os.environ))
    with ExitStack() as stack:
        with screen.step("Local cloud started"):
            cloud = LocalCloud(directory, profile=REALISTIC, settings=SHORT_JOBS)
            playground = Playground(stack.enter_context(cloud))
        screen.say(f"SendGrid is simulated as: {cloud.simulator.configure().title()}")
        with screen.step("Functions host started"):
            host = playground.start_host(tick=TICK, refresh_schedule=REFRESH)
        outcomes = Demo(playground, host, source, screen, scheduled=runs_on_schedule(os.environ)).run()
    screen.console.print(summary_table(outcomes))
    if problems := [f"{each.run.trigger}: {problem}" for each in outcomes for problem in find_problems(each)]:
        _show_log(directory, screen)
        screen.say("\n".join(["demo: failed, since these do not fit:", *problems]))
        return 1
    screen.say(f"To look at it in a browser: make serve, then http://127.0.0.1:{Place.kept().port}/console")
    screen.say(last_line(outcomes[0]))
    return 0


def _show_log(directory: Path, screen: Screen) -> None:
    for log in sorted(directory.glob("host-*.log")):
        lines = [line for line in log.read_text(errors="replace").splitlines() if OWN_POLLING not in line]
        screen.say("\n".join([f"The end of {log.name}:", *lines[-LOG_LINES:]]))


def _interrupt(*_: object) -> Never:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
