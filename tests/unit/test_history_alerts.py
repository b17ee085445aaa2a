"""Alerts, what was told of them, and the outbox outlive a restart; what is committed is committed as a whole."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.core.alerting.model import Acknowledgement, AlertState, Change, Silence, pairs
from dbwatch.errors import DbwatchError, UsageError
from dbwatch.history import EventKind, Outcome, Record, Window, database, words
from dbwatch.settings.models import Settings
from tests.alerting_words import NOW, alert, letter, outgoing

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.core.alerting.model import Alert
    from dbwatch.history import History, Outgoing

SETTINGS = Settings.model_validate({})
FAR = 4_000_000_000.0


def record(*alerts: Alert, now: float = NOW, letters: tuple[Outgoing, ...] = (), told: int = 1) -> Record:
    return Record(now, {each.fingerprint: each for each in alerts}, {"version": told}, letters)


async def test_alerts_memory_and_letters_outlive_a_restart(tmp_path: Path) -> None:
    firing = alert()
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(firing, letters=(outgoing(),)))
    async with history.opened(tmp_path) as past:
        assert {firing.fingerprint: firing} == past.alerts.alerts
        assert {"version": 1} == past.alerts.memory
        assert NOW == past.alerts.looked_at
        assert [outgoing().message] == [each.message for each in await past.outbox.due(NOW, 10)]


async def test_a_history_of_the_first_version_keeps_its_windows(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / history.FILE, isolation_level=None)
    first = database.MIGRATIONS / "0001_maintenance.sql"
    connection.executescript(first.read_text())
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO maintenance (instance, starts_at, reason) VALUES ('pg1', 5.0, 'upgrade')")
    connection.close()

    async with history.opened(tmp_path) as past:
        assert [Window("pg1", 5.0, None, "upgrade")] == past.windows(NOW)
        assert {} == past.alerts.alerts


def refuse_letters(directory: Path) -> None:
    """As a full disk does, in the middle of the transaction."""
    with sqlite3.connect(directory / history.FILE) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    connection.close()


async def test_what_cannot_be_written_is_not_half_written(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert()))
        refuse_letters(tmp_path)

        with pytest.raises(DbwatchError, match="cannot use the history"):
            await past.alerts.commit(record(alert(AlertState.RESOLVED), letters=(outgoing(),), told=2))

        assert {"version": 1} == past.alerts.memory
        assert [AlertState.FIRING] == [each.state for each in past.alerts.alerts.values()]
        listed = await history.commands(past, lambda: SETTINGS)["alerts_list"]({})
        assert isinstance(listed, dict)
        assert ["resolved"] == [each["state"] for each in listed["alerts"]]  # what is true, not what is on the disk
    async with history.opened(tmp_path) as past:
        assert {"version": 1} == past.alerts.memory
        assert [AlertState.FIRING] == [each.state for each in past.alerts.alerts.values()]


async def test_what_the_disk_refuses_is_refused_in_one_line_that_says_where_and_how_to_mend_it(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert()))
        with sqlite3.connect(tmp_path / history.FILE) as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE INSERT ON acknowledgements BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        connection.close()
        ack = history.commands(past, lambda: SETTINGS)["alerts_acknowledge"]
        with pytest.raises(DbwatchError, match=rf"cannot use the history {tmp_path}/.*: no -> .*mend") as caught:
            await ack({"alert": alert().fingerprint})

    assert "\n" not in str(caught.value)


async def test_only_our_account_and_group_read_the_file(tmp_path: Path) -> None:
    (tmp_path / history.FILE).touch(mode=0o644)
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert()))
        assert {"0o640"} == modes(tmp_path)


def modes(directory: Path) -> set[str]:
    """Of the file and what SQLite puts beside it."""
    return {oct(each.stat().st_mode & 0o777) for each in directory.glob(f"{history.FILE}*")}


async def kinds(past: History) -> list[EventKind]:
    return [event.kind for event in await past.alerts.events(0)]


async def test_the_history_tells_what_happened_once(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert(AlertState.PENDING)))
        await past.alerts.commit(record(alert()))
        await past.alerts.commit(record(alert(), now=NOW + 15))
        await past.alerts.commit(record(alert(AlertState.RESOLVED), now=NOW + 252))
        await past.alerts.commit(record(alert(AlertState.RESOLVED), now=NOW + 260))
        await past.alerts.commit(record(now=NOW + 270))

        assert [EventKind.RESOLVED, EventKind.FIRED] == await kinds(past)
        assert {} == past.alerts.alerts


async def test_an_alert_whose_rule_went_is_told_as_removed_and_one_unmeasured_as_that(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert(), alert(db_instance="pg2")))
        unmeasured = replace(alert(AlertState.RESOLVED, db_instance="pg2"), is_measured=False)
        await past.alerts.commit(record(unmeasured, now=NOW + 300))

        assert {EventKind.REMOVED, EventKind.UNMEASURED, EventKind.FIRED} == set(await kinds(past))


async def test_what_fired_and_resolved_between_two_looks_are_two_events(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert(AlertState.RESOLVED), now=NOW + 300))

        assert [EventKind.RESOLVED, EventKind.FIRED] == await kinds(past)


async def test_events_are_found_by_instance_time_and_number(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert(), alert(db_instance="pg2")))

        assert ["pg2"] == [dict(each.labels)["db_instance"] for each in await past.alerts.events(0, 9, "pg2")]
        assert [] == await past.alerts.events(NOW + 1)
        assert 1 == len(await past.alerts.events(0, 1))


async def test_the_history_is_bounded_by_age(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert()))
        await past.alerts.commit(record(alert(), now=NOW + 91 * 86400))

        assert [] == await past.alerts.events(0)


async def test_an_acknowledgement_lasts_until_the_alert_resolves(tmp_path: Path) -> None:
    held = Acknowledgement(alert().fingerprint, NOW, "dba", "on it")
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert()))
        await past.alerts.acknowledge(held)
        assert {alert().fingerprint: held} == past.alerts.acknowledgements
    async with history.opened(tmp_path) as past:
        assert {alert().fingerprint: held} == past.alerts.acknowledgements
        await past.alerts.commit(record(alert(AlertState.RESOLVED)))
        assert {} == past.alerts.acknowledgements


async def test_a_silence_ends_by_the_clock_or_by_hand_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        asked = Silence(0, pairs({"db_instance": "pg1"}), NOW, FAR, "dba", "move")
        first = await past.alerts.silence(asked)
        assert [first] == past.alerts.silences(NOW)
        assert [] == past.alerts.silences(FAR)
        assert await past.alerts.unsilence(first.id, NOW + 1)
        assert not await past.alerts.unsilence(first.id, NOW + 2)
        assert [] == past.alerts.silences(NOW + 2)
        assert (await past.alerts.silence(asked)).id > first.id
        assert [EventKind.UNSILENCED, EventKind.SILENCED, EventKind.SILENCED] == sorted(await kinds(past), reverse=True)


def test_words_go_to_json_and_back() -> None:
    one = letter(alert(), alert(AlertState.RESOLVED, db_instance="pg2"), change=Change.PASSED)

    assert one == words.letter_from(words.letter_text(one))


# --- the outbox ---


async def put(past: History, *letters: Outgoing, now: float = NOW, superseded: tuple[int, ...] = ()) -> None:
    await past.alerts.commit(replace(record(now=now, letters=letters), superseded=superseded))


async def subjects(past: History, now: float = NOW) -> list[str]:
    return [each.message_id.split("@")[0].lstrip("<") for each in await past.outbox.due(now, 100)]


async def test_letters_of_one_thread_leave_in_order_and_do_not_wait_for_other_threads(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, *(outgoing(thread=thread, sequence=number) for thread in "ab" for number in (0, 1)))
        assert ["a.0", "a.1", "b.0", "b.1"] == await subjects(past)
        first = (await past.outbox.due(NOW, 1))[0]
        await past.outbox.sending([first.id])
        assert ["b.0", "b.1"] == await subjects(past)
        await past.outbox.later(first.id, NOW + 15, Outcome(first.recipients, "451 busy", "relay"))
        assert ["b.0", "b.1"] == await subjects(past)
        assert ["a.0", "a.1", "b.0", "b.1"] == await subjects(past, NOW + 15)


async def test_what_was_in_hand_when_the_process_died_is_sent_again_and_not_merged(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, outgoing())
        ((number, waiting),) = await past.outbox.waiting("thread-1")
        assert letter() == waiting
        assert [number] == await past.outbox.sending([number, 999])
        assert 1 == past.outbox.counts.queued
    async with history.opened(tmp_path) as past:
        assert [outgoing().message] == [each.message for each in await past.outbox.due(NOW, 10)]
        assert [] == await past.outbox.waiting("thread-1")
        assert 1 == past.outbox.counts.queued


async def test_a_superseded_letter_does_not_leave(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, outgoing())
        ((number, _),) = await past.outbox.waiting("thread-1")
        await put(past, outgoing(sequence=1), superseded=(number,))

        assert ["thread-1.1"] == await subjects(past)
        assert 1 == past.outbox.counts.queued


async def test_a_letter_sent_or_dead_is_counted_and_leaves_nothing_to_send(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, outgoing(thread="a"), outgoing(thread="b"))
        one, two = await past.outbox.due(NOW, 10)
        assert (2, 0, NOW, NOW) == (
            past.outbox.counts.queued, past.outbox.counts.dead, past.outbox.counts.oldest_at, past.outbox.counts.next_at
        )  # fmt: skip
        await past.outbox.sending([one.id, two.id])
        await past.outbox.sent(one.id, NOW + 1, "relay")
        await past.outbox.dead(two.id, NOW + 2, Outcome(two.recipients, "550 unknown", "relay"))

        assert history.Counts(0, 1, None, None, NOW + 1) == past.outbox.counts
        assert [] == await past.outbox.due(FAR, 10)


async def test_a_clock_that_goes_back_does_not_hold_a_letter_for_longer_than_a_pause(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, outgoing())
        assert [] == await past.outbox.due(NOW - 60, 10)
        assert ["thread-1.0"] == await subjects(past, NOW - 86400)


async def test_letters_that_were_sent_are_forgotten_after_a_month(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        await put(past, outgoing())
        (one,) = await past.outbox.due(NOW, 10)
        await past.outbox.sending([one.id])
        await past.outbox.sent(one.id, NOW, "relay")
        await put(past, now=NOW + 31 * 86400)

        assert None is past.outbox.counts.last_sent_at


# --- commands ---


async def test_commands_list_and_tell_what_fires(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        doors = history.commands(past, lambda: SETTINGS, lambda: NOW + 10)
        await past.alerts.commit(record(alert(AlertState.PENDING, db_instance="pg2"), alert()))

        answer = await doors["alerts_list"]({})
        assert isinstance(answer, dict)
        assert [("firing", "pg-etatcivil"), ("pending", "pg2")] == [
            (each["state"], each["labels"]["db_instance"]) for each in answer["alerts"]
        ]
        told = await doors["alerts_history"]({"instance": "pg-etatcivil", "seconds": 3600})
        assert isinstance(told, list)
        assert ["fired"] == [each["kind"] for each in told]


@pytest.mark.parametrize(
    "named",
    [
        {"alert": alert().fingerprint[:2]},
        {"alert": alert().fingerprint},
        {"alert": "InstanceDown", "instance": "pg-etatcivil"},
        {"alert": "Alone"},
    ],
)
async def test_an_alert_is_acknowledged_by_its_fingerprint_or_its_name(
    tmp_path: Path, named: dict[str, object]
) -> None:
    async with history.opened(tmp_path) as past:
        doors = history.commands(past, lambda: SETTINGS, lambda: NOW + 10)
        alone = alert(alertname="Alone", db_instance="")
        await past.alerts.commit(record(alert(), alert(db_instance="pg2"), alone))

        await doors["alerts_acknowledge"]({**named, "who": "dba", "comment": "on it"})

        mark = (alone if named["alert"] == "Alone" else alert()).fingerprint
        expected = {mark: Acknowledgement(mark, NOW + 10, "dba", "on it")}
        assert expected == past.alerts.acknowledgements


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (
            {"alert": "abcd"},
            rf"no alert that fires has the name or the id 'abcd'; firing:\n  {alert().fingerprint[:8]}  ",
        ),
        ({"alert": ""}, "no alert that fires"),
        ({"alert": alert().fingerprint[:1]}, "no alert that fires"),
        ({"alert": "InstanceDown", "instance": "pg9"}, "no alert InstanceDown of pg9 fires"),
        (
            {"alert": "InstanceDown"},
            r"2 alerts InstanceDown fire: name the instance, or give the id of one:(\n  \w{8}  InstanceDown pg\S+){2}$",
        ),
        ({"alert": ["x"]}, "alert is a text"),
    ],
)
async def test_what_cannot_be_acknowledged_is_told(tmp_path: Path, named: dict[str, object], told: str) -> None:
    async with history.opened(tmp_path) as past:
        await past.alerts.commit(record(alert(), alert(db_instance="pg2")))
        with pytest.raises(UsageError, match=told):
            await history.commands(past, lambda: SETTINGS)["alerts_acknowledge"](named)


async def test_a_silence_is_asked_for_and_ended_by_command(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        doors = history.commands(past, lambda: SETTINGS, lambda: NOW)
        await past.alerts.commit(record(alert()))
        made = await doors["alerts_silence"]({"labels": {"db_instance": "pg-etatcivil"}, "seconds": 60, "who": "dba"})
        assert isinstance(made, dict)
        listed = await doors["alerts_list"]({})
        assert isinstance(listed, dict)

        assert [made["id"]] == listed["alerts"][0]["silenced_by"]
        assert {"id": made["id"]} == await doors["alerts_unsilence"]({"id": made["id"]})
        with pytest.raises(UsageError, match="no silence 1 is open; open: none"):
            await doors["alerts_unsilence"]({"id": made["id"]})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"labels": {}, "seconds": 60},
        {"labels": {"a": ""}, "seconds": 60},
        {"labels": {"a": 1}, "seconds": 60},
        {"labels": ["a"], "seconds": 60},
        {"labels": {"a": "b"}},
        {"labels": {"a": "b"}, "seconds": -1},
        {"labels": {"a": "b"}, "seconds": float("nan")},
        {"labels": {"a": "b"}, "seconds": 1e12},
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(tmp_path: Path, arguments: dict[str, object]) -> None:
    async with history.opened(tmp_path) as past:
        with pytest.raises(UsageError):
            await history.commands(past, lambda: SETTINGS)["alerts_silence"](arguments)
