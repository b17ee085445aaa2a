from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING

import pytest
from multidict import MultiDict

from dbwatch.core.alerting.figures import AlertingFigures, RuleFigures
from dbwatch.http.gzip_member import ALONE_BYTES, Compressor, groups
from dbwatch.http.negotiation import Format, accepts_gzip, page_format
from dbwatch.http.own_metrics import OwnMetrics, RecentWorst
from dbwatch.http.page import Pages
from dbwatch.http.selection import Selection
from dbwatch.http.sending import WRITE_BYTES, pieces
from tests.fix_http import filled_store, single
from tests.fix_http import put as put_in

if TYPE_CHECKING:
    from collections.abc import Sequence

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text; version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=x", Format.TEXT),
        ("application/json", Format.TEXT),
    ],
)
def test_the_format_is_the_one_the_client_prefers(accept: str, expected: Format) -> None:
    assert expected is page_format(accept)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("gzip", True), ("gzip, deflate", True), ("", False), ("identity", False), ("gzip;q=0, *", False), ("*", True)],
)
def test_gzip_is_sent_only_to_those_who_take_it(header: str, *, expected: bool) -> None:
    assert expected is accepts_gzip(header)


def page_of(sizes: Sequence[int]) -> list[bytes]:
    return [b"# HELP x y\n" if size == 0 else bytes(i * i % 251 for i in range(size)) for size in sizes]


@pytest.mark.parametrize(
    "sizes", [[], [0], [10, 20], [0, ALONE_BYTES, 0, ALONE_BYTES * 9, 5], [700] * 900, [0, 400] * 500]
)
def test_a_page_in_pieces_is_one_gzip_member(sizes: list[int]) -> None:
    chunks = page_of(sizes)
    member = Compressor().member(chunks)

    assert b"".join(chunks) == gzip.decompress(member.body)
    assert member.body.count(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff") == 1
    assert sum(map(len, chunks)) == member.plain_bytes


def test_an_unchanged_piece_is_not_compressed_again() -> None:
    compressor, large = Compressor(), [bytes([letter]) * ALONE_BYTES for letter in b"abc"]
    compressor.member(large)
    first = dict(compressor._pieces)
    compressor.member([large[0], b"x" * ALONE_BYTES, large[2]])
    second = compressor._pieces

    assert [True, False, True] == [second[group] is first.get(group) for group in second]


def test_a_kept_piece_does_not_keep_old_text_alive() -> None:
    compressor, old = Compressor(), b"a" * ALONE_BYTES
    compressor.member([old])
    new = bytes(bytearray(old))
    compressor.member([new])

    assert next(iter(compressor._pieces))[0] is new


def test_small_chunks_are_compressed_together() -> None:
    assert 1 == len(list(groups([b"# HELP a\n", b"a 1\n", b"# HELP b\n", b"b 1\n"])))


def test_writes_are_of_bounded_size_and_lose_nothing() -> None:
    chunks = page_of([100, WRITE_BYTES * 3 + 1, 200, 300, WRITE_BYTES - 1, 5])
    written = list(pieces(chunks))

    assert b"".join(chunks) == b"".join(written)
    assert max(map(len, written)) <= 2 * WRITE_BYTES


def selected(query: str, **page: object) -> str:
    store = filled_store()
    pages = Pages(store, OwnMetrics())
    selection = Selection.of(
        MultiDict((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&")) if name)
    )
    try:
        return b"".join(
            pages.chunks(Format.OPENMETRICS if page.get("openmetrics") else Format.TEXT, selection)
        ).decode()
    finally:
        pages.close()


async def test_a_page_without_a_filter_has_everything() -> None:
    text = selected("")

    assert 'dbwatch_sessions_max{db_instance="citoyens"' in text
    assert 'dbwatch_sessions_max{db_instance="rdv"' in text
    assert "process_resident_memory_bytes" in text
    assert "dbwatch_build_info{" in text
    assert "dbwatch_instances 2.0" in text
    assert "# EOF" not in text


async def test_openmetrics_ends_once() -> None:
    text = selected("", openmetrics=True)

    assert text.endswith("\n# EOF\n")
    assert 1 == text.count("# EOF")


async def test_an_instance_filter_leaves_the_others_and_our_own_metrics_out() -> None:
    text = selected("db_instance=rdv")

    assert 'db_instance="rdv"' in text
    assert "citoyens" not in text
    assert "process_" not in text


async def test_our_own_metrics_can_be_asked_for_alone() -> None:
    text = selected("collector=dbwatch")

    assert "process_" in text
    assert "db_instance=" not in text


async def test_families_can_be_chosen_by_the_name_of_a_sample() -> None:
    text = selected("name[]=dbwatch_sessions_max&name[]=process_cpu_seconds_total", openmetrics=True)
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    assert {"dbwatch_sessions_max", "process_cpu_seconds"} == families


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"db_instance": "rdv", "collector": "sessions"}, ""),
        ({"collector": "dbwatch"}, ""),
        ({"db_instance": "rvd"}, "no instance 'rvd' is configured"),
        ({"collector": "session"}, "no instance has a collector 'session'"),
    ],
)
def test_a_misspelt_filter_is_told(query: dict[str, str], expected: str) -> None:
    assert expected == Selection.of(MultiDict(query)).fault(filled_store().states())


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_the_compressed_page_is_the_plain_page() -> None:
    pages = Pages(filled_store(), OwnMetrics())
    try:
        plain = gzip.decompress(await pages.compressed(Format.OPENMETRICS)).decode()
    finally:
        pages.close()

    assert 'dbwatch_sessions_max{db_instance="rdv"' in plain
    assert "process_resident_memory_bytes" in plain
    assert plain.endswith("# EOF\n")


async def test_alerting_and_backups_are_asked_on_the_event_loop_whatever_thread_writes_the_page() -> None:
    """They change there: gone through in a thread meanwhile, they would end the daemon."""
    asked: list[threading.Thread] = []
    own = OwnMetrics()

    def figures() -> AlertingFigures:
        asked.append(threading.current_thread())
        return AlertingFigures(RuleFigures(left_out=3))

    own.alerting.figures = figures
    pages = Pages(filled_store(), own)
    try:
        page = gzip.decompress(await pages.compressed(Format.TEXT))
    finally:
        pages.close()

    assert b"dbwatch_rules_left_out 3.0" in page
    assert {threading.current_thread()} == set(asked)


async def test_a_page_is_not_kept_fresh_for_nobody() -> None:
    clock = Clock()
    pages = Pages(filled_store(), OwnMetrics(), clock)
    try:
        await pages.compressed(Format.TEXT)
        page = pages._pages[Format.TEXT]
        clock.now += 299.0
        await pages._refresh(page)
        kept = page.body
        clock.now += 2.0
        await pages._refresh(page)
    finally:
        pages.close()

    assert kept is not None
    assert page.body is None


async def test_a_rebuilt_page_shows_what_changed() -> None:
    store = filled_store()
    pages = Pages(store, OwnMetrics())
    try:
        await pages.compressed(Format.TEXT)
        put_in(store, store.states()[0].identity, "more", single("dbwatch_tables", 7.0, database="app"))
        before = gzip.decompress(await pages.compressed(Format.TEXT))
        await pages._refresh(pages._pages[Format.TEXT])
        after = gzip.decompress(await pages.compressed(Format.TEXT))
    finally:
        pages.close()

    assert b"dbwatch_tables" not in before
    assert b"dbwatch_tables{" in after


def test_the_worst_lateness_is_that_of_five_minutes() -> None:
    clock = Clock()
    worst = RecentWorst(clock)
    worst.note(2.0)
    clock.now += 200.0
    worst.note(0.5)
    first = worst.value()
    clock.now += 150.0

    assert 2.0 == first
    assert 0.5 == worst.value()


@pytest.mark.parametrize("openmetrics", [False, True])
def test_own_metrics_carry_no_created_samples_and_no_end(*, openmetrics: bool) -> None:
    own = OwnMetrics()
    own.lag(0.003)
    own.lateness(0.2)
    own.crashed("poller-x")
    own.answered("metrics", 200, 0.004)
    text = own.render(openmetrics=openmetrics).decode()

    assert "_created" not in text
    assert "# EOF" not in text
    assert 'dbwatch_task_crashes_total{task="poller-x"} 1.0' in text
    assert 'dbwatch_http_requests_total{code="200",handler="metrics"} 1.0' in text
    assert 'dbwatch_event_loop_lag_seconds_bucket{le="0.02"} 1.0' in text
    assert "dbwatch_poll_lateness_max_seconds 0.2" in text
