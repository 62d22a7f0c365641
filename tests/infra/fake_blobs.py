"""A container of a storage account for the real az: block blobs with their metadata."""

from __future__ import annotations

import dataclasses
import hashlib
import http
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

MODIFIED = "Sat, 28 Nov 2026 09:15:00 GMT"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is answered to a request."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Blob:
    """A blob and its metadata."""

    content: bytes
    metadata: dict[str, str]


class Container:
    """Blobs by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.blobs: dict[str, Blob] = {}
        self._blocks: dict[str, bytes] = {}

    def answer(self, method: str, url: str, headers: Message[str, str], body: bytes) -> Answer | None:
        """None for what is not known here."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        name = unquote(parts.path).removeprefix(f"/{self.name}").removeprefix("/")
        known: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "list"): self._list,
            ("PUT", "block"): lambda: self._put_block(query["blockid"], body),
            ("PUT", "blocklist"): lambda: self._commit(name, headers, body),
            ("PUT", "metadata"): lambda: self._describe(name, headers),
            ("PUT", ""): lambda: self._put(name, headers, body),
            ("GET", ""): lambda: self._get(name, headers),
            ("DELETE", ""): lambda: self._delete(name),
        }
        does = known.get((method, query.get("comp", "")))
        return does() if does else None

    def _list(self) -> Answer:
        found = "".join(_listed(name, blob) for name, blob in sorted(self.blobs.items()))
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ContainerName="{self.name}"><Blobs>{found}</Blobs>'
            "<NextMarker /></EnumerationResults>"
        )
        return Answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _put(self, name: str, headers: Message[str, str], body: bytes) -> Answer:
        self.blobs[name] = Blob(body, _metadata(headers))
        return Answer(201, headers=_facts(body))

    def _put_block(self, number: str, body: bytes) -> Answer:
        self._blocks[number] = body
        return Answer(201)

    def _commit(self, name: str, headers: Message[str, str], body: bytes) -> Answer:
        numbers = re.findall(r"<Latest>(.*?)</Latest>", body.decode())
        return self._put(name, headers, b"".join(self._blocks[number] for number in numbers))

    def _describe(self, name: str, headers: Message[str, str]) -> Answer:
        self.blobs[name].metadata = _metadata(headers)
        return Answer(200, headers=_facts(self.blobs[name].content))

    def _get(self, name: str, headers: Message[str, str]) -> Answer:
        content = self.blobs[name].content
        first, last = (int(word or len(content)) for word in headers["x-ms-range"][len("bytes=") :].split("-"))
        part = content[first : last + 1]
        size = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"}
        return Answer(
            http.HTTPStatus.PARTIAL_CONTENT, part, _facts(content) | size | {"x-ms-blob-type": "BlockBlob"}
        )

    def _delete(self, name: str) -> Answer:
        del self.blobs[name]
        return Answer(202)


def refusal(status: int, code: str) -> Answer:
    """As storage refuses."""
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Answer(status, text.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code})


def _metadata(headers: Message[str, str]) -> dict[str, str]:
    return {
        name.lower().removeprefix("x-ms-meta-"): value
        for name, value in headers.items()
        if name.lower().startswith("x-ms-meta-")
    }


def _facts(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"', "Last-Modified": MODIFIED}


def _listed(name: str, blob: Blob) -> str:
    facts = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in blob.metadata.items())
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{MODIFIED}</Last-Modified>"
        f"<Content-Length>{len(blob.content)}</Content-Length><BlobType>BlockBlob</BlobType></Properties>"
        f"<Metadata>{facts}</Metadata></Blob>"
    )
