"""The network's ways to fail: a black hole, a closed port, a proxy that can be paused, slowed and cut."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.fix_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNRESOLVABLE_HOST = "no-such-host.invalid"  # RFC 2606: .invalid never resolves


@contextmanager
def deaf_listener() -> Iterator[int]:
    """A port whose kernel completes the handshake, and behind which nobody ever reads or answers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", free_port()))
        listener.listen(128)
        yield int(listener.getsockname()[1])


class Proxy:
    """A TCP proxy in front of a server. While paused it is a black hole in mid-stream: open, and silent."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self.delay_seconds = 0.0
        self._target = (target_host, target_port)
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((self.host, self.port))
        self._start(self._accept)

    @property
    def connections(self) -> int:
        return len(self._sockets) // 2

    def pause(self) -> None:
        """From now on nothing passes, either way; connections stay open and new ones are accepted."""
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    def slow(self, seconds: float) -> None:
        """Hold every packet back for so long."""
        self.delay_seconds = seconds

    def cut(self) -> None:
        """Close every connection that passes through; new ones are welcome."""
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """From now on connections are refused."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flowing.set()
        self.cut()
        for thread in list(self._threads):
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed: stop() wants us gone
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        self._flowing.wait()
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._sockets |= {client, server}
        self._start(self._pump, server, client)
        self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay_seconds)
                self._flowing.wait()
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        self._sockets.discard(source)
        source.close()


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts TCP and never answers."""
    with deaf_listener() as port:
        yield port


@pytest.fixture
def refused_port() -> int:
    """A port on which nobody listens."""
    return free_port()


@pytest.fixture
def unresolvable_host() -> str:
    return UNRESOLVABLE_HOST


@pytest.fixture
def proxy() -> Iterator[Callable[[int], Proxy]]:
    """Make proxies: `proxy(server.port)`."""
    proxies: list[Proxy] = []

    def make(target_port: int) -> Proxy:
        proxies.append(Proxy(target_port))
        return proxies[-1]

    yield make
    for each in proxies:
        each.stop()
