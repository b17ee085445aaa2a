"""The mails of the demonstration and their pages: as they came, unopened by any mail program. Pure."""

from __future__ import annotations

import email
from collections import deque
from dataclasses import dataclass, field
from email import policy
from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise
from dbwatch.http.frame import time
from dbwatch.http.markup import document, element

if TYPE_CHECKING:
    from email.message import EmailMessage

    from dbwatch.http.markup import Child, Safe

KEPT = 500
HEADERS_ABOVE = ("From", "To", "Date")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as the daemon handed it over."""

    number: int
    at: float
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    message: EmailMessage = field(compare=False)

    def header(self, name: str) -> str:
        return " ".join(str(self.message.get(name, "")).split())

    @property
    def subject(self) -> str:
        return self.header("Subject") or "(no subject)"

    @property
    def thread(self) -> str:
        """The conversation that a mail program would put it into."""
        told = f"{self.header('References')} {self.header('In-Reply-To')} {self.header('Message-ID')}".split()
        return told[0] if told else f"mail {self.number}"

    def part(self, kind: str) -> str:
        """Its text as `html` or `plain`; '' where it has none that can be read."""
        found = self.message.get_body(preferencelist=(kind,))
        try:
            return str(found.get_content()) if found is not None else ""
        except (LookupError, ValueError):
            return ""


class MailBox:
    """The last so many mails."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._count = 0

    def __len__(self) -> int:
        return len(self._mails)

    def put(self, raw: bytes, at: float, sender: str, recipients: tuple[str, ...]) -> None:
        self._count += 1
        message = email.message_from_bytes(raw, policy=policy.default)
        self._mails.append(Mail(self._count, at, sender, recipients, raw, message))

    def get(self, number: str) -> Mail | None:
        return next((each for each in self._mails if str(each.number) == number), None)

    def mails(self) -> list[Mail]:
        """As they came."""
        return list(self._mails)

    def threads(self) -> list[list[Mail]]:
        """The conversation with the newest mail first; within one the oldest first."""
        threads: dict[str, list[Mail]] = {}
        for each in self._mails:
            threads.setdefault(each.thread, []).append(each)
        return sorted(threads.values(), key=lambda mails: -mails[-1].number)


def list_page(box: MailBox, now: float, refresh_seconds: int) -> str:
    """Every conversation."""
    title = f"{len(box)} mails · dbwatch demo" if len(box) != 1 else "1 mail · dbwatch demo"
    none = element(
        "p",
        "No mail yet. A session is blocked when the demonstration begins: it is told in about half a minute.",
        class_="quiet",
    )
    threads = [_thread(mails, now) for mails in box.threads()]
    refresh = element("meta", http_equiv="refresh", content=str(refresh_seconds))
    return _page(title, [element("h1", "Mails", class_="hidden"), *(threads or [none])], head=[refresh])


def _thread(mails: list[Mail], now: float) -> Safe:
    rows = [_line(each, now, is_reply=position > 0) for position, each in enumerate(mails)]
    return element("article", *rows, class_="card mail-thread")


def _line(mail: Mail, now: float, *, is_reply: bool) -> Safe:
    return element(
        "p",
        "↳ " if is_reply else None,
        element("a", mail.subject, href=f"/mails/{mail.number}"),
        element("br"),
        element("span", time(mail.at, humanise.ago(mail.at, now)), f" · {_way(mail)}", class_="quiet"),
    )


def _way(mail: Mail) -> str:
    return f"{mail.sender} → {', '.join(mail.recipients)}"


def mail_page(mail: Mail) -> str:
    """One mail: what its reader sees, the same as text, and every header."""
    headers = [
        element("tr", element("td", name), element("td", " ".join(str(value).split())))
        for name, value in mail.message.items()
    ]
    above = [
        element("p", f"{name}: {text}", class_="quiet what") for name in HEADERS_ABOVE if (text := mail.header(name))
    ]
    frame = element("iframe", src=f"/mails/{mail.number}/html", sandbox="", title="the HTML part", class_="mail-html")
    return _page(
        f"{mail.subject} · dbwatch demo",
        [
            element("p", element("a", "← all mails", href="/"), class_="back"),
            element("h2", mail.subject),
            *above,
            frame if mail.part("html") else element("p", "It has no HTML part.", class_="quiet"),
            element("h2", "The text part"),
            element("pre", mail.part("plain") or "It has none.", class_="remedy"),
            element("h2", "Headers"),
            element("div", element("table", element("tbody", *headers)), class_="log"),
            element("p", element("a", "the message as it came", href=f"/mails/{mail.number}/raw")),
        ],
    )


def _page(title: str, content: list[Safe], head: list[Child] | None = None) -> str:
    top = element(
        "header",
        element("a", element("strong", "dbwatch demo: mails"), href="/", class_="brand"),
        element("span", "nothing leaves this machine", class_="quiet"),
    )
    return document(title=title, head=head or [], body=[top, element("main", *content)])
