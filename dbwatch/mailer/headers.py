"""The head of a mail. What a label holds may stand in it, and nothing of it may begin a header of its own."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import Change, Letter, LetterKind, Severity
from dbwatch.mailer.cards import state, worst

if TYPE_CHECKING:
    from email.message import EmailMessage

    from dbwatch.settings.alerting import Mail

LONGEST_SUBJECT, LONGEST_VALUE = 180, 120
LEGACY_KINDS = {
    Change.FIRING: "PROBLEM", Change.STILL: "PROBLEM", Change.PASSED: "RECOVERY",
    Change.RESOLVED: "RECOVERY", Change.UNMEASURED: "RECOVERY",
}  # fmt: skip
LEGACY_STATES = {Severity.CRITICAL: "CRITICAL", Severity.WARNING: "WARNING", Severity.INFO: "OK"}


def harmless(text: str, longest: int = LONGEST_VALUE) -> str:
    """In one line, of characters that can be shown, and not for ever."""
    shown = "".join(
        each if unicodedata.category(each)[0] not in "CZ" or each in "\u00a0\u202f" else " " for each in text
    )
    line = " ".join(each for each in shown.split(" ") if each)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def message_id(letter: Letter, host: str) -> str:
    """The same for the same letter whenever it is composed or sent."""
    return f"<{letter.thread}.{letter.sequence}@{host}>"


def address(mailbox: str) -> Address:
    name, plain = parseaddr(mailbox)
    user, _, domain = plain.rpartition("@")
    return Address(harmless(name), user, domain)


def fill(message: EmailMessage, letter: Letter, mail: Mail, host: str, subject: str) -> None:
    sender = mail.sender or f"dbwatch@{host}"
    message["Subject"] = harmless(subject, LONGEST_SUBJECT)
    message["From"] = address(sender)
    message["To"] = [address(each) for each in letter.recipients]
    if mail.reply_to:
        message["Reply-To"] = address(mail.reply_to)
    message["Date"] = format_datetime(datetime.fromtimestamp(letter.at, UTC))
    message["Message-ID"] = message_id(letter, host)
    if letter.sequence:
        root = f"<{letter.thread}.0@{host}>"
        message["In-Reply-To"] = root
        message["References"] = root
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if not _must_be_read(letter):
        message["Precedence"] = "bulk"  # some servers put such mail aside, or delay it
    message["List-Id"] = f"<{mail.list_id or 'dbwatch.' + address(sender).domain}>"
    _facts(message, letter)


def _must_be_read(letter: Letter) -> bool:
    if letter.kind is LetterKind.FAILURE:
        return True
    return bool(letter.items) and worst(letter) is Severity.CRITICAL and letter.kind is not LetterKind.DAILY


def _facts(message: EmailMessage, letter: Letter) -> None:
    """For filters: of the alert that is named first."""
    message["X-Dbwatch-Kind"] = letter.kind.value
    if not letter.items:
        return
    first = min(letter.items, key=lambda item: (item.change is not state(letter), item.alert.severity.rank))
    message["X-Dbwatch-Alert"] = harmless(first.alert.name)
    message["X-Dbwatch-Severity"] = worst(letter).value
    message["X-Dbwatch-Instance"] = harmless(first.alert.label("db_instance"))
    message["X-Dbwatch-State"] = state(letter).value
    message["X-Dbwatch-Fingerprint"] = first.alert.fingerprint
    is_urgent = state(letter) in {Change.FIRING, Change.STILL} and worst(letter) is Severity.CRITICAL
    if is_urgent and letter.kind is not LetterKind.DAILY:
        message["Importance"] = "high"


def legacy_subject(letter: Letter) -> str:
    """As Nagios and Centreon wrote it, for the filters that people have."""
    if not letter.items:
        return f"** {letter.kind.value.upper()} dbwatch **"
    change = state(letter)
    first = min(letter.items, key=lambda item: (item.change is not change, item.alert.severity.rank))
    what = "ESCALATION" if letter.kind is LetterKind.ESCALATION else LEGACY_KINDS[change]
    shown = LEGACY_STATES[first.alert.severity] if LEGACY_KINDS[change] == "PROBLEM" else "OK"
    others = f" (+{len(letter.items) - 1})" if len(letter.items) > 1 else ""
    return f"** {what} Service Alert: {first.alert.label('db_instance')}/{first.alert.name} is {shown}{others} **"
