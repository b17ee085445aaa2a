"""Messages in PostgreSQL's log by severity. Pure: bytes in, numbers out; no text of a log goes any further.

Each reader takes whole messages only: it also gives how many bytes they are, and the rest is for the next time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from string import ascii_letters
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Counted = tuple[Counter[str], int]

SEVERITIES = ("warning", "error", "fatal", "panic")
# PostgreSQL translates them in its log (lc_messages), in JSON too; a role may have another language than the server.
WORDS: Mapping[str, str] = {
    **{each.upper(): each for each in SEVERITIES},
    **dict.fromkeys(("ATTENTION", "WARNUNG", "ATTENZIONE"), "warning"),
    **dict.fromkeys(("ERREUR", "FEHLER", "ERRORE"), "error"),
    **dict.fromkeys(("FATALE",), "fatal"),
    **dict.fromkeys(("PANIK", "PANICO"), "panic"),
}
LANGUAGES = frozenset({"", "c", "posix", "en", "fr", "de", "es", "it"})
# What else begins a line of the plain format: other severities, and what belongs to the message before.
OTHERS = frozenset({
    *("DEBUG", "LOG", "INFO", "NOTICE", "HINWEIS", "NOTIFICA"),
    *("DETAIL", "HINT", "QUERY", "CONTEXT", "STATEMENT", "BACKTRACE", "LOCATION"),
    *("DÉTAIL", "ASTUCE", "REQUÊTE", "CONTEXTE", "INSTRUCTION", "EMPLACEMENT"),
    *("TIPP", "ANFRAGE", "ZUSAMMENHANG", "ANWEISUNG", "ORT"),
    *("DETALLE", "CONSULTA", "CONTEXTO", "SENTENCIA", "UBICACIÓN"),
    *("DETTAGLI", "SUGGERIMENTO", "CONTESTO", "ISTRUZIONE", "POSIZIONE"),
})  # fmt: skip
BEGINNINGS = frozenset(word.encode() for word in (*WORDS, *OTHERS))
LETTERS = f"{ascii_letters}_".encode() + bytes(range(0x80, 0x100))
COLON = b":  "
LONGEST_PREFIX = 1000
FIELD = rb'(?:"[^"]*(?:""[^"]*)*"|[^,"\n]*),'
TWELFTH_FIELD = re.compile(rb"(?:" + FIELD + rb"){11}([^,\n]*),")
BEGIN_OF_RECORD = re.compile(rb'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,"\n]+,', re.MULTILINE)


def is_known(language: str) -> bool:
    """Whether we know how a server with this lc_messages calls its severities."""
    return re.split(r"[_.@-]", language)[0].lower() in LANGUAGES


def of_stderr(data: bytes) -> Counted:
    """Lines of text, of which those that begin with a tab continue the one before."""
    found: Counter[bytes] = Counter()
    at, whole = 0, data.rfind(b"\n") + 1
    while (colon := data.find(COLON, at, whole)) >= 0:
        begin = max(at, data.rfind(b"\n", at, colon) + 1)
        at = data.find(b"\n", colon) + 1
        if not data.startswith(b"\t", begin):
            found[_first_word(data[begin : min(at, begin + LONGEST_PREFIX)])] += 1
    return _known(found), whole


def _first_word(line: bytes) -> bytes:
    """The first known one before such a colon says what the line is, whatever log_line_prefix puts before it."""
    pieces = (piece.removesuffix(b" ") for piece in line.split(COLON)[:-1])
    words = (piece[len(piece.rstrip(LETTERS)) :] for piece in pieces)
    return next((word for word in words if word in BEGINNINGS), b"")


def of_csv(data: bytes) -> Counted:
    """Records, which end at a line's end outside of quotes. What is no beginning of one (we came in between) is passed
    over.
    """
    found: Counter[bytes] = Counter()
    begin = at = _next_record(data, 0)
    is_quoted = False
    while (end := data.find(b"\n", at) + 1) > 0:
        is_quoted ^= data.count(b'"', at, end) % 2 == 1
        at = end
        if not is_quoted:
            severity = TWELFTH_FIELD.match(data, begin, end)
            found[severity[1] if severity else b""] += 1
            begin = at = _next_record(data, end)
    return _known(found), begin


def _next_record(data: bytes, begin: int) -> int:
    """Where the next record begins, here as a rule; where none does, the end of the last whole line."""
    match = BEGIN_OF_RECORD.match(data, begin) or BEGIN_OF_RECORD.search(data, begin)
    return match.start() if match else max(begin, data.rfind(b"\n") + 1)


def of_json(data: bytes) -> Counted:
    """An object a line: a newline in a text is written as such an escape."""
    found: Counter[bytes] = Counter()
    begin = 0
    while (end := data.find(b"\n", begin) + 1) > 0:
        found[_severity(data[begin:end])] += 1
        begin = end
    return _known(found), begin


def _severity(line: bytes) -> bytes:
    """Empty where it is no message: we may have come in between. The text may be in any encoding."""
    if not line.startswith(b"{"):
        return b""
    try:
        message = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return b""
    return str(message.get("error_severity", "")).encode() if isinstance(message, dict) else b""


def _known(found: Mapping[bytes, int]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for word, messages in found.items():
        severity = WORDS.get(word.decode("utf-8", "replace"))
        if severity:
            counted[severity] += messages
    return counted


# As log_destination calls them, the most exact one first.
READERS: Mapping[str, Callable[[bytes], Counted]] = {"jsonlog": of_json, "csvlog": of_csv, "stderr": of_stderr}
