"""Why a program failed, from how it ended and what it said last. Pure.

The texts are English: every program runs with the locale C.UTF-8. What is told to people holds no query, no value of a
row, no address of a client and no password.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST = 400
REDACTED = "***"
SHORTEST_SECRET = 3
TEXTS: tuple[tuple[JobReason, str], ...] = (
    # The first that is found tells it: what is exact stands before what is vague.
    (
        JobReason.DISK_FULL,
        r"no space left on device|disk quota exceeded|err(code|no):? 28\b|error 28\b|enospc|error:? 1114\b",
    ),
    (JobReason.NO_KEY, r"no matching keys?|cannot (read|use) the key in|no key is in"),
    (
        JobReason.AUTH,
        (
            r"password authentication failed|(peer|ident|gss|ldap|cert|pam|radius)\w* authentication failed"
            r"|no password supplied|no pg_hba\.conf entry|error:? 1045\b|error 1698\b|using password: (yes|no)"
        ),
    ),
    (JobReason.LOCK, r"lock timeout|lock wait timeout|could not obtain lock|deadlock (detected|found)"),
    (
        JobReason.PERMISSION,
        (
            r"permission denied for|must be (owner|superuser|a member)|need \(at least one of\)"
            r"|row-level security policy|access denied for user|access denied; you need"
            r"|command denied to user|insufficient privilege|permission denied to "
        ),
    ),
    (JobReason.DEADLINE, r"due to (statement|transaction) timeout"),
    (JobReason.KILLED, r"terminated by user|worker process died|terminated by signal"),
    (
        JobReason.LOST,
        (
            r"server closed the connection|terminating connection due to|lost connection to|server has gone away"
            r"|connection to server was lost|ssl syscall error: eof|connection not open|no connection to the server"
            r"|connection was killed|query execution was interrupted|canceling statement due to user request"
            r"|connection reset by peer|could not receive data from server|in recovery mode"
        ),
    ),
    (JobReason.CLIENT_OLDER, r"server version mismatch|unsupported version \(|newer than this program"),
    (
        JobReason.UNREACHABLE,
        (
            r"could not connect to|connection refused|could not translate host name|starting up|shutting down"
            r"|can't connect to|too many connections|too many clients|unknown (mysql |mariadb )?server host"
            r"|connection timed out|timeout expired|remaining connection slots|connection to server .* failed"
            r"|name or service not known"
        ),
    ),
    (
        JobReason.NO_EXTENSION,
        (
            r"extension \"[^\"]*\" is not available|could not open extension control file"
            r"|could not access file \"\$libdir|required extension|error 1524\b|plugin '[^']*' is not loaded"
            r"|(via|in) \"?shared_preload_libraries|must be preloaded"
            r"|collation \"pg_catalog\.[^\"]*\" for encoding|could not create locale"
        ),
    ),
    (
        JobReason.CORRUPT,
        (
            r"unexpected end of (file|archive|input)|premature end|could not uncompress|invalid compressed data"
            r"|corrupt(ed)? (input|data|block|archive)|valid archive|restored data doesn't match checksum"
            r"|decoding error|data corruption detected|could not read from input file|unsupported format|crc error"
            r"|not in gzip format|could not decompress|end of file on standard input|length error|truncated"
            r"|did not find magic string|could not find (entry|block)|invalid header"
        ),
    ),
    (JobReason.REPOSITORY, r"read-only file system|input/output error|permission denied|stale file handle"),
)
BY_PIPE = (-signal.SIGPIPE, 128 + signal.SIGPIPE)  # of a program, and as a shell tells it of another
BROKEN_PIPE = re.compile(r"broken pipe|err(code|no):? 32\b|epipe|its reader went away", re.IGNORECASE)
# Each begins what must not be told: statements, rows, places in a file of rows.
UNTOLD = re.compile(
    r"command was|context:|statement:|(?<!execute )query(?: was)?:|detail:\s+(key|failing row)|line \d+: ",
    re.IGNORECASE,
)
# MariaDB's client shows the statement that failed, rows and all, before it says why.
SHOWN = re.compile(r"\A.*^-{14}\n\n(?=ERROR \d)", re.MULTILINE | re.DOTALL)
# The application's own function speaks: nobody knows what it says of a row.
RAISED = re.compile(r"^context:.*\bat RAISE$", re.IGNORECASE)
BEGINS = re.compile(r"^pg_\w+: ")
SPOKEN = re.compile(r"(\b(?:ERROR|FATAL):  ).*")
PREFIX = re.compile(r"^[\w./-]+: ")
VALUES = (
    (re.compile(r"(: )\".*\"\s*$"), r'\1"..."'),  # invalid input syntax for type integer: "..."
    (re.compile(r"\b(entry|value:?|near) '.*'"), r"\1 '...'"),  # Duplicate entry '...' for key
    (re.compile(r"@'[^']*'"), "@'...'"),
    (re.compile(r"\".*\"(?= is out of range)"), '"..."'),  # value "..." is out of range for type integer
    (re.compile(r"\b(entry for host|from host) \"[^\"]*\""), r"\1 ..."),
)
# What a client says of a dump whose keys were all different where it was taken.
ALIKE = re.compile(r"^ERROR 1062 .*Duplicate entry|^ERROR 1180 .*Got error 1 .*during COMMIT", re.MULTILINE)
ROUNDED = (
    "two keys may have become one: a dump keeps six digits of a FLOAT and '' of an ENUM or SET beside its members,"
    " and a day that its month has not comes back as 0000-00-00 -> make FLOATs of unique keys DOUBLE, give the other"
    " values what is a member or a date, and back up again"
)
# All that InnoDB says of a full disk; of a table in memory it is the limit of the server.
IS_FULL = re.compile(r"\berror:? 1114\b", re.IGNORECASE)
FULL = "no room is left on the disk of that server, or its max_heap_table_size is too small for a table in memory"
# It selects the database of the events by a name that it has escaped for a text.
ESCAPED = re.compile(r"""mariadb-dump: Got error: 1049: .*Unknown database '.*\\[\\'"nr0Z].*'.? when selecting""")
EVENTS = (
    "mariadb-dump cannot dump the events of a database whose name holds a quote, a backslash or a line break"
    " -> give that database another name, drop its events, or exclude it from the backup"
)
TELLING = re.compile(r"error|fatal|failed|cannot|could not|denied|panic", re.IGNORECASE)
PASSWORD = re.compile(r"^\s*password\s*=\s*(.*?)\s*$", re.IGNORECASE)
PGPASS_COLONS = 4


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process ended. A negative `returncode` is the signal that ended it; the tails hold no secret."""

    program: str
    returncode: int
    stderr_tail: str
    cpu_seconds: float
    seconds: float
    stdout_tail: str = ""
    was_asked: bool = False  # to end, by us, because another had failed

    @property
    def said(self) -> str:
        """What finds pages damaged says so on its standard output."""
        return "\n".join(filter(None, (self.stderr_tail, self.stdout_tail)))

    @property
    def is_consequence(self) -> bool:
        """It only lost its reader or its writer."""
        by_pipe = self.returncode in BY_PIPE or bool(BROKEN_PIPE.search(self.stderr_tail))
        return self.was_asked or (by_pipe and specific(self.stderr_tail) is None)


def specific(text: str) -> JobReason | None:
    """What the text says, if it is known. A row may hold the same words: what may not be told is no reason either."""
    lowered = "\n".join(_tellable(text)).lower()
    return next((reason for reason, pattern in TEXTS if re.search(pattern, lowered)), None)


def reason(ended: Ended) -> JobReason:
    if ended.returncode < 0 and -ended.returncode != signal.SIGPIPE:
        return JobReason.KILLED
    return specific(ended.said) or JobReason.TOOL


def culprit(failed: Sequence[Ended]) -> Ended:
    """Who began it: not who only lost its neighbour, and rather who says why."""
    own = [each for each in failed if not each.is_consequence] or list(failed)
    return min(own, key=lambda each: reason(each) is JobReason.TOOL)


def sentence(ended: Ended) -> str:
    """One line: how it ended, and what it said of it."""
    how = f"ended with code {ended.returncode}" if ended.returncode >= 0 else f"was killed ({_signal(ended)})"
    said, tellable = line(ended.said), "\n".join(_tellable(ended.stderr_tail))
    known = {ROUNDED: ALIKE, EVENTS: ESCAPED, FULL: IS_FULL}
    why = "".join(f" ({text})" for text, pattern in known.items() if pattern.search(tellable))
    return f"{ended.program} {how}" + (f": {said}{why}" if said else "")


def _signal(ended: Ended) -> str:
    try:
        return signal.Signals(-ended.returncode).name
    except ValueError:
        return f"signal {-ended.returncode}"


def line(text: str) -> str:
    """What tells most, with the detail that follows it."""
    lines = _tellable(text)
    first = next((number for number, each in enumerate(lines) if TELLING.search(each)), len(lines) - 1)
    chosen = lines[first : first + 1] if lines else []
    chosen += [PREFIX.sub("", each) for each in lines[first + 1 : first + 2] if re.search(r"\bdetail: ", each)]
    said = "; ".join(" ".join(each.split()) for each in chosen)
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _tellable(text: str) -> list[str]:
    return list(told(_without_raised(SHOWN.sub("", text).splitlines())))


def _without_raised(lines: Sequence[str]) -> Iterator[str]:
    """What a function raised stands before the CONTEXT that says so, on as many lines as it likes."""
    spoken: list[str] = []
    for each in lines:
        if BEGINS.match(each):
            yield from spoken
            spoken = []
        if RAISED.match(each):
            spoken = [SPOKEN.sub(r"\1a function of the database refused a row", one) for one in spoken[:1]]
        spoken.append(each)
    yield from spoken


def told(lines: Iterable[str]) -> Iterator[str]:
    """The lines that may be shown: without statements (several lines, up to the next of the program) and values."""
    dropping = False
    for each in lines:
        if UNTOLD.search(each) and not re.match(r"^ERROR \d+", each):
            dropping = True
        elif PREFIX.match(each) or not dropping:
            dropping = False
            if each.strip():
                yield without_values(each)


def without_values(text: str) -> str:
    for pattern, instead in VALUES:
        text = pattern.sub(instead, text)
    return text


def secrets_in(content: str) -> set[str]:
    """The passwords of a password file: libpq's (host:port:database:user:password), an option file, or bare lines."""
    found: set[str] = set()
    for each in content.splitlines():
        option = PASSWORD.match(each)
        fields = re.split(r"(?<!\\):", each)
        if option:
            found |= {option[1], option[1].strip("\"'")}
        elif len(fields) > PGPASS_COLONS:
            rest = ":".join(fields[PGPASS_COLONS:])
            found |= {rest, re.sub(r"\\(.)", r"\1", rest)}
        elif not each.startswith("[") and "=" not in each:
            found.add(each.strip())
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def struck_out(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text
