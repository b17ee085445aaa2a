"""Which format and which encoding an answer has: RFC 9110, section 12.5, as far as a scrape needs it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The two texts that /metrics speaks; the value is the label of dbwatch's own metrics."""

    TEXT = "text"
    OPENMETRICS = "openmetrics"

    @property
    def content_type(self) -> str:
        """Prometheus 3 fails a scrape without it."""
        if self is Format.OPENMETRICS:
            return "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Choice:
    """One member of an Accept or Accept-Encoding header."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    quality: float

    def parameter(self, name: str) -> str:
        return dict(self.parameters).get(name, "")


def choices(header: str) -> list[Choice]:
    """The members in the order written; a malformed quality counts as 0, as if the member were absent."""
    return [_choice(member) for member in header.split(",") if member.strip()]


def _choice(member: str) -> Choice:
    name, *rest = (part.strip() for part in member.split(";"))
    pairs = [part.partition("=") for part in rest]
    parameters = tuple((key.strip().lower(), value.strip().strip('"')) for key, _, value in pairs)
    return Choice(name.lower(), parameters, _quality(dict(parameters).get("q", "1")))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0


def page_format(accept: str) -> Format:
    """OpenMetrics to whoever prefers it, else text 0.0.4: also to those who accept neither, as every exporter does."""
    best, best_quality = Format.TEXT, 0.0
    for choice in choices(accept):
        offered = _offered(choice)
        if offered is not None and choice.quality > best_quality:
            best, best_quality = offered, choice.quality
    return best


def _offered(choice: Choice) -> Format | None:
    version = choice.parameter("version")
    if choice.name == "application/openmetrics-text" and version in ("", "1.0.0"):
        return Format.OPENMETRICS
    if choice.name in ("text/plain", "text/*", "*/*") and version in ("", "0.0.4"):
        return Format.TEXT
    return None


def accepts_gzip(accept_encoding: str) -> bool:
    """An encoding that is named outweighs `*`."""
    qualities = {choice.name: choice.quality for choice in choices(accept_encoding)}
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0.0
