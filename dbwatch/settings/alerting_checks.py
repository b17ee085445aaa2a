"""What the types of alerting cannot say: ways that lack their other end, files that must be there, secrets in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from dbwatch.settings.alerting import url_error
from dbwatch.settings.files import directory_error, read_error
from dbwatch.settings.models import is_loopback
from dbwatch.settings.secrets import FILE_MEND, file_error, read_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbwatch.settings.alerting import AlertmanagerPush, Relay
    from dbwatch.settings.models import Settings

    KeyPath = tuple[str | int, ...]

PATH_MEND = "check the path and its permissions"
LINE_MEND = "create it with one line, owned by the account of dbwatch, mode 0400"


class Found(NamedTuple):
    """A fault, or something odd."""

    path: KeyPath
    what: str
    mend: str
    is_odd: bool = False


def found(settings: Settings) -> Iterator[Found]:
    """Everything that is wrong or odd about mail, Alertmanager and the heartbeat."""
    yield from _directories(settings)
    for number, relay in enumerate(settings.mail.relays):
        yield from _relay(("mail", "relays", number), relay)
    yield from _alertmanager(settings.alertmanager)
    yield from _heartbeat(settings.heartbeat.url_file)


def missing(settings: Settings) -> Iterator[Found]:
    """What the chosen way of telling cannot do without."""
    notify, mail = settings.alerting.notify, settings.mail
    because = f"and alerting.notify is {notify}"
    if settings.alerting.mails:
        if not mail.relays:
            yield Found(
                ("mail", "relays"), f"names no mail server, {because}", "add {host: ...} of the one that takes mail"
            )
        if mail.sender is None:
            yield Found(("mail", "from"), f"is missing, {because}", "give the address that mails come from")
        if not mail.to and all(route.match for route in mail.routes):
            yield Found(
                ("mail", "to"), f"names nobody, {because}", "give the address of on-call, or a route without match"
            )
    if settings.alerting.pushes and not settings.alertmanager.urls:
        yield Found(
            ("alertmanager", "urls"), f"names no Alertmanager, {because}", "give http://host:9093 of each replica"
        )


def _directories(settings: Settings) -> Iterator[Found]:
    alerting = settings.alerting
    named: list[tuple[KeyPath, Path]] = [
        (("alerting", "rules_dir", number), directory) for number, directory in enumerate(alerting.rules_dir)
    ]
    if alerting.templates_dir is not None:
        named.append((("alerting", "templates_dir"), alerting.templates_dir))
    for path, directory in named:
        if problem := directory_error(directory):
            yield Found(path, problem, "create the directory, or remove it")


def _relay(path: KeyPath, relay: Relay) -> Iterator[Found]:
    has_password = any((relay.password, relay.password_file, relay.password_env))
    if has_password and relay.user is None:
        yield Found((*path, "user"), "is missing beside a password", "give the account of the mail server")
    if relay.user is not None and not has_password:
        yield Found((*path, "password_file"), "is missing beside a user", "give the password, or remove the user")
    if relay.user is not None and relay.security == "none" and not is_loopback(relay.host):
        what = "would send the password in clear over the network"
        yield Found((*path, "security"), what, "use starttls or tls, or no user")
    if relay.security != "none" and not relay.verify:
        what = "the mail server's certificate is not looked at: anybody may pose as it"
        yield Found((*path, "verify"), what, "give the ca_file that signed it instead", is_odd=True)
    yield from _authority(path, relay.ca_file, is_used=relay.security != "none" and relay.verify)


def _authority(path: KeyPath, ca_file: Path | None, *, is_used: bool) -> Iterator[Found]:
    if ca_file is None:
        return
    if problem := read_error(ca_file):
        yield Found((*path, "ca_file"), problem, PATH_MEND)
    elif not is_used:
        yield Found((*path, "ca_file"), "is not looked at: nothing is verified", "remove it, or verify", is_odd=True)


def _alertmanager(push: AlertmanagerPush) -> Iterator[Found]:
    token = push.bearer_token_file
    if token is not None and (problem := file_error(token)):
        yield Found(("alertmanager", "bearer_token_file"), problem, LINE_MEND)
    plain = [number for number, url in enumerate(push.urls) if _is_plain_and_far(url)]
    if plain and (token or push.basic_auth):
        what = "would send the credentials in clear over the network"
        yield Found(("alertmanager", "urls", plain[0]), what, "use https", is_odd=True)
    is_tls = any(url.startswith("https:") for url in push.urls)
    yield from _authority(("alertmanager",), push.ca_file, is_used=is_tls and push.verify)


def _is_plain_and_far(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _heartbeat(url_file: Path | None) -> Iterator[Found]:
    if url_file is None:
        return
    text, problem = read_line(url_file)
    if problem := problem or url_error(text):
        yield Found(("heartbeat", "url_file"), problem, FILE_MEND.replace("password", "address"))
