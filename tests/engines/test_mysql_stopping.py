"""A daemon that stops in the middle of a statement, or of a login, leaves no trace in the server's books."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Lane
from tests.mariadb_watching import aborted
from tests.mysql_asking import query, session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from tests.fix_mariadb import NewMariadb

pytestmark = pytest.mark.engine


async def cancelled_after(seconds: float, work: Awaitable[object]) -> None:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])


async def logged_in_and_out(described: Mapping[str, object]) -> None:
    """As the probe does it."""
    async with session(described, Lane.PROBE):
        await asyncio.sleep(0)


async def test_a_cancelled_statement_or_login_is_no_aborted_client(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    before = aborted(server)
    for step in range(12):
        await cancelled_after(step / 4000, logged_in_and_out(server.instance()))
        async with session(server.instance()) as opened:
            await cancelled_after(step / 4000, opened.fetch(query("SELECT SLEEP(0.1)")))
            assert not opened.broken
    await asyncio.sleep(0.3)

    assert before == aborted(server)


async def test_a_cancelled_statement_that_does_not_end_is_cut_within_a_second(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    async with session(server.instance()) as opened:
        started = asyncio.get_running_loop().time()
        await cancelled_after(0.05, opened.fetch(query("SELECT SLEEP(5)")))
        seconds = asyncio.get_running_loop().time() - started
        assert opened.broken

    assert seconds < 3  # of five
