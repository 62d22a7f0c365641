import csv
import gzip
import io
import json

import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Outcome
from tests.support.simulated import CONTACTS, InMemorySendGrid, Json

ANN = {"email": "ann@example.com", "first_name": "Ann", "alternate_emails": ["lee@example.com"]}
BOB = {"email": "bob@example.com"}
EXPORTS = f"{CONTACTS}/exports"
HOURS_72 = 72 * 3600


@pytest.fixture
def filled(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.upsert(ANN, BOB)
    sendgrid.upsert({"email": "eve@example.com"}, list_ids=[])
    return sendgrid


def ready(sendgrid: InMemorySendGrid, **members: object) -> Json:
    export_id = sendgrid.start_export(**members)
    sendgrid.clock.pass_(1)
    return sendgrid.export(export_id)


def unpacked(sendgrid: InMemorySendGrid, export: Json) -> list[str]:
    return [gzip.decompress(sendgrid.download(url).content).decode() for url in export["urls"]]


def rows(sendgrid: InMemorySendGrid, export: Json) -> list[dict[str, str]]:
    return [row for text in unpacked(sendgrid, export) for row in csv.DictReader(io.StringIO(text, newline=""))]


def inject(sendgrid: InMemorySendGrid, outcome: Outcome) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.JOB, method="POST", path=EXPORTS, outcome=outcome))


def test_an_export_is_pending_without_files_at_first(filled: InMemorySendGrid) -> None:
    export = filled.export(filled.start_export())
    assert (export["status"], export["urls"], "contact_count" in export) == ("pending", [], False)


def test_an_export_of_a_list_has_its_contacts_with_their_ids(filled: InMemorySendGrid) -> None:
    export = ready(filled)
    ids = {row["EMAIL"]: row["CONTACT_ID"] for row in rows(filled, export)}
    assert (export["status"], export["contact_count"]) == ("ready", 2)
    assert ids == {each["email"]: each["id"] for each in filled.control.contacts(filled.list_id)}


def test_an_export_of_no_list_has_everybody(filled: InMemorySendGrid) -> None:
    assert len(rows(filled, ready(filled, list_ids=[]))) == 3


def test_who_is_on_two_lists_stands_in_an_export_once(filled: InMemorySendGrid) -> None:
    other = filled.control.create_list("Winter")
    filled.upsert(ANN, list_ids=[other])
    assert len(rows(filled, ready(filled, list_ids=[filled.list_id, other]))) == 2


def test_an_export_of_an_empty_list_has_a_file_without_rows(sendgrid: InMemorySendGrid) -> None:
    (text,) = unpacked(sendgrid, ready(sendgrid))
    assert text.count("\n") == 1


def test_what_is_absent_is_not_even_quoted(filled: InMemorySendGrid) -> None:
    (text,) = unpacked(filled, ready(filled))
    head, *lines = text.splitlines()
    assert head.startswith('"EMAIL","FIRST_NAME","LAST_NAME","ADDRESS_LINE_1"')
    assert '"ann@example.com","Ann",,,,,,,,"lee@example.com",,,,,,' in {line[:54] for line in lines}


def test_custom_fields_are_columns_by_their_names(filled: InMemorySendGrid) -> None:
    field = filled.control.create_custom_field("shoe", "Number")
    filled.upsert(ANN | {"custom_fields": {field: 42}})
    assert {row["EMAIL"]: row["SHOE"] for row in rows(filled, ready(filled))} == {
        "ann@example.com": "42",
        "bob@example.com": "",
    }


def test_an_export_can_be_json(filled: InMemorySendGrid) -> None:
    (text,) = unpacked(filled, ready(filled, file_type="json"))
    assert {json.loads(line)["email"] for line in text.splitlines()} == {"ann@example.com", "bob@example.com"}


def test_an_export_can_come_in_several_files_with_a_head_each(filled: InMemorySendGrid) -> None:
    filled.control.configure(export_file_contacts=1)
    export = ready(filled, list_ids=[])
    assert (len(export["urls"]), len(rows(filled, export))) == (3, 3)


def test_an_export_is_cut_where_it_exceeds_the_wanted_size(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(*({"external_id": f"{number}", "postal_code": "x" * 400_000} for number in range(5)))
    export = ready(sendgrid, max_file_size=1)
    assert [text.count("\n") - 1 for text in unpacked(sendgrid, export)] == [2, 2, 1]


def test_an_export_can_be_uncompressed_in_spite_of_its_name(filled: InMemorySendGrid) -> None:
    filled.control.configure(uncompressed_share=1)
    (url,) = ready(filled)["urls"]
    assert (".csv.gz?" in url, filled.download(url).text.startswith('"EMAIL"')) == (True, True)


def test_an_export_shows_the_contacts_as_they_were_when_it_was_ready(filled: InMemorySendGrid) -> None:
    export = ready(filled)
    filled.upsert({"email": "cid@example.com"})
    assert len(rows(filled, export)) == 2


def test_a_file_is_kept_from_those_without_its_signature(filled: InMemorySendGrid) -> None:
    (url,) = ready(filled)["urls"]
    answer = filled.download(url.partition("?")[0])
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


def test_a_file_is_kept_from_those_who_send_a_key_along(filled: InMemorySendGrid) -> None:
    (url,) = ready(filled)["urls"]
    assert filled.download(url, Authorization="Bearer x").status_code == 400


def test_a_file_that_is_not_there_is_not_found(filled: InMemorySendGrid) -> None:
    (url,) = ready(filled)["urls"]
    assert filled.download(url.replace("contacts_1", "contacts_2")).status_code == 404


@pytest.mark.parametrize(("after", "status"), [(HOURS_72 - 2, 200), (HOURS_72 - 1, 403)])
def test_files_can_be_fetched_for_72_hours(filled: InMemorySendGrid, after: int, status: int) -> None:
    (url,) = ready(filled)["urls"]
    filled.clock.pass_(after)
    assert filled.download(url).status_code == status


def test_an_export_can_fail(filled: InMemorySendGrid) -> None:
    inject(filled, Outcome.FAILED)
    export = ready(filled)
    assert (export["status"], export["urls"], bool(export["message"])) == ("failure", [], True)


def test_an_export_can_stay_pending(filled: InMemorySendGrid) -> None:
    inject(filled, Outcome.PENDING_FOREVER)
    assert ready(filled)["status"] == "pending"


def test_an_export_can_vanish(filled: InMemorySendGrid) -> None:
    inject(filled, Outcome.VANISHES)
    export_id = filled.start_export()
    assert filled.api.get(f"{EXPORTS}/{export_id}").status_code == 404


def test_all_exports_are_listed_newest_first(filled: InMemorySendGrid) -> None:
    first, second = ready(filled), filled.export(filled.start_export(list_ids=[]))
    listed = filled.api.get(EXPORTS).json()["result"]
    assert [(each["id"], each["status"], each["export_type"]) for each in listed] == [
        (second["id"], "pending", "contacts_export"),
        (first["id"], "ready", "list_export"),
    ]
    assert listed[1]["lists"] == [{"ID": filled.list_id, "Name": "Customers"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_type": "xml"},
        {"max_file_size": 0},
        {"max_file_size": "1"},
        {"list_ids": "x"},
        {"list_ids": ["x"]},
        {"segment_ids": "x"},
        {"notifications": True},
    ],
)
def test_an_export_that_makes_no_sense_is_refused(sendgrid: InMemorySendGrid, wrong: Json) -> None:
    assert sendgrid.api.post(EXPORTS, json=wrong).status_code == 400
