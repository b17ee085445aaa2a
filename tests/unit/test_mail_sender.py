"""The outbox's loop, in virtual time: nothing is lost, nothing overtakes, and whoever refuses is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dbwatch.errors import DbwatchError
from dbwatch.history import Outcome, Record
from dbwatch.mailer.delivery import Report
from dbwatch.mailer.memory import MemoryOutbox
from dbwatch.mailer.pauses import Pauses
from dbwatch.mailer.relays import Refusal
from dbwatch.mailer.sender import Dead, Sender
from tests import virtual_time
from tests.alerting_words import outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from dbwatch.history import Outgoing, Queued

OUT = Report("", {"x": Refusal("relay:25", "did not answer in time")}, is_reached=False)
BUSY = Report("", {"astreinte@marseille.example": Refusal("relay:25", "451 busy")})
REFUSED = Report("", {"astreinte@marseille.example": Refusal("relay:25", "550 unknown", is_permanent=True)})
TAKEN = Report("relay:25")


class Courier:
    """Answers as it is told, by the time and the letter; remembers what it took, and when."""

    def __init__(self, answer: Callable[[float, bytes], Report] = lambda _now, _message: TAKEN) -> None:
        self.answer = answer
        self.taken: list[bytes] = []
        self.tried: list[float] = []

    async def deliver(self, recipients: tuple[str, ...], message: bytes) -> Report:
        await asyncio.sleep(0)
        now = asyncio.get_running_loop().time()
        self.tried.append(now)
        report = self.answer(now, message)
        if len(report.refused) < len(recipients) and report.is_reached:
            self.taken.append(message)
        return report

    async def close(self) -> None: ...


class Disk(MemoryOutbox):
    """The outbox of the history, in memory; `is_full`: it refuses to be written."""

    is_full = False

    async def commit(self, record: Record) -> None:
        self.check()
        self.put(record.outgoing, record.now)

    async def sent(self, letter_id: int, now: float, relay: str) -> None:
        self.check()
        await super().sent(letter_id, now, relay)

    async def sending(self, ids: Iterable[int]) -> list[int]:
        """As SQLite has it: a transaction that writes nothing is not refused."""
        chosen = list(ids)
        if chosen:
            self.check()
        return await super().sending(chosen)

    def check(self) -> None:
        if self.is_full:
            raise DbwatchError("cannot use the history: database or disk is full")


def run(story: Callable[[Sender, Courier, Disk], Coroutine[None, None, None]], courier: Courier | None = None) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        chosen, disk = courier or Courier(), Disk()
        sender = Sender(disk, chosen, clock=loop.time, jitter=lambda: 0.5, on_dead=DEAD.append)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(sender.run(), name="outbox")
            await story(sender, chosen, disk)
            task.cancel()

    DEAD.clear()
    virtual_time.run(main())


DEAD: list[Dead] = []


async def post(sender: Sender, disk: Disk, *letters: Outgoing) -> bool:
    return await sender.post(disk, Record(asyncio.get_running_loop().time(), {}, {}, letters))


def messages(*letters: Outgoing) -> list[bytes]:
    return [each.message for each in letters]


def test_a_letter_leaves_at_once() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        await asyncio.sleep(1000)
        before = asyncio.get_running_loop().time()
        assert await post(sender, disk, outgoing())
        await asyncio.sleep(1)
        assert messages(outgoing()) == courier.taken
        assert courier.tried[0] - before < 0.1
        assert (0, 1, 0) == (sender.figures.queued, sender.figures.sent_total, sender.figures.retries_total)

    run(story)


def test_thirty_minutes_without_a_relay_lose_nothing_and_are_over_a_minute_after_it_is_back() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        letters = [outgoing(thread=f"t{number}") for number in range(20)]
        for each in letters:
            await post(sender, disk, each)
            await asyncio.sleep(60)
        await asyncio.sleep(700)
        assert (20, [], "relay:25: did not answer in time") == (sender.figures.queued, courier.taken, sender.last_error)
        attempts = len(courier.tried)
        assert attempts < 45
        await asyncio.sleep(61)
        assert messages(*letters) == courier.taken
        assert "" == sender.last_error

    start = 1000.0
    run(story, Courier(lambda now, _: OUT if now < start + 1900 else TAKEN))


def test_a_letter_that_is_put_off_holds_up_its_thread_and_nobody_else() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        a0, a1, b0 = outgoing(thread="a"), outgoing(thread="a", sequence=1), outgoing(thread="b")
        await post(sender, disk, a0, a1, b0)
        await asyncio.sleep(5)
        assert messages(b0) == courier.taken
        await asyncio.sleep(15)
        assert messages(b0, a0, a1) == courier.taken
        assert 1 == sender.figures.retries_total

    run(story, Courier(lambda now, message: BUSY if now < 1010 and b"<a." in message else TAKEN))


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    pauses = Pauses()

    assert [15, 30, 60, 120, 240, 480, 900, 900] == [pauses.letter(number, 0.5) for number in range(8)]
    assert [11.25, 18.75] == [pauses.letter(0, jitter) for jitter in (0, 1)]


def test_what_is_refused_for_good_is_told_and_not_tried_again() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        await post(sender, disk, outgoing())
        await asyncio.sleep(4000)
        assert 1 == len(courier.tried)
        expected = [Dead(outgoing().message_id, ("astreinte@marseille.example",), "relay:25: 550 unknown")]
        assert expected == DEAD
        assert (0, 1, 1) == (sender.figures.queued, sender.figures.dead, sender.figures.dead_total)

    run(story, Courier(lambda _now, _message: REFUSED))


def test_a_letter_that_is_put_off_for_three_days_is_given_up_and_told() -> None:
    async def story(sender: Sender, _courier: Courier, disk: Disk) -> None:
        await post(sender, disk, outgoing())
        await asyncio.sleep(3 * 86400 + 2000)
        assert ["relay:25: 451 busy"] == [each.error for each in DEAD]
        assert 0 == sender.figures.queued

    run(story, Courier(lambda _now, _message: BUSY))


def test_a_full_disk_holds_no_letter_up_and_says_so() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        disk.is_full = True
        assert not await post(sender, disk, outgoing())
        await asyncio.sleep(5)
        assert messages(outgoing()) == courier.taken
        told = [sender.figures.is_persisted]
        disk.is_full = False
        assert await post(sender, disk)
        await asyncio.sleep(120)
        assert [False, True] == [*told, sender.figures.is_persisted]
        assert messages(outgoing()) == courier.taken

    run(story)


def test_mail_that_left_from_memory_does_not_make_a_full_disk_a_good_one() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        disk.is_full = True
        await post(sender, disk, outgoing())
        await asyncio.sleep(300)
        assert messages(outgoing()) == courier.taken
        assert not sender.figures.is_persisted

    run(story)


def test_what_waits_in_memory_goes_to_the_disk_once_it_takes_something_again() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        disk.is_full = True
        await post(sender, disk, outgoing())
        await asyncio.sleep(100)
        assert (0, 1) == (disk.counts.queued, sender.figures.queued)
        disk.is_full = False
        await post(sender, disk, outgoing(sequence=1))
        assert (2, 2) == (disk.counts.queued, sender.figures.queued)
        courier.answer = lambda _now, _message: TAKEN
        await asyncio.sleep(120)
        assert messages(outgoing(), outgoing(sequence=1)) == courier.taken

    run(story, Courier(lambda _now, _message: OUT))


def test_a_letter_that_left_while_the_disk_filled_up_is_not_sent_twice() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        def fill(_now: float, _message: bytes) -> Report:
            disk.is_full = True
            return TAKEN

        courier.answer = fill
        await post(sender, disk, outgoing())
        await asyncio.sleep(600)
        assert messages(outgoing()) == courier.taken
        disk.is_full = False
        await asyncio.sleep(600)
        assert messages(outgoing()) == courier.taken
        assert (0, True) == (sender.figures.queued, sender.figures.is_persisted)

    run(story)


def test_a_clock_that_jumps_delays_nothing_for_longer_than_a_minute() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ahead = [86400.0]
        courier, disk = Courier(lambda now, _: BUSY if now < 1005 else TAKEN), Disk()
        sender = Sender(disk, courier, clock=lambda: loop.time() + ahead[0], jitter=lambda: 0.5)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(sender.run(), name="outbox")
            await sender.post(disk, Record(loop.time() + ahead[0], {}, {}, (outgoing(),)))
            await asyncio.sleep(7)
            ahead[0] = 86400.0 * 2
            await asyncio.sleep(61)
            assert messages(outgoing()) == courier.taken
            task.cancel()

    virtual_time.run(main())


def test_ten_thousand_letters_leave_without_holding_the_loop() -> None:
    async def story(sender: Sender, courier: Courier, disk: Disk) -> None:
        letters = [outgoing(thread=f"t{number}") for number in range(10_000)]
        await post(sender, disk, *letters)
        turns = 0
        while len(courier.taken) < len(letters):
            await asyncio.sleep(0)
            turns += 1
        assert messages(*letters) == courier.taken
        assert turns >= 10_000

    run(story)


def test_memory_is_bounded() -> None:
    async def main() -> None:
        memory = MemoryOutbox()
        assert 5 == memory.put([outgoing(thread=f"t{number}") for number in range(10_005)], 0.0)
        one: Queued = (await memory.due(1.0, 1))[0]
        await memory.later(one.id, 99.0, Outcome(("b@c",), "451", "relay", is_touched=True))
        assert one.id not in memory.untouched()

    virtual_time.run(main())
