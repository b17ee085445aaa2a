"""One gzip member out of pieces that are compressed apart and kept. Pure (but for the CPU that it costs).

A piece is a raw deflate stream that ends at a byte boundary without being final, so that pieces can be put one behind
the other; their checksums combine. Of a page of 10,000 tables only what has changed since is compressed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LEVEL = 1  # as fast as level 0 on exposition text, and a third smaller; level 3 takes seven times as long
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, unknown system
FINAL_BLOCK = b"\x03\x00"  # an empty deflate block that says: the last one
ALONE_BYTES = 32 * 1024  # a chunk of this size is a piece of its own
GROUP_BYTES = 64 * 1024  # smaller ones are gathered, at a family's head if possible: each piece starts a new dictionary
GROUP_MAX_BYTES = 256 * 1024

Group = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A group of chunks, compressed."""

    deflated: bytes
    checksum: int
    plain_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A complete gzip member."""

    body: bytes
    plain_bytes: int


class Compressor:
    """Compresses page after page, and remembers the pieces of the last one."""

    def __init__(self) -> None:
        self._pieces: dict[Group, Piece] = {}

    def member(self, chunks: Iterable[bytes]) -> Member:
        """One member of all the chunks. Only one thread may be in here at a time."""
        kept: dict[Group, Piece] = {}
        pieces = []
        for group in groups(chunks):
            # Hashing a group is cheap (a bytes object remembers its hash). The key is the new object even where it is
            # equal to the old one, so that the store's old text is not kept alive beside its new text.
            piece = self._pieces.get(group) or compressed(group)
            kept[group] = piece
            pieces.append(piece)
        self._pieces = kept
        return joined(pieces)


def groups(chunks: Iterable[bytes]) -> Iterator[Group]:
    """Cut a page into the groups that are compressed apart."""
    pending: list[bytes] = []
    pending_bytes = 0
    for chunk in chunks:
        at_head = chunk.startswith(b"# ")
        if pending and (_is_full(pending_bytes, at_head=at_head) or len(chunk) >= ALONE_BYTES):
            yield tuple(pending)
            pending, pending_bytes = [], 0
        pending.append(chunk)
        pending_bytes += len(chunk)
    if pending:
        yield tuple(pending)


def _is_full(pending_bytes: int, *, at_head: bool) -> bool:
    return pending_bytes >= (GROUP_BYTES if at_head else GROUP_MAX_BYTES)


def compressed(group: Group) -> Piece:
    """Other threads run meanwhile: isal releases the interpreter lock."""
    text = group[0] if len(group) == 1 else b"".join(group)
    stream = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -15)
    deflated = stream.compress(text) + stream.flush(isal_zlib.Z_SYNC_FLUSH)
    return Piece(deflated, isal_zlib.crc32(text), len(text))


def joined(pieces: Sequence[Piece]) -> Member:
    checksum = plain_bytes = 0
    for piece in pieces:
        checksum = isal_zlib.crc32_combine(checksum, piece.checksum, piece.plain_bytes)
        plain_bytes += piece.plain_bytes
    trailer = checksum.to_bytes(4, "little") + (plain_bytes & 0xFFFFFFFF).to_bytes(4, "little")
    return Member(b"".join([HEADER, *(piece.deflated for piece in pieces), FINAL_BLOCK, trailer]), plain_bytes)
