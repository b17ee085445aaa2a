"""A letter gets its words: the templates of its kind and language, as plain text and as HTML."""

from __future__ import annotations

import re
import textwrap
from email.message import EmailMessage
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from dbwatch.core.alerting.model import Alert, AlertState, Change, Item, Letter, LetterKind
from dbwatch.errors import ConfigError, Fault
from dbwatch.files import alerting_root
from dbwatch.history import Outgoing
from dbwatch.mailer import headers, speech
from dbwatch.mailer.cards import Style, context
from dbwatch.mailer.folding import MAIL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

    from jinja2 import Environment

    from dbwatch.settings.alerting import Alerting, Mail

log = structlog.get_logger()
TEMPLATE_FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError)  # what its code may raise
WIDTH = 72
LANGUAGES = ("fr", "en")
NOT_OF_A_HOST = re.compile(r"[^A-Za-z0-9.-]")
WORDS = re.compile(r"\bwords\.(?:html|txt)$")
CODE = re.compile(r"`([^`]*)`")
CODE_STYLE = (
    "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:92%;background:#eef1f5;color:#14213d;"
    "padding:1px 4px;border-radius:3px;overflow-wrap:anywhere"
)


class Composer:
    """One for each set of settings. Raise ConfigError, from the start, where a template cannot be used."""

    def __init__(self, mail: Mail, alerting: Alerting, hostname: str, zone: tzinfo | None = None) -> None:
        self._mail = mail
        self._host = NOT_OF_A_HOST.sub("", hostname).strip(".-") or "localhost"
        self._style = Style(self._host, alerting.page_url, alerting.runbooks_url, zone or _zone(alerting))
        self._environment = _environment(alerting.templates_dir)
        _try_all(self)

    def compose(self, letter: Letter) -> Outgoing:
        """Ready to be sent: composed twice, it is the same to the last byte.

        What a template cannot say of this letter is said plainly: nobody is left untold for the want of a word.
        """
        try:
            return self.by_template(letter)
        except TEMPLATE_FAULTS as error:
            log.exception("template_failed", kind=letter.kind, language=letter.language, problem=str(error))
            return self._plainly(letter)

    def _plainly(self, letter: Letter) -> Outgoing:
        message = EmailMessage(policy=MAIL)
        headers.fill(message, letter, self._mail, self._host, headers.legacy_subject(letter))
        lines = [f"{each.change}: {each.alert.annotation('summary', letter.language)}" for each in letter.items]
        message.set_content("\n".join([*lines, *(f"{name}: {text}" for name, text in letter.facts), ""]))
        return Outgoing(letter, headers.message_id(letter, self._host), message.as_bytes())

    def by_template(self, letter: Letter) -> Outgoing:
        """Raise one of TEMPLATE_FAULTS."""
        names = context(letter, self._style)
        message = EmailMessage(policy=MAIL)
        headers.fill(message, letter, self._mail, self._host, self._subject(letter, names))
        message.set_content(self._rendered(letter, "txt", names).strip() + "\n", cte="quoted-printable")
        message.add_alternative(self._rendered(letter, "html", names), subtype="html", cte="quoted-printable")
        message["Content-Language"] = letter.language  # last: setting a content takes such headers away
        message.set_boundary(f"=_{letter.thread}.{letter.sequence}_=")
        return Outgoing(letter, headers.message_id(letter, self._host), message.as_bytes())

    def _subject(self, letter: Letter, names: dict[str, object]) -> str:
        if self._mail.subject_style == "legacy":
            return headers.legacy_subject(letter)
        return str(self._template(letter.language, "subject.txt").render(names))

    def _rendered(self, letter: Letter, form: str, names: dict[str, object]) -> str:
        return str(self._template(letter.language, f"{letter.kind.value}.{form}").render(names))

    def _template(self, language: str, name: str) -> Template:
        return self._environment.get_template(f"{language}/{name}")


def _zone(alerting: Alerting) -> tzinfo | None:
    """That of the daily digest; None is this machine's."""
    return ZoneInfo(alerting.daily_digest.timezone) if alerting.daily_digest else None


class _Loader(FileSystemLoader):
    """The words of a language stand once, and are escaped where the template that imports them is."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        return super().get_source(environment, WORDS.sub("words.jinja", template))


def _environment(own: Path | None) -> SandboxedEnvironment:
    """An operator's templates come first; what they lack is ours."""
    root = alerting_root() / "templates"
    environment = SandboxedEnvironment(
        loader=_Loader([path for path in (own, root) if path is not None]),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"wrap": wrap, "code": code, "fr": lambda text: speech.typeset(text, "fr")}
    return environment


def wrap(text: str, indent: int = 0, first: str = "") -> str:
    """In lines of 72 columns, each `indent` wide from the left; the first begins with `first`."""
    left = " " * indent
    return textwrap.fill(
        text.replace("`", ""),
        WIDTH,
        initial_indent=first.rjust(indent) if first else left,
        subsequent_indent=left,
        break_long_words=False,
        break_on_hyphens=False,
    )


def code(text: str) -> Markup:
    """`commands` stand out; everything else is escaped."""
    pieces = CODE.split(text)
    shown = [
        Markup('<code style="{}">{}</code>').format(CODE_STYLE, piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    ]
    return Markup("").join(shown)


def _try_all(composer: Composer) -> None:
    """A template that is broken is told when the settings are read, not when the night's first alert fires."""
    faults: list[Fault] = []
    for language in LANGUAGES:
        for kind in LetterKind:
            try:
                composer.by_template(_example(kind, language))
            except TemplateSyntaxError as error:
                faults.append(Fault(f"{error.filename}:{error.lineno}", f"template: {error.message}", "mend it"))
            except TEMPLATE_FAULTS as error:
                what = " ".join(str(error).split()) or type(error).__name__
                faults.append(Fault(f"template {language}/{kind.value}", what, "see the names at its head"))
    if faults:
        raise ConfigError(dict.fromkeys(faults))


def _example(kind: LetterKind, language: str) -> Letter:
    labels = (("alertname", "Example"), ("db_instance", "pg1"), ("severity", "critical"))
    alert = Alert(labels, (("summary", "pg1: an example"),), AlertState.FIRING, 1.0, 0.0, 60.0, 60.0)
    items = () if kind in {LetterKind.TEST, LetterKind.FAILURE} else (Item(alert, Change.FIRING),)
    return Letter(kind, "example", 0, ("nobody@example.org",), language, 60.0, items)
