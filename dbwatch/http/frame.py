"""What every page shares: head, foot, moments and problems. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dbwatch import __version__
from dbwatch.core.showing import humanise
from dbwatch.http.markup import document, element

if TYPE_CHECKING:
    from dbwatch.http.markup import Child, Safe

ENGLISH, FRENCH = "en", "fr"


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page shows beside its subject."""

    now: float
    telemetry_path: str
    path: str
    refresh_seconds: int  # 0: not by itself
    last_reload_failed: bool = False
    language: str = ENGLISH  # of what alerts say; the page itself is English
    has_alerts: bool = False  # rules are evaluated here: there is something to link to
    is_live: bool = True  # False: what it shows does not change

    def here(self, *, refresh: bool | None = None, language: str | None = None) -> str:
        """This page's address with one choice changed and the other kept."""
        moving = bool(self.refresh_seconds) if refresh is None else refresh
        speaking = self.language if language is None else language
        chosen = ({} if moving else {"refresh": "0"}) | ({} if speaking == ENGLISH else {"lang": speaking})
        return f"{self.path}?{urlencode(chosen)}" if chosen else self.path

    def to(self, path: str) -> str:
        """Another page in the language chosen."""
        return path if self.language == ENGLISH else f"{path}?lang={self.language}"


def framed(title: str, *content: Child, frame: Frame) -> str:
    """Head and foot around the content of a page."""
    refresh = str(frame.refresh_seconds) if frame.refresh_seconds and frame.is_live else None
    head = [element("meta", http_equiv="refresh", content=refresh)] if refresh else []
    return document(title=title, head=head, body=[_top(frame), _banner(frame), *content, _foot(frame)])


def _top(frame: Frame) -> Safe:
    return element(
        "header",
        element("a", element("strong", "dbwatch"), href=frame.to("/"), class_="brand"),
        element("span", __version__, class_="quiet"),
        element(
            "nav",
            element("a", "alerts", href=frame.to("/alerts")) if frame.has_alerts else None,
            element("a", "metrics", href=frame.telemetry_path),
            element("a", "JSON", href="/api/v1/alerts" if frame.path == "/alerts" else "/api/v1/instances"),
            _refresh_link(frame) if frame.is_live else None,
        ),
    )


def _banner(frame: Frame) -> Safe | None:
    if not frame.last_reload_failed:
        return None
    text = "the configuration before it is still in use; see the log"
    return element("div", element("strong", "the last reload failed: "), text, class_="problem banner", role="alert")


def _refresh_link(frame: Frame) -> Safe:
    if frame.refresh_seconds:
        return element("a", "stop refreshing", href=frame.here(refresh=False))
    return element("a", "refresh by itself", href=frame.here(refresh=True))


def _foot(frame: Frame) -> Safe:
    often = f", renewed every {frame.refresh_seconds} s" if frame.refresh_seconds else ", not renewed by itself"
    made = time(frame.now, humanise.moment(frame.now))
    return element("footer", "Page made ", made, often if frame.is_live else None)


def time(unix_seconds: float, text: str) -> Safe:
    return element("time", text, datetime=humanise.iso(unix_seconds), title=humanise.moment(unix_seconds))


def problem(reason: str, message: str, remedy: str = "") -> Safe:
    """A remedy is code: one click selects it whole."""
    return element(
        "div",
        element("p", element("strong", reason), " " if reason and message else None, message),
        command(remedy) if remedy else None,
        class_="problem",
    )


def command(text: str) -> Safe:
    return element("code", text, class_="remedy", title="one click selects it")
