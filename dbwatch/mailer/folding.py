"""How a mail becomes bytes: in ASCII and short lines, whatever its subject holds."""

from __future__ import annotations

from email.header import Header
from email.policy import EmailPolicy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message


class _Mail(EmailPolicy):
    """The standard library loses a space between words where it folds a subject: this one does not."""

    def fold(self, name: str, value: str) -> str:
        return _subject(value) if name.lower() == "subject" else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return _subject(value).encode() if name.lower() == "subject" else super().fold_binary(name, value)


def _subject(value: str) -> str:
    shown = Header(str(value), "us-ascii" if value.isascii() else "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {shown}\r\n"


MAIL: EmailPolicy[Message[str, str]] = _Mail(linesep="\r\n", cte_type="7bit")
