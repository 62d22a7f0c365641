from __future__ import annotations

from typing import Any

import pytest

from shared.errors import RunEndError
from shared.model.reason_codes import ReasonCode
from shared.sendgrid.contact_exports import ContactExport, ExportState, contact_export
from tests.support.factories import an_answer

FILE = "https://files.s3.us-west-2.amazonaws.com/contacts.csv.gz?X-Amz-Signature=1"


def report(**members: Any) -> ContactExport:  # noqa: ANN401 - any JSON
    return contact_export(an_answer(200, members))


def test_an_export_that_is_ready_has_files_and_a_count() -> None:
    found = report(status="ready", urls=[FILE], contact_count=3)
    assert (found.state, found.urls, found.contacts) == (ExportState.READY, (FILE,), 3)


@pytest.mark.parametrize("word", ["pending", "in progress", None, 7])
def test_a_word_that_is_not_known_is_waited_for(word: object) -> None:
    assert report(status=word, urls=[]).state is ExportState.PENDING


@pytest.mark.parametrize("urls", [[], None, "x"])
def test_without_files_it_is_not_ready(urls: object) -> None:
    assert report(status="ready", urls=urls, contact_count=3).state is ExportState.PENDING


@pytest.mark.parametrize(
    "urls", [["http://api.sendgrid.com/plain"], [7], [FILE, "https://169.254.169.254/"], [FILE, None]]
)
def test_an_address_that_is_not_followed_ends_the_wait(urls: list[object]) -> None:
    with pytest.raises(RunEndError) as raised:
        report(status="ready", urls=urls, contact_count=3)
    assert raised.value.reason.code == ReasonCode.LIST_EXPORT_FAILED


def test_an_empty_list_needs_no_files() -> None:
    assert report(status="ready", urls=[], contact_count=0).state is ExportState.READY


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"ready"'])
def test_what_is_no_report_is_waited_for(body: bytes) -> None:
    assert contact_export(an_answer(200, body)).state is ExportState.PENDING


def test_a_failure_is_told() -> None:
    assert report(status="failure", message="no", urls=None).state is ExportState.FAILURE


def test_the_address_of_a_file_is_not_shown() -> None:
    assert "amazonaws" not in repr(report(status="ready", urls=[FILE]))
