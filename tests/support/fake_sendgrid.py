"""SendGrid in memory, as a client of the app sees it, with a place for faults."""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID

from shared.sendgrid.api import NoResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import SecretStr

    from shared.model.definitions import Region
    from shared.sendgrid.api import Request

LIST_ID = UUID("11111111-2222-4333-8444-555555555555")
KEY = "SG.first-key"
EXPORT_URL = "https://files.s3.amazonaws.com/secret-address/"


@dataclass
class Job:
    """An import job of the fake."""

    contacts: list[dict[str, Any]]
    list_ids: list[str]
    removes: bool = False
    looks: int = 0
    created: int | None = None
    """Contacts that were new; None until it has ended."""


@dataclass
class ContactExport:
    """An export of the fake: who was on the list when it was asked for."""

    emails: list[str]
    looks: int = 0


@dataclass
class FakeSendGrid:
    """Behaves: accepts upserts, applies them when their job is looked at, answers with SendGrid's bodies."""

    keys: set[str] = field(default_factory=lambda: {KEY})
    scopes: list[str] = field(default_factory=lambda: ["marketing.read", "marketing.write"])
    lists: dict[str, set[str]] = field(default_factory=lambda: {str(LIST_ID): set()})
    list_names: dict[str, str] = field(default_factory=dict)
    """Those of the lists that are not called List."""
    custom_fields: list[dict[str, str]] = field(default_factory=list)
    looks_until_done: int = 2
    jobs: dict[str, Job] = field(default_factory=dict)
    upserts: list[list[str]] = field(default_factory=list)
    removals: list[list[str]] = field(default_factory=list)
    fault: Callable[[Request, int], Response | NoResponse | None] = lambda _request, _number: None
    """Asked first, with the number of the request: an answer, or None to behave."""
    job_answer: Callable[[str, Job], dict[str, Any] | None] = lambda _id, _job: None
    """Asked for a job's document: one, or None to behave."""
    errors: bytes = b""
    """The error file of every job, if it is to say something."""
    exports: list[ContactExport] = field(default_factory=list)
    export_answer: Callable[[ContactExport], dict[str, Any] | None] = lambda _export: None
    """Asked for an export's document: one, or None to behave."""
    export_files: Callable[[list[str]], list[bytes]] = lambda emails: [export_file(emails)]
    """The files of an export of these addresses."""
    read: Callable[[str], Iterator[bytes] | None] = lambda _url: None
    """Asked for the file of an export: its blocks, or None to behave."""
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Response | NoResponse:
        del region
        self.requests += 1
        if faulty := self.fault(request, self.requests):
            return faulty
        if key.get_secret_value() not in self.keys:
            return answer(401, {"errors": [{"field": None, "message": "authorization required"}]})
        return self.behave(request)

    def behave(self, request: Request) -> Response:
        """What SendGrid does with a request that it takes."""
        match request.path.split("/")[2:]:
            case ["scopes"]:
                found = answer(200, {"scopes": self.scopes})
            case ["marketing", lists, *rest] if lists.partition("?")[0] == "lists":
                found = self._of_lists(lists.partition("?")[2], rest)
            case ["marketing", "field_definitions"]:
                found = answer(200, {"custom_fields": self.custom_fields, "reserved_fields": []})
            case ["marketing", "contacts", "count"]:
                found = answer(200, {"contact_count": len(self.contacts), "billable_count": len(self.contacts)})
            case ["marketing", "contacts", "search", "emails"]:
                found = self.search(json.loads(request.body or b"")["emails"])
            case ["marketing", "contacts"]:
                found = self.accept(json.loads(request.body or b""))
            case ["marketing", "contacts", "exports", *rest]:
                found = self._export(rest[0]) if rest else self._start_export(json.loads(request.body or b""))
            case ["marketing", "contacts", "imports", job]:
                found = self._job(job)
            case _:
                found = answer(404, {"errors": [{"message": "not found"}]})
        return found

    def _of_lists(self, query: str, rest: list[str]) -> Response:
        match rest:
            case []:
                return self._page(query)
            case [list_id] | [list_id, "contacts", "count"]:
                return self._list(list_id)
            case [list_id, contacts]:
                return self.remove(list_id, contacts.partition("=")[2].split(","))
            case _:
                return answer(404, {"errors": [{"message": "not found"}]})

    def download(self, url: str) -> Response | NoResponse:
        return Response(status=200, body=self.errors or f"errors of {url}".encode())

    def read_file(self, url: str) -> Iterator[bytes]:
        """Give the file in small blocks."""
        if special := self.read(url):
            yield from special
            return
        number, _, file = url.removeprefix(EXPORT_URL).partition("/")
        data = self.export_files(self.exports[int(number)].emails)[int(file)]
        yield from (data[start : start + 100] for start in range(0, len(data), 100))

    def _start_export(self, wish: dict[str, Any]) -> Response:
        assert wish["notifications"] == {"email": False}
        (list_id,) = wish["list_ids"]
        if list_id not in self.lists:
            return answer(404, {"errors": [{"message": "list not found"}]})
        self.exports.append(ContactExport(emails=sorted(self.lists[list_id])))
        return answer(202, {"id": str(len(self.exports) - 1)})

    def _export(self, number: str) -> Response:
        if int(number) >= len(self.exports):
            return answer(404, {"errors": [{"message": "export not found"}]})
        export = self.exports[int(number)]
        export.looks += 1
        if special := self.export_answer(export):
            return answer(200, special)
        if export.looks < self.looks_until_done:
            return answer(200, {"id": number, "status": "pending", "urls": []})
        urls = [f"{EXPORT_URL}{number}/{file}" for file in range(len(self.export_files(export.emails)))]
        return answer(200, {"id": number, "status": "ready", "urls": urls, "contact_count": len(export.emails)})

    def accept(self, body: dict[str, Any]) -> Response:
        self.upserts.append([contact["email"] for contact in body["contacts"]])
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = Job(contacts=body["contacts"], list_ids=body["list_ids"])
        return answer(202, {"job_id": job})

    def search(self, addresses: list[str]) -> Response:
        assert len(addresses) <= 100
        found = {
            address: {
                "contact": {
                    "id": contact_id(address),
                    "email": address,
                    "list_ids": [name for name, members in self.lists.items() if address in members],
                }
            }
            for address in addresses
            if address in self.contacts
        }
        missing = {address: {"error": "contact not found"} for address in addresses if address not in found}
        return answer(200, {"result": found | missing}) if found else answer(404, {"errors": []})

    def remove(self, list_id: str, ids: list[str]) -> Response:
        assert len(ids) <= 100
        by_id = {contact_id(address): address for address in self.contacts}
        if not all(each in by_id for each in ids):
            return answer(404, {"errors": [{"message": "one or more contact ids do not exist"}]})
        self.removals.append([by_id[each] for each in ids])
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = Job(contacts=[{"email": by_id[each]} for each in ids], list_ids=[list_id], removes=True)
        return answer(202, {"job_id": job})

    def _list(self, list_id: str) -> Response:
        if list_id not in self.lists:
            return answer(404, [{"message": "list not found"}])
        return answer(200, self._described(list_id))

    def _described(self, list_id: str) -> dict[str, Any]:
        name = self.list_names.get(list_id, "List")
        return {"id": list_id, "name": name, "contact_count": len(self.lists[list_id])}

    def _page(self, query: str) -> Response:
        """Lists by id, as many as are asked for."""
        asked = dict(parse_qsl(query))
        size, start = int(asked["page_size"]), int(asked.get("page_token", "0"))
        ids = sorted(self.lists)
        further = f"https://api.sendgrid.com/v3/marketing/lists?page_size={size}&page_token={start + size}"
        links = {"next": further} if start + size < len(ids) else {}
        return answer(
            200, {"result": [self._described(each) for each in ids[start : start + size]], "_metadata": links}
        )

    def _job(self, job_id: str) -> Response:
        job = self.jobs.get(job_id)
        if job is None:
            return answer(404, {"errors": [{"message": "job not found"}]})
        job.looks += 1
        if special := self.job_answer(job_id, job):
            return answer(200, special)
        if job.looks < self.looks_until_done:
            return answer(200, {"id": job_id, "status": "pending", "results": {}})
        if job.created is None:
            job.created = len({contact["email"] for contact in job.contacts} - self.contacts.keys())
        self.apply(job)
        if job.removes:
            return answer(200, {"id": job_id, "status": "completed", "results": {}})
        known = len(job.contacts) - job.created
        results = {"requested_count": len(job.contacts), "created_count": job.created, "updated_count": known}
        return answer(200, {"id": job_id, "status": "completed", "results": results})

    def apply(self, job: Job) -> None:
        if job.removes:
            for list_id in job.list_ids:
                self.lists[list_id] -= {contact["email"] for contact in job.contacts}
            return
        for contact in job.contacts:
            self.contacts[contact["email"]] = contact
            for list_id in job.list_ids:
                self.lists[list_id].add(contact["email"])


def contact_id(address: str) -> str:
    """The id that the fake gives a contact."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, address))


def export_file(emails: Iterable[str], *, packed: bool = True) -> bytes:
    """A file of an export of the fake, with columns that nobody asks for."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["EMAIL", "FIRST_NAME", "CONTACT_ID", "HAT"])
    writer.writerows([email, 'of "many"\nlines', contact_id(email), ""] for email in emails)
    data = text.getvalue().encode()
    return gzip.compress(data) if packed else data


def is_upsert(request: Request) -> bool:
    """Whether it brings contacts."""
    return request.method == "PUT"


def answer(status: int, document: object, **headers: str) -> Response:
    """An answer with a JSON body; header names are given with underscores."""
    return Response(
        status=status,
        body=json.dumps(document).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
