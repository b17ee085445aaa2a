"""Mail: a letter gets its words (composing), waits in the outbox, and leaves through one of the relays (sender).

Who mails nothing does not pay for the libraries: they are imported when a composer or a courier is made.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dbwatch.core.alerting.model import Letter
    from dbwatch.history import Outgoing
    from dbwatch.mailer.delivery import Courier, Report
    from dbwatch.settings.alerting import Alerting, Mail


class Composes(Protocol):
    """Gives a letter its words."""

    def compose(self, letter: Letter) -> Outgoing: ...


def composer(mail: Mail, alerting: Alerting) -> Composes:
    """Raise ConfigError where a template cannot be used."""
    from dbwatch.mailer.composing import Composer

    return Composer(mail, alerting, socket.gethostname())


class Nobody:
    """The courier where no relay is configured: what waits goes on waiting."""

    async def deliver(self, recipients: tuple[str, ...], message: bytes) -> Report:
        from dbwatch.mailer.delivery import Report
        from dbwatch.mailer.relays import Refusal

        del message
        return Report(refused=dict.fromkeys(recipients, Refusal("", "no relay is configured")), is_reached=False)

    async def close(self) -> None:
        """There is nothing to close."""


def courier(mail: Mail) -> Courier:
    """Through the relays of the settings."""
    if not mail.relays:
        return Nobody()
    from dbwatch.mailer.delivery import Delivery

    return Delivery(mail, socket.gethostname())
