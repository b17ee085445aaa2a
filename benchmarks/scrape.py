"""A scraper that costs little itself: a kept connection, one buffer, no parsing while the clock runs."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING

from benchmarks import quantiles

if TYPE_CHECKING:
    import subprocess

# What Prometheus sends by default, in short.
ACCEPT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
LARGEST_PAGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as the scraper saw it."""

    seconds: float
    status: int
    wire_bytes: int
    body: bytes

    @property
    def samples(self) -> int:
        return quantiles.samples(self.body)


class Client:
    """A connection to one exporter, kept between scrapes as Prometheus keeps it."""

    def __init__(self, port: int, timeout_seconds: float = 60.0) -> None:
        self.port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
        self._buffer = memoryview(bytearray(LARGEST_PAGE_BYTES))

    def get(self, path: str = "/metrics", *, compressed: bool = True) -> Reply:
        """One answer, decompressed after the clock stopped: that is the reader's affair."""
        started = time.perf_counter()
        response, size = self._exchange(path, compressed=compressed)
        seconds = time.perf_counter() - started
        raw = bytes(self._buffer[:size])
        plain = gzip.decompress(raw) if response.getheader("Content-Encoding") == "gzip" else raw
        return Reply(seconds, response.status, size, plain)

    def timed(self, path: str = "/metrics", *, compressed: bool) -> float:
        """Seconds from the request to the last byte on the wire; the answer is thrown away."""
        started = time.perf_counter()
        self._exchange(path, compressed=compressed)
        return time.perf_counter() - started

    def _exchange(self, path: str, *, compressed: bool) -> tuple[HTTPResponse, int]:
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip" if compressed else "identity"}
        try:
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
            return response, self._receive(response)
        except (OSError, HTTPException):
            self._connection.close()
            raise

    def _receive(self, response: HTTPResponse) -> int:
        """Read into pages that the kernel has given already: a fresh 27 MB would be charged to the server."""
        size = 0
        while count := response.readinto(self._buffer[size:]):
            size += count
        return size

    def close(self) -> None:
        self._connection.close()


def wait_until_served(port: int, path: str, process: subprocess.Popen[bytes], seconds: float = 30.0) -> float:
    """Seconds until `path` is first answered with 200."""
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        client = Client(port)
        try:
            if client.get(path).status == 200:
                return time.perf_counter() - started
        except (OSError, HTTPException):
            if process.poll() is not None:
                raise RuntimeError(f"the process ended with exit code {process.returncode}") from None
        finally:
            client.close()
        time.sleep(0.01)
    raise TimeoutError(f"{path} was not served within {seconds:g} s")
