"""A child between a stream of SQL and its reader: `python -m dbwatch.engines.mysql_sections MODE ...`, stdin to stdout.

ended                          reads all, writes nothing: 3 where the dump was cut off
short BYTES                    reads all, writes nothing: 5 where a line is too long for a statement of so many bytes
pick DATABASE [TABLE [INTO]]   the lines that a database or table needs: 4 where there is no such thing
plain                          all but the line that only MariaDB's newer clients understand
accounts [OBJECT ...]           answers of SHOW CREATE USER and SHOW GRANTS as statements, without rights on OBJECT
create | grant                 of these, what makes accounts, or what gives them rights
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dbwatch.core.backups import sections

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

CUT_OFF, NOT_FOUND, WRONG_USE, TOO_LONG = 3, 4, 2, 5
BLOCK_BYTES = 1024 * 1024
TAIL_BYTES = 256
BESIDE_BYTES = 64 * 1024  # of a statement, apart from a row that is long
LEAST_BYTES = 1024 * 1024  # rows that are short share a statement, up to so many
PACKET_UNIT_BYTES = 1024  # the server rounds down
TOO_LARGE = (
    "the set has a row that takes a statement of {needed} bytes, and the server takes {limit} (max_allowed_packet): "
    "nothing was restored -> SET GLOBAL max_allowed_packet = {needed}; there, or more, and restore again"
)
CUT = "the stream ends before its last line, which every whole dump has: it was cut off"


def main(arguments: list[str]) -> int:
    """Its exit code is the answer; a reader that is gone ends it like any filter."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    mode, *rest = arguments or [""]
    modes: dict[str, Callable[[], int]] = {
        "ended": lambda: _ended(source),
        "short": lambda: _short(source, int(rest[0])),
        "pick": lambda: _pick(source, target, rest),
        "plain": lambda: _plain(source, target),
        "accounts": lambda: _accounts(source, target, rest),
        "create": lambda: _part(source, target, sections.AccountPart.CREATE),
        "grant": lambda: _part(source, target, sections.AccountPart.GRANT),
    }
    if mode not in modes:
        return _said(f"no such mode: {mode}", WRONG_USE)
    code = modes[mode]()
    target.flush()
    return code


def _said(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _ended(source: BinaryIO) -> int:
    tail = b""
    while block := source.read(BLOCK_BYTES):
        tail = (tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]
    return _judged(tail)


def _short(source: BinaryIO, limit_bytes: int) -> int:
    """A row is a line at the most: one that is long stands in a statement of its own, behind its table's name."""
    length = longest = 0
    while block := source.read(BLOCK_BYTES):
        first, *others = block.split(b"\n")
        length += len(first)
        longest = max(longest, length, *map(len, others[:-1]))
        length = len(others[-1]) if others else length
    needed = max(longest + BESIDE_BYTES, length + BESIDE_BYTES, LEAST_BYTES)
    needed += -needed % PACKET_UNIT_BYTES
    return 0 if needed <= limit_bytes else _said(TOO_LARGE.format(limit=limit_bytes, needed=needed), TOO_LONG)


def _judged(tail: bytes) -> int:
    last = tail.rstrip(b"\n").rpartition(b"\n")[2]
    whole = tail.endswith(b"\n") and last.startswith(sections.ENDED)
    return 0 if whole else _said(CUT, CUT_OFF)


def _pick(source: BinaryIO, target: BinaryIO, rest: list[str]) -> int:
    plain = "--plain" in rest
    database, table, into = (*(word for word in rest if word != "--plain"), "", "", "")[:3]
    picker = sections.Picker(sections.Wanted(database, table, into, plain))
    tail = b""
    while block := source.read(BLOCK_BYTES):
        block += source.readline()
        target.write(picker.lines(block))
        tail = (tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]
    if code := _judged(tail):
        return code
    missing = f"table {table} of database {database}" if table else f"database {database}"
    return 0 if picker.found else _said(f"the dump holds no {missing}", NOT_FOUND)


def _plain(source: BinaryIO, target: BinaryIO) -> int:
    first = source.readline()
    target.write(b"" if sections.is_sandbox(first) else first)
    tail = first
    while block := source.read(BLOCK_BYTES):
        target.write(block)
        tail = (tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]
    return _judged(tail)


def _accounts(source: BinaryIO, target: BinaryIO, stranded: list[str]) -> int:
    names = [os.fsencode(name) for name in stranded]
    target.writelines(sections.account_statement(line, names) for line in source)
    target.write(sections.ENDED + b"\n")
    return 0


def _part(source: BinaryIO, target: BinaryIO, part: sections.AccountPart) -> int:
    line = b""
    for line in source:
        if sections.account_part(line) is part:
            target.write(line)
    return 0 if line.startswith(sections.ENDED) else _said(CUT, CUT_OFF)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
