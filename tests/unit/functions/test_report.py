"""The report of a run: one file, in the reader's language, that says what there is to say of the run."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from functions import runs
from functions.report import CHUNKS_SHOWN, Bar, Part, render
from functions.words import Words, languages
from shared.model.forecast import Examples
from shared.model.list_ready import ListReady, ListReadyCode, NotConfirmed
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import PassedOver
from shared.runs.views import Throttling, get_run_details
from tests.support.factories import a_request, plain, use_services
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    import azure.functions as func

    from shared.runs.views import RunDetails

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script>'


@pytest.fixture
def app() -> InMemoryApp:
    """One with an export called newsletter, of two people, one who has no address, and one who comes twice."""
    app = InMemoryApp()
    app.save()
    two = people(2)
    app.deliver_extract([*two, two[0], ("nowhere", "Nora")])
    use_services(app.services)
    return app


@pytest.fixture
def run(app: InMemoryApp) -> RunDetails:
    """A run that is over."""
    done = app.run_to_its_end()
    app.work()
    return get_run_details(app.services, done.export, done.id)


def _text(run: RunDetails, language: str = "en", **changes: object) -> str:
    """What a reader sees of it, tags as line breaks."""
    words = Words(language=language, zone=ZoneInfo("Europe/Stockholm"))
    page = render(run.model_copy(update=changes), words, now=NOW)
    body = re.sub(r"<[^>]*>", "\n", page.partition("<body>")[2])
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \u00a0\u202f]+", " ", html.unescape(body)))


def _ask(run: RunDetails, accepted: str = "", **params: str) -> func.HttpResponse:
    """Ask for the report, with an Accept-Language."""
    headers = {**a_request().headers, "accept-language": accepted}
    request = a_request(route_params={"id": run.export, "run": run.id}, params=params, headers=headers)
    answer: func.HttpResponse = plain(runs.get_report)(request)
    return answer


@pytest.mark.parametrize(
    ("params", "accepted", "language"),
    [
        ({}, "", "en"),
        ({"language": "fr"}, "ru", "fr"),
        ({}, "de, ru;q=0.5, fr;q=0.9", "fr"),
        ({}, "fr;q=0, ru;q=0.1", "ru"),
        ({}, "fr;q=0", "en"),
        ({}, "zh-TW,zh;q=0.9", "zh-Hant-HK"),
        ({}, ";q=,,=;;q=x", "en"),
    ],
)
def test_it_is_in_the_language_that_is_asked_for(
    run: RunDetails, params: dict[str, str], accepted: str, language: str
) -> None:
    answer = _ask(run, accepted, **params)
    assert answer.status_code == 200
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")
    assert f'<html lang="{language}">' in answer.get_body().decode()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"language": "de"}, f"must be one of {', '.join(languages())}"),
        ({"language": "../en"}, f"must be one of {', '.join(languages())}"),
        ({"time_zone": "Mars/Olympus"}, "must be an IANA time zone, such as Europe/Stockholm"),
        ({"time_zone": "../../etc/passwd"}, "must be an IANA time zone, such as Europe/Stockholm"),
        ({"time_zone": ""}, "must be an IANA time zone, such as Europe/Stockholm"),
    ],
)
def test_what_is_not_there_is_refused(run: RunDetails, params: dict[str, str], message: str) -> None:
    answer = _ask(run, "", **params)
    assert answer.status_code == 400
    assert message in answer.get_body().decode()


def test_times_are_those_of_the_zone_that_it_names(run: RunDetails) -> None:
    page = html.unescape(_ask(run, time_zone="Asia/Hong_Kong").get_body().decode())
    assert "Time zone of all times: Asia/Hong_Kong." in page
    assert "Time zone of all times: UTC." in _ask(run).get_body().decode()
    assert "\nReport of Mar 3, 2026, 12:30 AM. Time zone of all times: Europe/Stockholm.\n" in _text(run)


def test_it_stands_alone_and_forbids_itself_everything_else(run: RunDetails) -> None:
    page = render(run, Words(language="en", zone=ZoneInfo("UTC")), now=NOW)
    assert re.findall(r"https?:|<link|<script|src=|href=|@import|url\(", page) == []
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert html.unescape(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert page.count("<svg") == 2


def test_every_row_has_its_outcome_and_a_reason_what_to_do(run: RunDetails) -> None:
    text = _text(run)
    assert "\n4 rows read\n" in text
    assert "\nSent\n2\n50%\nSendGrid has taken them in.\n" in text
    assert "\nDuplicate\n1\n25%\n" in text
    assert re.search(r"\nRejected\n1\n25%\n[^\n]*\nemail_invalid\n1\n25%\n[^\n]{20,}\nNot sent\n0\n0%\n", text)


def test_what_codes_mean_is_told_in_the_readers_language_and_the_apps_sentence_stays(run: RunDetails) -> None:
    reason = Reason(code=ReasonCode.REMOVALS_WITHHELD, message="30 members are gone.")
    why = NotConfirmed(code=ListReadyCode.UNSTEADY, message="41, then 42.")
    state = {"list_ready": ListReady.NOT_CONFIRMED, "list_not_confirmed": why}
    run = run.model_copy(update=state | {"reason": reason, "next_step": "Look."})
    text, english = _text(run, "fr"), _text(run)
    french = Words(language="fr", zone=ZoneInfo("UTC")).translated
    told = [french(code) or {} for code in ("removals_withheld", "unsteady", "email_invalid")]
    reason_told, why_told, rejection_told = ([each["meaning"], each["action"]] for each in told)
    for lines in ([*reason_told, reason.message], [" ".join(why_told), why.message], [" ".join(rejection_told)]):
        assert "\n{}\n".format("\n".join(lines)).replace("\u00a0", " ") in text
    assert "Look." not in text
    assert "\n30 members are gone.\nLook.\n" in english
    assert "unsteady" not in english
    unknown = _text(run, "fr", reason=Reason(code="of_tomorrow", message="Who knows?"))
    assert "\nWho knows?\nLook.\n" in unknown


def test_most_frequent_reasons_come_first_and_unknown_ones_are_told(run: RunDetails) -> None:
    counts = run.counts.model_copy(
        update={"rejected_by_reason": {"email_invalid": 1, "of_tomorrow": 7}, "cut": {"city": 3}}
    )
    text = _text(run, counts=counts)
    assert text.index("of_tomorrow\n7\n") < text.index("email_invalid\n1\n")
    assert "\nCut: city\n3\n75%\nLonger than SendGrid takes; the row was sent with the value cut.\n" in text


def test_words_of_others_are_escaped(run: RunDetails) -> None:
    extract = run.extracts[0].model_copy(
        update={"file_names": (HOSTILE,), "passed_over": (PassedOver(name=HOSTILE, why=HOSTILE),)}
    )
    changes: dict[str, Any] = {
        "list_name": HOSTILE,
        "requested_by": HOSTILE,
        "warnings": (HOSTILE,),
        "waits_for": HOSTILE,
        "extracts": (extract,),
        "counts": run.counts.model_copy(update={"cut": {HOSTILE: 1}, "rejected_by_reason": {HOSTILE: 1}}),
        "list_not_confirmed": NotConfirmed(code="x", message=HOSTILE),
        "deliveries": (run.deliveries[0].model_copy(update={"reason": HOSTILE, "status": HOSTILE}),),
    }
    page = render(run.model_copy(update=changes), Words(language="en", zone=ZoneInfo("UTC")), now=NOW)
    assert page.count(html.escape(HOSTILE, quote=False).replace('"', "&#34;")) >= 12
    assert "<script" not in page


def test_it_names_nobody(app: InMemoryApp) -> None:
    use_services(app.services)
    started = plain(runs.plan_export)(a_request(method="POST", route_params={"id": "newsletter"}))
    app.work()
    run = get_run_details(app.services, "newsletter", str(started.headers["Location"]).rpartition("/")[2])
    assert run.forecast is not None
    assert run.examples is not None
    assert run.examples != Examples()
    assert "\nNew contacts\n2\n" in _text(run)
    assert re.findall(r"@|\*\*", _text(run)) == []
    assert "\nContacts in the account\n100,000 now, 100,002 afterwards at most\nof 250,000\n" in _text(
        run,
        forecast=run.forecast.model_copy(
            update={"account_contacts": 100_000, "account_contacts_after": 100_002, "contact_limit": 250_000}
        ),
    )


def test_a_run_under_way_says_how_far_it_is(app: InMemoryApp) -> None:
    started = app.start()
    run = get_run_details(app.services, started.export, started.id)
    assert "\nStatus\nQueued\n" in _text(run)
    chunks = run.chunks.model_copy(update={"planned": 2, "finished": 1, "contacts_planned": 5000})
    text = _text(run, status=RunStatus.UPLOADING, chunks=chunks, waits_for="A file is missing.")
    assert "\nA file is missing.\n" in text
    assert "\nHow far it is\nPlanned\n5,000\nAccepted by SendGrid\n0\nConfirmed by its import jobs\n0\n" in text
    assert "\n1 of 2 chunks are done.\n" in text


def test_whether_the_list_is_ready_is_told(run: RunDetails) -> None:
    assert run.list_ready is ListReady.READY
    assert re.search(r"\nList is complete\nYes\.\nSince [^\n]*\.\n2 contacts, by SendGrid.s count\.\n", _text(run))
    why = NotConfirmed(code="unsteady", message="The count changed.")
    changes: dict[str, Any] = {
        "list_ready": ListReady.NOT_CONFIRMED,
        "list_ready_at": None,
        "list_not_confirmed": why,
    }
    told = "\nList is complete\nNot confirmed\\.\n2 contacts, by SendGrid.s count\\.\nThe count changed\\.\n"
    assert re.search(told, _text(run, **changes))
    assert "List is complete" not in _text(run, list_ready=None)


def test_how_old_the_extract_was_is_told(run: RunDetails) -> None:
    assert "\nAge of the extract then\n2 hr" in _text(run, extract_age_s=7200.0)
    assert "Age of the extract" not in _text(run, extract_age_s=None)


def test_leavers_that_wait_for_somebody_are_told(run: RunDetails) -> None:
    words = Words(language="en", zone=ZoneInfo("UTC"))
    told = f"\n{words.t('removals.waiting', count=30)}\n{words.t('removals.meaning')}\n"
    text = _text(run, removals_to_confirm=30)
    assert told in text
    assert f"\n{words.t('members.waiting')}\n30\n" in text
    assert words.t("removals.meaning") not in _text(run)


def test_a_warning_that_is_the_reason_is_told_once(run: RunDetails) -> None:
    assert run.reason is not None
    warnings = (run.reason.message, "Something else.")
    text = _text(run, warnings=warnings)
    assert (text.count(run.reason.message), text.count("Something else.")) == (1, 1)


def test_waits_for_sendgrid_are_told(run: RunDetails) -> None:
    assert "\nSendGrid never made the run wait.\n" in _text(run)
    waited = Throttling(waits=3, seconds=61)
    assert "\nChunks had to wait 3 times for SendGrid, 1 min, 1 sec in all;" in _text(run, throttling=waited)


def test_of_very_many_chunks_the_first_are_told(run: RunDetails) -> None:
    text = _text(run, deliveries=run.deliveries * (CHUNKS_SHOWN + 1000))
    assert text.count("\nadd or change\n") == CHUNKS_SHOWN
    assert "\n1,200 chunks\n" in text
    assert "\nand 1,000 more\n" in text


@pytest.mark.parametrize("language", languages())
def test_every_language_says_the_same_figures(run: RunDetails, language: str) -> None:
    words = Words(language=language, zone=ZoneInfo("UTC"))
    text = _text(run, language)
    assert f"\n{words.t('outcome.sent')}\n2\n" in text
    assert f"\n{words.t('run.stages')}\n" in text


def test_a_bar_is_divided_in_proportion_and_the_few_are_seen() -> None:
    counts = {"sent": 600_000, "pending": 0, "rejected": 200_000, "not_sent": 1}
    parts = [Part(key=key, label=key, value=value, text=str(value)) for key, value in counts.items()]
    bar = Bar.of("Rows", parts)
    assert [(each.part.key, each.x, each.width) for each in bar.drawn] == [
        ("sent", 0, 600),
        ("rejected", 600, 200),
        ("not_sent", 800, 2),
    ]
    assert (bar.width, bar.told) == (802, "Rows. sent: 600000; rejected: 200000; not_sent: 1")


def test_a_bar_of_nothing_is_not_drawn(run: RunDetails) -> None:
    stages = tuple(stage.model_copy(update={"seconds": 0}) for stage in run.stages)
    words = Words(language="en", zone=ZoneInfo("UTC"))
    page = render(run.model_copy(update={"stages": stages}), words, now=NOW)
    assert 'aria-label="Stages.' not in page
