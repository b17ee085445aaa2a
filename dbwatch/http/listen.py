"""Addresses as they are written in the configuration, and the sockets bound to them.

The sockets are ours rather than aiohttp's: when a certificate changes, the same socket is served with a new context and
no connection in its queue is lost.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError, DbwatchError, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^\[\]:/]*)):(?P<port>\d{1,5})")
UNIX = "unix:"
UNIX_MODE = 0o660
ANSWER_SECONDS = 0.5
PORT_MAX = 65535
MENDS = {
    errno.EADDRNOTAVAIL: "give an address that this machine has, or :PORT for all of them",
    errno.EACCES: "give a port above 1023",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a unix socket's path, or a host ("" is every interface) and a port."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"{UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str) -> Address:
    """`host:port`, `[::1]:port`, `:port`, `unix:/path`. Raise ConfigError."""
    if text.startswith(UNIX) and len(text) > len(UNIX):
        return Address(path=Path(text.removeprefix(UNIX)))
    match = ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > PORT_MAX:
        fault = Fault("http.listen_addresses", f"{text!r} is no address", "write host:port, [::1]:port or :port")
        raise ConfigError([fault])
    return Address(match["six"] or match["host"], int(match["port"]))


async def bind(address: Address) -> list[socket.socket]:
    """Every socket of the address, bound and not yet listening. Raise DbwatchError with one clear line."""
    if address.path is not None:
        return [bind_unix(address.path)]
    if not address.host and socket.has_dualstack_ipv6():
        return [_bind_any(address)]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise DbwatchError(f"cannot listen on {address}: {error.strerror}") from None
    return _bind_all(address, [(family, where) for family, _, _, _, where in dict.fromkeys(found)])


def _bind_any(address: Address) -> socket.socket:
    try:
        return _bound(socket.AF_INET6, ("::", address.port), both_families=True)
    except OSError as error:
        raise _refused(address, error) from None


def _bind_all(address: Address, found: Sequence[tuple[int, tuple[object, ...]]]) -> list[socket.socket]:
    """A name may stand for addresses that this machine lacks (::1 where IPv6 is off): one that works is enough."""
    bound: list[socket.socket] = []
    lacking: OSError | None = None
    for family, where in found:
        try:
            bound.append(_bound(family, where))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                close(bound)
                raise _refused(address, error) from None
            lacking = error
    if not bound:
        raise _refused(address, lacking or OSError(errno.EADDRNOTAVAIL, "no address found"))
    return bound


def _bound(family: int, where: tuple[object, ...], *, both_families: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both_families))
        made.bind(where)
        made.listen(128)  # now, so that two daemons never share a port
    except OSError:
        made.close()
        raise
    return made


def _refused(address: Address, error: OSError) -> DbwatchError:
    if error.errno == errno.EADDRINUSE:
        return DbwatchError(f"cannot listen on {address}: the port is in use; does another dbwatch run?")
    mend = f" -> {MENDS[error.errno]}" if error.errno in MENDS else ""
    return DbwatchError(f"cannot listen on {address}: {os.strerror(error.errno or 0).lower()}{mend}")


def close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()


def bind_unix(path: Path) -> socket.socket:
    """A unix socket for our user and group; a file left by a dead process is replaced. Raise DbwatchError."""
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(0)
        made.bind(str(path))
        path.chmod(UNIX_MODE)  # before listen(): nobody connects in between
        made.listen(128)
    except OSError as error:
        made.close()
        if isinstance(error, FileNotFoundError):
            raise DbwatchError(f"cannot listen on {path}: the directory {path.parent} does not exist") from None
        if "path too long" in str(error):  # Python's own error, without a number
            raise DbwatchError(f"cannot listen on {path}: the path is too long for a socket -> shorten it") from None
        raise DbwatchError(f"cannot listen on {path}: {error.strerror or error}") from None
    return made


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise DbwatchError(f"cannot listen on {path}: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise DbwatchError(f"cannot listen on {path}: it is a directory -> give the path of a file in it")
    if not stat.S_ISSOCK(mode):
        raise DbwatchError(f"cannot listen on {path}: there is a file that is no socket; remove it")
    if _somebody_answers(path):
        raise DbwatchError(f"cannot listen on {path}: another dbwatch answers there")
    path.unlink(missing_ok=True)


def _somebody_answers(path: Path) -> bool:
    """Only a refused connection proves that nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(ANSWER_SECONDS)
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def remove_unix(path: Path, made: socket.socket) -> None:
    """Close our socket and remove its file."""
    made.close()
    path.unlink(missing_ok=True)


def written(bound: socket.socket) -> str:
    """The address that a socket is bound to, as one writes it."""
    if bound.family == socket.AF_UNIX:
        return f"{UNIX}{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return str(Address(host, port))
