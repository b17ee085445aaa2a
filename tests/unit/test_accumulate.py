"""Running sums: whatever a server forgets, resets or gives back, what grew is counted once and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core import catalogue
from dbwatch.core.accumulate import RETAINED_PER_PLACE, Running
from dbwatch.core.catalogue import Source
from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Collector, Column, Family, FamilyType, Lane, TopN
from dbwatch.errors import CatalogueError, EngineError, Reason
from tests.fakes import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.core.model import Rows

FAMILIES = {
    "dbwatch_calls_total": Family("dbwatch_calls_total", FamilyType.COUNTER, "Calls."),
    "dbwatch_slowest_seconds": Family("dbwatch_slowest_seconds", FamilyType.GAUGE, "The slowest.", unit="seconds"),
    "dbwatch_entries": Family("dbwatch_entries", FamilyType.GAUGE, "Rows."),
}
LABELS = (("user", "username"), ("queryid", "queryid"))
SERVICE = frozenset({"app"})
USERS = {1: "app", 2: "jeanne", 3: "paul"}
HOUR = 3600.0
Series = tuple[str, ...]
RawKey = tuple[int, str]
TOP, QUERY = "top: {key: [queryid], weight: n}", "{queryid: queryid}"
REST = ("_other", "_other")


def mapper(limit: int = 1) -> Mapper:
    collector = Collector(
        "c",
        "postgres",
        "",
        (
            Column("dbwatch_calls_total", "calls", LABELS),
            Column("dbwatch_slowest_seconds", "slowest", LABELS),
            Column("dbwatch_entries", "=1"),
        ),
        (),
        60.0,
        1.0,
        Lane.SLOW,
        top=TopN(("username", "queryid"), "calls", limit, growth=True),
        accumulate=("userid", "queryid"),
        accounts=("username",),
    )
    return Mapper(collector, FAMILIES, accounts=SERVICE)


def result(calls: Iterable[tuple[RawKey, int | None]]) -> Rows:
    of: list[tuple[object, ...]] = [(user, USERS[user], query, count, 0.5) for (user, query), count in calls]
    return rows("userid", "username", "queryid", "calls", "slowest", of=of)


def read(of: Mapper, calls: dict[RawKey, int | None], now: float = 0.0) -> dict[Series, float]:
    """The counters by user and query."""
    blocks = [block for block in of.blocks(result(calls.items()), now) if block.family == "dbwatch_calls_total"]
    return {tuple(labels.values()): value for block in blocks for labels, value in block.samples()}


# --- any history ---

# What becomes of a raw row between two polls. (A server that forgets a row between them takes its last calls with it:
# nobody can know of those.)
FATES = st.one_of(
    st.tuples(st.just("work"), st.integers(1, 1000)),
    st.tuples(st.just("evicted"), st.just(0)),
    st.tuples(st.just("reset"), st.integers(0, 99)),  # to so many hundredths of what it was
)
RAW_KEYS = st.tuples(st.sampled_from(sorted(USERS)), st.sampled_from("abcd"))
INTERVALS = st.tuples(
    st.dictionaries(RAW_KEYS, FATES), st.booleans(), st.integers(0, 9).map(lambda chance: chance == 0)
)


@dataclass
class Server:
    """What a server counts and forgets."""

    counts: dict[RawKey, int] = field(default_factory=dict)

    def live(self, fates: dict[RawKey, tuple[str, int]]) -> int:
        """How many calls there were."""
        return sum(self._meet(key, *fate) for key, fate in fates.items())

    def _meet(self, key: RawKey, fate: str, number: int) -> int:
        before = self.counts.pop(key, 0)
        if fate == "evicted" or (fate == "reset" and not before):
            return 0
        done = number if fate == "work" else before * number // 100
        self.counts[key] = before + done if fate == "work" else done
        return done

    @property
    def series(self) -> set[Series]:
        return {(USERS[user] if USERS[user] in SERVICE else "_other", query) for user, query in self.counts}


@dataclass
class Prometheus:
    """Adds up what each counter grew by, as increase() does: a sample below the one before began from zero."""

    last: dict[Series, float] = field(default_factory=dict)
    grown: float = 0.0
    fallen: list[Series] = field(default_factory=list)

    def scrape(self, samples: dict[Series, float], newborn: set[Series]) -> None:
        for series, value in samples.items():
            before = self.last.get(series, 0 if series in newborn else value)
            self.grown += value - before if value >= before else value
            self.fallen += [series] if value < before else []
        self.last |= samples


@given(st.lists(INTERVALS, max_size=12), st.integers(1, 3))
def test_all_series_together_grow_by_what_was_done_and_none_ever_falls(
    history: list[tuple[dict[RawKey, tuple[str, int]], bool, bool]], limit: int
) -> None:
    server, prometheus, watch = Server(), Prometheus(), mapper(limit)
    done, now, is_base = 0, 0.0, True
    for fates, an_hour_passes, another_server in history:
        before = server.series
        calls = server.live(fates)
        if another_server:
            watch.rebase()
            is_base = True
        now += HOUR if an_hour_passes else 60.0
        samples = read(watch, dict(server.counts), now)
        prometheus.scrape(samples, {REST} if is_base else {REST} | server.series - before)
        done += 0 if is_base else calls
        is_base = False

        assert done == prometheus.grown
        assert [] == prometheus.fallen
        assert len(samples) <= limit + 1


# --- one at a time ---


def test_a_first_look_tells_the_servers_own_numbers() -> None:
    assert {("app", "a"): 900, REST: 0} == read(mapper(), {(1, "a"): 900, (1, "b"): 500})


def test_persons_add_up_and_one_who_is_forgotten_takes_nothing_away() -> None:
    watch = mapper()

    assert 30 == read(watch, {(2, "a"): 10, (3, "a"): 20})["_other", "a"]
    assert 31 == read(watch, {(3, "a"): 21})["_other", "a"]
    assert 34 == read(watch, {(2, "a"): 3, (3, "a"): 21})["_other", "a"]


def test_a_reset_of_everything_neither_falls_nor_spikes() -> None:
    watch = mapper()
    read(watch, {(1, "a"): 900, (1, "b"): 500})

    assert {("app", "a"): 900, REST: 0} == read(watch, {})
    assert {("app", "a"): 902, REST: 1} == read(watch, {(1, "a"): 2, (1, "b"): 1})


def test_who_gets_a_place_begins_with_its_own_number_and_goes_on_from_there_when_it_comes_back() -> None:
    watch = mapper()
    read(watch, {(1, "a"): 900, (1, "b"): 500})
    second = read(watch, {(1, "a"): 901, (1, "b"): 700}, HOUR)
    third = read(watch, {(1, "a"): 2901, (1, "b"): 701}, 2 * HOUR)

    assert {("app", "b"): 700, REST: 201} == second
    assert {("app", "a"): 900, REST: 2202} == third


def test_another_server_is_a_new_beginning() -> None:
    watch = mapper()
    read(watch, {(1, "a"): 900, (1, "b"): 500})
    watch.rebase()

    assert {("app", "a"): 900, REST: 0} == read(watch, {(1, "a"): 7000, (1, "b"): 8000, (1, "c"): 9})
    assert {("app", "a"): 901, REST: 2} == read(watch, {(1, "a"): 7001, (1, "b"): 8002, (1, "c"): 9})


def test_what_the_server_added_up_itself_is_part_of_the_rest() -> None:
    watch = mapper()
    names = ("userid", "username", "queryid", "calls", "slowest")
    app: tuple[object, ...] = (1, "app", "a", 5, None)
    polls = [rows(*names, of=[app, (None, *REST, calls, None)]) for calls in (900, 907)]
    found = [list(watch.blocks(poll, 0.0)) for poll in polls]

    assert [[5, 0], [5, 7]] == [list(blocks[0].values) for blocks in found]


def test_null_is_absent_until_there_is_a_value() -> None:
    watch = mapper()

    assert {} == read(watch, {(1, "a"): None, (1, "b"): None})
    assert {("app", "b"): 5, REST: 0} == read(watch, {(1, "a"): None, (1, "b"): 5})
    assert {("app", "b"): 5, REST: 7} == read(watch, {(1, "a"): 7, (1, "b"): None})
    assert {("app", "b"): 6, REST: 7} == read(watch, {(1, "a"): None, (1, "b"): 6})


def test_a_gauge_is_that_of_the_one_row_and_without_labels_the_sum_of_all() -> None:
    blocks = list(mapper(2).blocks(result([((1, "a"), 9), ((2, "b"), 8), ((3, "b"), 7), ((1, "c"), 1)]), 0.0))
    gauges = {block.family: block.samples() for block in blocks[1:]}

    assert [({"user": "app", "queryid": "a"}, 0.5)] == gauges["dbwatch_slowest_seconds"]
    assert [({}, 4)] == gauges["dbwatch_entries"]


def test_the_same_row_twice_is_a_shape_error() -> None:
    with pytest.raises(EngineError) as caught:
        list(mapper().blocks(result([((1, "a"), 9), ((1, "a"), 8)]), 0.0))

    assert caught.value.reason is Reason.SHAPE


def test_what_is_remembered_is_bounded() -> None:
    running = Running(TopN(("queryid",), "calls", 2, growth=True), ())
    for hour in range(100):
        keys = [(f"{hour}-{number}",) for number in range(50)]
        running.update(keys, keys, [[1] * 50], hour * HOUR)

    sizes = [len(kept) for kept in vars(running).values() if isinstance(kept, dict)]
    assert 2 * (1 + RETAINED_PER_PLACE) == len(running._shown)
    assert max(sizes) <= 50


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("metrics: {dbwatch_calls_total: {value: calls, labels: {queryid: queryid}}}", "accumulate needs top"),
        (f"{TOP}\nmetrics: {{dbwatch_calls_total: {{value: n}}}}", "labels of top.key"),
        (f"{TOP}\nmetrics: {{dbwatch_calls_total: {{value: n, labels: {QUERY}, integrate: true}}}}", "wants numbers"),
    ],
)
def test_a_head_that_cannot_be_added_up_is_refused(head: str, expected: str) -> None:
    text = f"/* ---\ndescription: C.\ninterval: 60s\naccumulate: [userid]\n{head}\n--- */\nSELECT 1"
    families = "dbwatch_calls_total: {type: counter, help: Calls., labels: [queryid], engines: [postgres]}"
    with pytest.raises(CatalogueError, match=expected):
        catalogue.build(catalogue.families(families, "f"), [Source("postgres", "metrics", "c", "c.sql", text)])
