r"""The text of one file of an extract: UTF-8, with `\n` as the only line break.

Bytes that the encoding does not know stay recognisable: they become bytes that are not UTF-8. Nothing here
knows rows or columns.
"""

from __future__ import annotations

import codecs
import importlib
import re
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BlobChangedError, BlobMissingError, ExtractChangedError, RunEndError
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from shared.extracts.extract import ExtractFile
    from shared.storage.interfaces import ReadableBlobs

BLOCK_BYTES: Final = 4 << 20
"""Bytes asked of the store, and given out by a decompressor, at a time."""
PACKED_BYTES: Final = 16 << 10
"""Bytes given to a decompressor at the begin of a member; each next time twice as many."""
BLOCKS_AHEAD: Final = 2
DECODED_BYTES: Final = 1 << 18
"""Bytes decoded at a time to see whether they can be; fits the processor's cache."""
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
GZIP_WINDOW: Final = 31
"""`zlib`'s way to say: with a gzip header."""
UNDECODABLE: Final = "segment-export-undecodable"
"""Name of the codec error handler below."""
ESCAPED: Final = re.compile(rb'\\(["\\])')


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be decoded by a lone surrogate, which `surrogateescape` writes as a byte 0xFF."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(UNDECODABLE, _mark_undecodable)


def unreadable(file: ExtractFile, why: str) -> RunEndError:
    """The run ends because `file` is not what it should be; `why` goes on after "it"."""
    message = f"The file {file.name} cannot be read: it {why}."
    return RunEndError(ReasonCode.EXTRACT_UNREADABLE, message)


def read_range(blobs: ReadableBlobs, file: ExtractFile, *, offset: int, length: int) -> bytes:
    """Bytes of the pinned version of `file`. Raises ExtractChangedError."""
    try:
        return blobs.get_range(file.name, offset=offset, length=length, etag=file.etag)
    except (BlobChangedError, BlobMissingError):
        raise ExtractChangedError(f"{file.name} was replaced or removed while it was read") from None


def stored_blocks(blobs: ReadableBlobs, file: ExtractFile) -> Iterator[bytes]:
    """The file as it is stored; some blocks are asked for ahead."""
    with ThreadPoolExecutor(max_workers=BLOCKS_AHEAD, thread_name_prefix="read-ahead") as pool:
        asked: deque[Future[bytes]] = deque()
        for offset in range(0, file.size, BLOCK_BYTES):
            asked.append(pool.submit(read_range, blobs, file, offset=offset, length=BLOCK_BYTES))
            if len(asked) > BLOCKS_AHEAD:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


def unpacked_blocks(blobs: ReadableBlobs, file: ExtractFile) -> Iterator[bytes]:
    """The content of `file`, decompressed if it is compressed, whatever its name says."""
    return unpacked(stored_blocks(blobs, file), file)


def unpacked(blocks: Iterator[bytes], file: ExtractFile) -> Iterator[bytes]:
    """The content of what is stored in `blocks`."""
    first = next(blocks, b"")
    stored = _chain(first, blocks)
    if first.startswith(GZIP_MAGIC):
        return _gunzipped(stored, file)
    if first.startswith(ZSTD_MAGIC):
        return _unzstd(stored, file)
    return stored


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@dataclass
class _Parts:
    """Blocks in parts that grow, for at the end of a packed file's member what is left of its part is copied."""

    blocks: Iterable[bytes]
    size: int = PACKED_BYTES

    def __iter__(self) -> Iterator[bytes]:
        """The same bytes."""
        for block in self.blocks:
            start = 0
            while start < len(block):
                part = block[start : start + self.size]
                start += len(part)
                self.size = min(2 * self.size, BLOCK_BYTES)
                yield part

    def begin_member(self) -> None:
        """The next parts are small again: where one member ends soon, others may."""
        self.size = PACKED_BYTES


def _gunzipped(blocks: Iterable[bytes], file: ExtractFile) -> Iterator[bytes]:
    """All members of a gzip file. A damaged or cut-off one cannot be trusted for any row, so it is refused."""
    member = zlib.decompressobj(GZIP_WINDOW)
    parts = _Parts(blocks)
    try:
        for part in parts:
            rest = part
            if member.eof:
                rest = rest.lstrip(b"\0")  # some writers pad with zeros
            while rest:
                if member.eof:
                    member = zlib.decompressobj(GZIP_WINDOW)
                    parts.begin_member()
                yield member.decompress(rest, BLOCK_BYTES)
                rest = member.unconsumed_tail or member.unused_data.lstrip(b"\0")
    except zlib.error:
        raise unreadable(file, "is damaged gzip") from None
    if not member.eof:
        raise unreadable(file, "is gzip that ends too early")


def _unzstd(blocks: Iterable[bytes], file: ExtractFile) -> Iterator[bytes]:
    """All frames of a Zstandard file, with the same care."""
    zstd = importlib.import_module("backports.zstd")  # rarely needed
    frame = zstd.ZstdDecompressor()
    parts = _Parts(blocks)
    try:
        for part in parts:
            rest = part
            while rest or not (frame.eof or frame.needs_input):
                if frame.eof:
                    frame = zstd.ZstdDecompressor()
                    parts.begin_member()
                yield frame.decompress(rest, BLOCK_BYTES)
                rest = frame.unused_data if frame.eof else b""
    except zstd.ZstdError:
        raise unreadable(file, "is damaged Zstandard") from None
    if not frame.eof:
        raise unreadable(file, "is Zstandard that ends too early")


def plain_text(blocks: Iterable[bytes], encoding: str, *, backslash: bool = False) -> Iterator[bytes]:
    r"""The same text as UTF-8 without byte order marks, with `\n` as the only line break.

    Args:
        blocks: the text; they may begin and end anywhere.
        encoding: of the text, by Python's name.
        backslash: whether a backslash escapes quotation marks; they are doubled then, as RFC 4180 has it.
    """
    text = iter(blocks) if encoding == "utf-8" else _transcoded(blocks, encoding)
    plain = _with_plain_line_breaks(_without_marks(text))
    return _with_doubled_quotes(plain) if backslash else plain


def _transcoded(blocks: Iterable[bytes], codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)(UNDECODABLE)
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


def _without_marks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Without byte order marks: one begins a file, and stands in the middle where files were joined."""
    held = b""
    for block in blocks:
        text = held + block if held else block
        begun = next((n for n in (2, 1) if text.endswith(codecs.BOM_UTF8[:n])), 0)
        held = text[len(text) - begun :]
        text = text[: len(text) - begun] if begun else text
        marked = (
            codecs.BOM_UTF8[:1] in text and codecs.BOM_UTF8 in text
        )  # one byte is looked for ten times as fast
        yield text.replace(codecs.BOM_UTF8, b"") if marked else text
    if held:
        yield held


def _with_doubled_quotes(blocks: Iterable[bytes]) -> Iterator[bytes]:
    r"""With `""` for `\"` and `\` for `\\`."""
    held = b""
    for block in blocks:
        text = held + block
        trailing = len(text) - len(text.rstrip(b"\\"))
        held = b"\\" if trailing % 2 else b""
        yield ESCAPED.sub(_unescaped, text[: len(text) - len(held)])
    if held:
        yield held


def _unescaped(escaped: re.Match[bytes]) -> bytes:
    return b'""' if escaped[1] == b'"' else escaped[1]


def _with_plain_line_breaks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        text = held + block if held else block
        held = b""
        if b"\r" in text:
            if text.endswith(b"\r"):
                text, held = text[:-1], b"\r"
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield text
    if held:
        yield b"\n"


def without_head(blocks: Iterator[bytes], skipped: int) -> Iterator[bytes]:
    """The blocks without their first `skipped` bytes."""
    for block in blocks:
        yield block[skipped:]
        skipped -= len(block)
        if skipped <= 0:
            break
    yield from blocks


def is_utf8(text: bytes) -> bool:
    """Whether `text` is valid UTF-8."""
    return first_undecodable(text) is None


def first_undecodable(text: bytes) -> int | None:
    """Where `text` stops being UTF-8; None if it is. Takes it in small parts, for decoding costs a multiple."""
    if text.isascii():
        return None
    view = memoryview(text)
    start = 0
    try:
        while start < len(text):
            end = start + DECODED_BYTES
            start += codecs.utf_8_decode(view[start:end], "strict", end >= len(text))[1]
    except UnicodeDecodeError as error:
        return start + error.start
    return None
