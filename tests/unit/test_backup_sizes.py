"""How much room the next set needs, and which set is suspiciously small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core.backups.model import Codec
from dbwatch.core.backups.sizes import (
    SCRATCH_BYTES,
    Anomaly,
    anomaly,
    learned_ratio,
    median,
    needed_bytes,
    reserve_bytes,
    scratch_bytes,
)
from tests.backup_sets import manifest

GIB = 1024**3


def test_the_first_set_may_be_as_large_as_its_databases() -> None:
    assert needed_bytes(5000, []) == 5000


def test_the_next_set_may_be_a_third_larger_than_the_last() -> None:
    sets = [manifest(1, size_bytes=9000, plain_bytes=10_000), manifest(2, size_bytes=1000, plain_bytes=10_000)]

    assert needed_bytes(0, sets) == 1300
    assert needed_bytes(0, list(reversed(sets))) == 1300  # the last by its number


def test_a_database_that_grew_needs_more_by_the_ratio_that_was_learned() -> None:
    sets = [manifest(number, size_bytes=1000, plain_bytes=4000) for number in range(1, 4)]

    assert learned_ratio(sets) == pytest.approx(0.325)  # a quarter, and what it may be larger
    assert needed_bytes(40_000, sets) == 13_000


def test_another_codec_teaches_nothing() -> None:
    sets = [manifest(1, size_bytes=100, plain_bytes=10_000, codec=Codec.ZSTD)]

    assert learned_ratio(sets, codec=Codec.NONE) == 1.0
    assert needed_bytes(10_000, sets, codec=Codec.NONE) == 10_000
    assert needed_bytes(10_000, sets, codec=Codec.ZSTD) == 130


def test_the_reserve_is_the_larger_of_both() -> None:
    assert reserve_bytes(100 * GIB, 0.05, 2 * GIB) == 5 * GIB
    assert reserve_bytes(10 * GIB, 0.05, 2 * GIB) == 2 * GIB


def test_a_restore_needs_room_for_the_databases_and_an_empty_server() -> None:
    assert scratch_bytes(manifest(plain_bytes=10 * GIB)) == 12 * GIB + SCRATCH_BYTES


def test_without_history_nothing_is_suspicious() -> None:
    assert anomaly(manifest(), []) == Anomaly()
    assert not anomaly(manifest(), []).is_anomalous
    assert anomaly(manifest(), []).detail == ""


def test_the_measure_is_the_median_of_the_five_before() -> None:
    before = [manifest(number, size_bytes=size) for number, size in enumerate([9, 9, 9, 100, 110, 120, 130, 5000], 1)]
    found = anomaly(manifest(9, size_bytes=59), before)

    assert found.bytes_ratio == pytest.approx(59 / 120)
    assert found.is_anomalous
    assert not anomaly(manifest(9, size_bytes=60), before).is_anomalous


def test_later_sets_and_the_set_itself_are_no_measure() -> None:
    newest = manifest(3, size_bytes=10)

    assert anomaly(newest, [newest, manifest(4, size_bytes=1000)]) == Anomaly()


def test_lost_rows_are_seen_though_the_bytes_are_as_ever() -> None:
    before = [manifest(number, rows=1000) for number in range(1, 6)]

    assert anomaly(manifest(6, rows=499), before).is_anomalous
    assert not anomaly(manifest(6, rows=None), before).is_anomalous
    assert anomaly(manifest(6, rows=None), before).rows_ratio is None


def test_a_set_that_is_small_for_its_codec_alone_is_not_suspicious() -> None:
    before = [manifest(number, size_bytes=9000, codec=Codec.NONE) for number in range(1, 6)]

    assert anomaly(manifest(6, size_bytes=900, codec=Codec.ZSTD), before).bytes_ratio is None


@given(st.lists(st.floats(0, 1e15), min_size=1))
def test_half_are_not_above_the_median_and_half_not_below(values: list[float]) -> None:
    middle = median(values)

    assert sum(value <= middle for value in values) * 2 >= len(values)
    assert sum(value >= middle for value in values) * 2 >= len(values)


@given(st.integers(0, 10**15), st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**15))))
def test_the_next_set_never_needs_less_than_the_last(database_bytes: int, sizes: list[tuple[int, int]]) -> None:
    sets = [manifest(number, size_bytes=size, plain_bytes=plain) for number, (size, plain) in enumerate(sizes, 1)]
    needed = needed_bytes(database_bytes, sets)

    assert needed >= (sets[-1].size_bytes if sets else database_bytes)
