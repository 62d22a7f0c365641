"""The local cloud, once per test run, and a storage account of its own for every test that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.bicep import NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from local.cloud import LocalCloud


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give all tests that lack the Bicep compiler one place, so that `-rs` tells of them in one line."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and report.longrepr[2].endswith(NOT_FOUND):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Return a running local cloud that records what SendGrid was asked; tests restore what they switch."""
    from local.cloud import LocalCloud

    with LocalCloud(tmp_path_factory.mktemp("cloud"), record=True) as running:
        yield running


@pytest.fixture
def account(cloud: LocalCloud) -> str:
    """Return the name of a storage account with all containers and queues, and nothing in them."""
    name = cloud.new_account()
    cloud.prepare_account(name)
    return name
