"""From one letter to whoever takes it: the relays in order, one conversation for as long as there are letters."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import TYPE_CHECKING, Protocol

from dbwatch.mailer.relays import Connection, Refusal, RelayError, name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.settings.alerting import Mail, Relay

# A relay that could not be reached is passed over for so long, where there is another: its timeout is not paid for
# each letter.
PASSED_OVER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one letter. Who is not in `refused` has it."""

    relay: str = ""  # the last that took it for somebody
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    is_reached: bool = True  # False: no relay would even talk to us, so that the next letter need not be tried
    problems: tuple[tuple[str, Refusal], ...] = ()  # each recipient whom a relay did not take it for, in order

    @property
    def error(self) -> str:
        """The last reason, with the relay that gave it."""
        return next((f"{each.relay}: {each.error}" for each in reversed(list(self.refused.values()))), "")


class Courier(Protocol):
    """What the outbox's loop needs of a delivery."""

    async def deliver(self, recipients: tuple[str, ...], message: bytes) -> Report: ...
    async def close(self) -> None: ...


class Delivery:
    """Hands letters over, one after the other."""

    def __init__(self, mail: Mail, hostname: str) -> None:
        self._mail = mail
        self._hostname = hostname
        self._envelope_from = parseaddr(mail.sender or "")[1]
        self._connection: Connection | None = None
        self._passed_over: dict[str, float] = {}

    async def deliver(self, recipients: tuple[str, ...], message: bytes) -> Report:
        """Every relay is asked in turn, until everybody has the letter."""
        left = {each: Refusal("", "no relay is configured") for each in recipients}
        taken_by, is_reached = "", False
        problems: list[tuple[str, Refusal]] = []
        for relay in self._in_order():
            try:
                connection = await self._connected(relay)
            except RelayError as error:
                problems += [(each, error.refusal) for each in left]
                left = {each: _worse(left[each], error.refusal) for each in left}
                continue
            is_reached = True
            refused = await self._handed(connection, tuple(left), message)
            problems += refused.items()
            taken_by = taken_by if refused.keys() == left.keys() else connection.name
            left = {each: _worse(left[each], refusal) for each, refusal in refused.items()}
            if not left:
                break
        return Report(taken_by, left, is_reached, tuple(problems))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _in_order(self) -> list[Relay]:
        """As configured; those that were not to be reached a moment ago come last."""
        now = asyncio.get_running_loop().time()
        return sorted(self._mail.relays, key=lambda relay: self._passed_over.get(name(relay), 0.0) > now)

    async def _connected(self, relay: Relay) -> Connection:
        if self._connection is not None and self._connection.name == name(relay) and self._connection.is_open:
            return self._connection
        await self.close()
        try:
            self._connection = await Connection.opened(relay, self._hostname)
        except RelayError:
            self._passed_over[name(relay)] = asyncio.get_running_loop().time() + PASSED_OVER_SECONDS
            raise
        self._passed_over.pop(name(relay), None)
        return self._connection

    async def _handed(
        self, connection: Connection, recipients: tuple[str, ...], message: bytes
    ) -> Mapping[str, Refusal]:
        """Who of them was refused, and why."""
        try:
            return (await connection.send(self._envelope_from, recipients, message)).refused
        except RelayError as error:
            return dict.fromkeys(recipients, error.refusal)


def _worse(before: Refusal, now: Refusal) -> Refusal:
    """Refused for good only where every relay said so; the text is the last one's."""
    is_first = not before.relay
    return Refusal(
        now.relay,
        now.error,
        now.is_permanent and (is_first or before.is_permanent),
        now.may_have_arrived or before.may_have_arrived,
    )
