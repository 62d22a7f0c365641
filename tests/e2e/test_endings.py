"""Whatever is wrong, a run comes to an end that says so, its counts add up, and the list holds who was sent."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Naming, Outcome
from tests.support.running_app import Json, RunningApp, SavedExport, StartedRun, wait_for_all

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A situation and what must come of it."""

    prepare: Callable[[RunningApp], SavedExport]
    status: str
    code: str
    says: str = ""
    """What the reason must name, so that a person can act on it."""
    on_list: tuple[str, ...] = ()
    rejected: dict[str, int] | None = None


def with_deleted_list(running: RunningApp) -> SavedExport:
    export = running.export_of(ANN)
    running.cloud.simulator.delete_list(export.list_id)
    return export


def with_revoked_key(running: RunningApp) -> SavedExport:
    key = running.key()
    running.cloud.simulator.revoke_key(key)
    return running.export_of(ANN, connection=running.connection(secret_name=running.secret(key)))


def with_scopes(*scopes: str) -> Callable[[RunningApp], SavedExport]:
    def prepare(running: RunningApp) -> SavedExport:
        return running.export_of(
            ANN, connection=running.connection(secret_name=running.secret(running.key(scopes)))
        )

    return prepare


def with_secret(key: str) -> Callable[[RunningApp], SavedExport]:
    return lambda running: running.export_of(ANN, connection=running.connection(secret_name=running.secret(key)))


def with_forbidden_secret(running: RunningApp) -> SavedExport:
    secret = running.secret()
    running.cloud.vault.forbid(secret)
    return running.export_of(ANN, connection=running.connection(secret_name=secret))


def mapped(**mapping: object) -> Callable[[RunningApp], SavedExport]:
    return lambda running: running.export_of(ANN, mapping={"email": "EMail"} | mapping)


def delivered(data: str | bytes, **changes: object) -> Callable[[RunningApp], SavedExport]:
    return lambda running: running.export(running.deliver(data), **changes)


def with_refused_contact(running: RunningApp) -> SavedExport:
    email = running.name("refused").lower() + "@example.com"
    fault = Fault(kind=FaultKind.REFUSE_CONTACTS, emails=(email,), naming=Naming.ADDRESS, times=None)
    running.cloud.simulator.inject(fault)
    return running.export_of(ANN, email, BOB)


def with_everybody_refused(running: RunningApp) -> SavedExport:
    emails = [f"{running.name('refused').lower()}@example.com" for _ in range(2)]
    fault = Fault(kind=FaultKind.REFUSE_CONTACTS, emails=tuple(emails), naming=Naming.ADDRESS, times=None)
    running.cloud.simulator.inject(fault)
    return running.export_of(*emails)


def with_errored_contact(running: RunningApp) -> SavedExport:
    email = running.name("errored").lower() + "@example.com"
    running.cloud.simulator.inject(Fault(kind=FaultKind.JOB, emails=(email,), outcome=Outcome.ERRORED))
    return running.export_of(ANN, email, BOB)


ENDINGS = {
    # the account
    "list deleted": Ending(prepare=with_deleted_list, status="failed", code="list_missing", says="list_id"),
    "key revoked": Ending(prepare=with_revoked_key, status="failed", code="key_refused", says="Key Vault"),
    "key without scopes": Ending(
        prepare=with_scopes("mail.send"), status="failed", code="scope_missing", says="marketing.*"
    ),
    "key without any scope": Ending(prepare=with_scopes(), status="failed", code="scope_missing"),
    "key may only read": Ending(prepare=with_scopes("marketing.read"), status="failed", code="scope_missing"),
    # the vault
    "secret missing": Ending(
        prepare=lambda running: running.export_of(ANN, connection=running.connection(secret_name="none-such")),
        status="failed",
        code="secret_missing",
        says="none-such",
    ),
    "secret empty": Ending(prepare=with_secret(" "), status="failed", code="secret_empty"),
    "secret forbidden": Ending(
        prepare=with_forbidden_secret, status="failed", code="secret_forbidden", says="Key Vault Secrets User"
    ),
    # the mapping
    "column missing": Ending(
        prepare=mapped(first_name="FirstName"), status="failed", code="column_missing", says="FirstName"
    ),
    "custom field missing": Ending(
        prepare=mapped(custom_fields={"shoe_size": "EMail"}),
        status="failed",
        code="custom_field_missing",
        says="shoe_size",
    ),
    # the extract
    "extract missing": Ending(
        prepare=lambda running: running.export("NeverDelivered"),
        status="failed",
        code="extract_missing",
        says="NeverDelivered",
    ),
    "header only": Ending(prepare=delivered("EMail\n"), status="skipped", code="extract_empty"),
    "no bytes": Ending(prepare=delivered(""), status="skipped", code="extract_empty"),
    "not a CSV": Ending(
        prepare=delivered(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 40),
        status="failed",
        code="extract_unreadable",
    ),
    "a ZIP archive": Ending(
        prepare=delivered(b"PK\x03\x04" + bytes(1000)), status="failed", code="extract_unreadable"
    ),
    "a web page": Ending(
        prepare=delivered("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"),
        status="failed",
        code="extract_unreadable",
    ),
    "too few and too many values": Ending(
        prepare=delivered(f"EMail,City\n{ANN},Rome\n{EVE}\n{EVE},Rome,Italy\n{BOB},Oslo\n"),
        status="completed_with_warnings",
        code="many_rejected",
        says="2 row_malformed",
        on_list=(ANN, BOB),
        rejected={"row_malformed": 2},
    ),
    "no valid address": Ending(
        prepare=delivered("CustomerId,EMail\n1,nobody\n2,\n3,x@y\n"),
        status="failed",
        code="no_valid_contact",
        says="2 email_invalid",
        rejected={"email_invalid": 2, "email_missing": 1},
    ),
    "more than allowed": Ending(
        prepare=delivered(f"EMail\n{ANN}\n{BOB}\n{EVE}\n", max_contacts=2),
        status="skipped",
        code="too_many_contacts",
        says="3",
    ),
    "as many as allowed": Ending(
        prepare=delivered(f"EMail\n{ANN}\n{BOB}\n{ANN.upper()}\n", max_contacts=2),
        status="succeeded",
        code="done",
        on_list=(ANN, BOB),
    ),
    # the import
    "contact refused by address": Ending(
        prepare=with_refused_contact,
        status="completed_with_warnings",
        code="contacts_missing",
        on_list=(ANN, BOB),
        rejected={"refused_by_sendgrid": 1},
    ),
    "everybody refused": Ending(
        prepare=with_everybody_refused,
        status="failed",
        code="contacts_missing",
        rejected={"refused_by_sendgrid": 2},
    ),
    "contact failed by the job": Ending(
        prepare=with_errored_contact,
        status="completed_with_warnings",
        code="contacts_missing",
        on_list=(ANN, BOB),
        rejected={"sendgrid_import_error": 1},
    ),
}


@pytest.fixture(scope="module")
def runs(running: RunningApp) -> dict[str, tuple[SavedExport, StartedRun, Json]]:
    """All situations at once; each has an export, a list and a key of its own. Their runs are over."""
    exports = {name: ending.prepare(running) for name, ending in ENDINGS.items()}
    started = {name: export.start() for name, export in exports.items()}
    over = dict(zip(started, wait_for_all(started.values()), strict=True))
    running.cloud.simulator.clear_faults()
    return {name: (exports[name], started[name], over[name]) for name in ENDINGS}


type Runs = dict[str, tuple[SavedExport, StartedRun, Json]]

situations = pytest.mark.parametrize("name", ENDINGS)


@situations
def test_a_run_ends_with_the_reason(runs: Runs, name: str) -> None:
    assert runs[name][2]["status"] == ENDINGS[name].status
    reason = runs[name][2]["reason"]
    assert (reason["code"], ENDINGS[name].says in reason["message"]) == (ENDINGS[name].code, True)


@situations
def test_every_row_has_one_outcome(runs: Runs, name: str) -> None:
    counts = runs[name][2]["counts"]
    outcomes = ("sent", "duplicate", "rejected", "not_sent")
    assert counts["rows_read"] == sum(counts[outcome] for outcome in outcomes)
    assert counts["rejected"] == sum(counts["rejected_by_reason"].values())


@situations
def test_who_counts_as_sent_is_on_the_list(runs: Runs, name: str) -> None:
    export, _, run = runs[name]
    if name == "list deleted":
        assert run["counts"]["sent"] == 0
    else:
        on_list = export.emails()
        assert (on_list, run["counts"]["sent"]) == (sorted(ENDINGS[name].on_list), len(on_list))


@pytest.mark.parametrize("name", [name for name, ending in ENDINGS.items() if ending.rejected])
def test_rejected_rows_are_counted_by_reason(runs: Runs, name: str) -> None:
    assert runs[name][2]["counts"]["rejected_by_reason"] == ENDINGS[name].rejected


@pytest.mark.parametrize("name", ["too few and too many values", "no valid address"])
def test_rejected_rows_are_listed_as_often_as_they_are_counted(runs: Runs, name: str) -> None:
    _, started, run = runs[name]
    assert len(started.rejected()) == run["counts"]["rejected"]


def test_nobody_is_sent_when_there_are_more_than_allowed(running: RunningApp, runs: Runs) -> None:
    assert running.count_upserts(runs["more than allowed"][0].list_id) == 0


def test_a_run_that_is_over_leaves_no_marker(running: RunningApp, runs: Runs) -> None:
    exports = {export.id for export, _, _ in runs.values()}
    assert [name for name in running.read_all("active/") if name.split("/")[1] in exports] == []
