"""The mail servers that take our letters, in the order in which they are tried. What they answer becomes data."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiosmtplib

from dbwatch.errors import EngineError
from dbwatch.mailer import remedies
from dbwatch.settings.files import why
from dbwatch.settings.secrets import read_password

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from dbwatch.settings.alerting import Relay

PERMANENT = range(500, 600)
STEPS_A_LETTER = 6  # connecting, greeting, TLS, login, envelope, data: each has its own timeout, all have one together


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody did not get a letter, from which relay. `error` holds no secret."""

    relay: str
    error: str
    is_permanent: bool = False
    may_have_arrived: bool = False  # the connection was lost when everything had been said


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one relay did with one letter, by recipient. An empty `refused`: it took the letter for everyone."""

    relay: str
    refused: Mapping[str, Refusal] = field(default_factory=dict)


class RelayError(Exception):
    """The relay as such did not take the letter: `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.error)


class Connection:
    """One conversation with one relay, for as many letters as there are. Raise RelayError, also from `opened`."""

    def __init__(self, relay: Relay, client: aiosmtplib.SMTP) -> None:
        self._relay = relay
        self._client = client
        self.name = name(relay)

    @classmethod
    async def opened(cls, relay: Relay, local_hostname: str) -> Connection:
        """Connected, over TLS and logged in as the settings ask for."""
        client = _client(relay, local_hostname, _password(relay))
        try:
            async with asyncio.timeout(relay.timeout * STEPS_A_LETTER):
                await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise RelayError(_not_opened(relay, error)) from None
        return cls(relay, client)

    async def send(self, sender: str, recipients: Iterable[str], message: bytes) -> Delivered:
        """Hand one letter over."""
        told = list(recipients)
        try:
            async with asyncio.timeout(self._relay.timeout * STEPS_A_LETTER):
                refused, _ = await self._client.sendmail(sender, told, message, mail_options=_options(sender, told))
        except aiosmtplib.SMTPRecipientsRefused as error:
            return Delivered(
                self.name, {each.recipient: self._answer(each.code, each.message) for each in error.recipients}
            )
        except aiosmtplib.SMTPResponseException as error:
            raise RelayError(self._answer(error.code, error.message)) from None
        except aiosmtplib.SMTPNotSupported:
            what = "does not know SMTPUTF8, which an address needs"
            raise RelayError(Refusal(self.name, what, is_permanent=True)) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # The library does not tell how far it came: whoever reads a letter twice sees one Message-ID.
            raise RelayError(Refusal(self.name, remedies.words(error), may_have_arrived=True)) from None
        return Delivered(
            self.name, {each: self._answer(answer.code, answer.message) for each, answer in refused.items()}
        )

    def _answer(self, code: int, text: str) -> Refusal:
        return Refusal(self.name, f"{code} {remedies.harmless(text)}", is_permanent=code in PERMANENT)

    @property
    def is_open(self) -> bool:
        return self._client.is_connected

    async def close(self) -> None:
        """Take leave; a relay that does not answer is left without."""
        try:
            async with asyncio.timeout(self._relay.timeout):
                await self._client.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self._client.close()


def _options(sender: str, recipients: list[str]) -> list[str]:
    return [] if all(each.isascii() for each in (sender, *recipients)) else ["SMTPUTF8"]


def name(relay: Relay) -> str:
    return f"{relay.host}:{relay.smtp_port}"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _client(relay: Relay, local_hostname: str, password: SecretStr | None) -> aiosmtplib.SMTP:
    if relay.user is not None and relay.security == "none" and not is_loopback(relay.host):
        what = "a password is not sent without TLS: set security: starttls or tls"
        raise RelayError(Refusal(name(relay), what))
    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.smtp_port,
        username=relay.user,
        password=password.get_secret_value() if password and relay.user is not None else None,
        local_hostname=local_hostname,
        timeout=relay.timeout,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=None if relay.security == "none" else _context(relay),
    )


def _password(relay: Relay) -> SecretStr | None:
    """Read for each connection: a changed file counts at once."""
    try:
        return read_password(relay)
    except EngineError as error:
        raise RelayError(Refusal(name(relay), error.message)) from None


def _context(relay: Relay) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = relay.verify
    context.verify_mode = ssl.CERT_REQUIRED if relay.verify else ssl.CERT_NONE
    if relay.verify and relay.ca_file is None:
        context.load_default_certs()
    elif relay.verify and relay.ca_file is not None:
        _load(context, relay, relay.ca_file)
    return context


def _load(context: ssl.SSLContext, relay: Relay, file: Path) -> None:
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        raise RelayError(Refusal(name(relay), f"{file} holds no CA certificate in PEM")) from None
    except (OSError, ValueError) as error:
        raise RelayError(Refusal(name(relay), f"{file} cannot be read: {why(error)}")) from None


def _not_opened(relay: Relay, error: Exception) -> Refusal:
    """None of these condemns a letter: a relay that refuses us as such may be mended."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Refusal(name(relay), f"the login was refused ({error.code}): check mail.relays user and password")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Refusal(name(relay), f"{error.code} {remedies.harmless(error.message)}")
    return Refusal(name(relay), remedies.words(error) + remedies.remedy(error, relay.security))
