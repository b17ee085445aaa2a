"""Basic auth with bcrypt hashes: off the loop, remembered, and the same work whoever asks.

bcrypt takes 50 ms and more by design. What was found is kept under a keyed hash of name, hash and password, so that a
scrape every few seconds costs nothing, and no password is kept in memory.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REMEMBERED = 128
WAITING_MAX = 16  # more than that are guesses: they are refused unheard
BCRYPT_MAX_BYTES = 72
# A stranger is checked against a hash nobody's password has: with the cost of the first user, made when first needed.
FALLBACK_COST = 10


class _Memory:
    """The last so many answers; refusals are kept apart, so that guessing cannot push out those who may enter."""

    def __init__(self) -> None:
        self._answers: dict[bool, OrderedDict[bytes, None]] = {True: OrderedDict(), False: OrderedDict()}

    def get(self, key: bytes) -> bool | None:
        for answer, known in self._answers.items():
            if key in known:
                known.move_to_end(key)
                return answer
        return None

    def put(self, key: bytes, *, answer: bool) -> None:
        known = self._answers[answer]
        known[key] = None
        if len(known) > REMEMBERED:
            known.popitem(last=False)


class Gate:
    """Decides who may ask. Without users everyone may."""

    def __init__(self, users: Callable[[], Mapping[str, bytes]]) -> None:
        self._users = users
        self._secret = secrets.token_bytes(32)
        self._memory = _Memory()
        self._waiting = 0
        self._nobody: dict[int, bytes] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def admits(self, authorization: str) -> bool:
        """Whether this Authorization header opens the gate."""
        users = self._users()
        if not users:
            return True
        pair = credentials(authorization)
        if pair is None:
            return False
        user, password = pair
        expected = users.get(user, b"")
        key = self._key(user, expected, password)
        known = self._memory.get(key)
        if known is None:
            known = await self._check(users, expected, password)
            if known is not None:
                self._memory.put(key, answer=known)
        return bool(known)

    def _key(self, user: str, expected: bytes, password: bytes) -> bytes:
        """The keyed hash makes looking it up in a table safe: a guesser learns nothing from its time."""
        parts = (user.encode(), expected, password)
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._secret, message, "sha256")

    async def _check(self, users: Mapping[str, bytes], expected: bytes, password: bytes) -> bool | None:
        """None: too busy to say."""
        if self._waiting >= WAITING_MAX:
            return None
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            matches = await loop.run_in_executor(self._thread, self._matches, users, expected, password)
        finally:
            self._waiting -= 1
        return matches and bool(expected)

    def _matches(self, users: Mapping[str, bytes], expected: bytes, password: bytes) -> bool:
        """Runs in the thread. A stranger costs as much as a user."""
        against = expected or self._hash_of_nobody(cost(next(iter(users.values()))))
        try:
            return bcrypt.checkpw(password[:BCRYPT_MAX_BYTES], against)
        except ValueError:  # a NUL byte, or a hash that is none
            return False

    def _hash_of_nobody(self, rounds: int) -> bytes:
        if rounds not in self._nobody:
            self._nobody[rounds] = bcrypt.hashpw(secrets.token_hex(16).encode(), bcrypt.gensalt(rounds))
        return self._nobody[rounds]


def cost(hashed: bytes) -> int:
    """The work factor in a bcrypt hash: `$2y$10$...`."""
    digits = hashed.split(b"$")[2] if hashed.count(b"$") >= len("$$$") else b""
    return int(digits) if digits.isdigit() else FALLBACK_COST


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """User and password of a Basic header; None where there is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None
