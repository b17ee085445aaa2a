"""Tell systemd how we are: sd_notify(3), one datagram a message; without systemd nothing happens."""

from __future__ import annotations

import os
import socket
import time

import structlog

log = structlog.get_logger()
MICROSECONDS = 1_000_000
SEND_SECONDS = 0.1  # a listener that does not read must not stop the event loop


def notify(*lines: str) -> None:
    """Send `READY=1` and the like. A name that begins with @ is in the abstract namespace (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(SEND_SECONDS)
            channel.sendto("\n".join(lines).encode(), target)
    except OSError as error:
        log.warning("notify_failed", problem=str(error))


def reloading() -> None:
    """RELOADING=1 needs the monotonic time of the message (systemd 253 and later)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_seconds() -> float | None:
    """How often systemd wants to hear from us, None where it does not (sd_watchdog_enabled(3))."""
    period = os.environ.get("WATCHDOG_USEC", "")
    mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(period) / MICROSECONDS if period.isdecimal() and int(period) > 0 and mine else None
