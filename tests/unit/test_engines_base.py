"""What engines share: a caller who is cancelled waits for the answer a moment, and no longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.engines.base import LAST_ANSWER_SECONDS, completed
from dbwatch.errors import EngineError, Reason
from tests.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Coroutine

LOST = EngineError(Reason.LOST, "the server closed the connection")


def now() -> float:
    return asyncio.get_running_loop().time()


async def answered(seconds: float, error: BaseException | None = None) -> str:
    await asyncio.sleep(seconds)
    if error is not None:
        raise error
    return "answer"


async def cancelled(work: Coroutine[None, None, str]) -> asyncio.Task[str]:
    """A tenth of a second after it began."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    return task


def test_what_was_asked_is_given_and_what_it_raises_is_raised_as_it_is() -> None:
    async def story() -> None:
        assert "answer" == await completed(answered(1))
        for error in (LOST, KeyError("a bug")):
            began = now()
            with pytest.raises(type(error)) as caught:
                await completed(answered(1, error))
            assert caught.value is error
            assert now() - began == pytest.approx(1)

    run(story())


def test_who_is_cancelled_waits_for_the_answer_half_a_second_at_the_most() -> None:
    async def story() -> None:
        undone: list[str] = []

        async def undo(answer: str) -> None:
            await asyncio.sleep(0)
            undone.append(answer)

        for seconds, waited, kept in ((0.3, 0.3, ["answer"]), (9, 0.1 + LAST_ANSWER_SECONDS, [])):
            began = now()
            task = await cancelled(completed(answered(seconds), undo))
            assert task.cancelled()
            assert now() - began == pytest.approx(waited)
            assert kept == undone
            undone.clear()

    run(story())


@pytest.mark.parametrize("error", [LOST, KeyError("a bug")])
def test_who_is_cancelled_ends_whatever_is_raised_meanwhile(error: Exception) -> None:
    """A task that forgot that it was cancelled would begin anew, and the daemon never stop."""

    async def story() -> None:
        task = await cancelled(completed(answered(0.2, error)))
        assert task.cancelled()

    run(story())


def test_work_that_was_cancelled_by_somebody_else_is_not_waited_for() -> None:
    async def story() -> None:
        with pytest.raises(asyncio.CancelledError):
            await completed(answered(1, asyncio.CancelledError()))

    run(story())
