from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest

from dbwatch.core.model import Block, Identity, Snapshot
from dbwatch.core.showing import humanise
from dbwatch.errors import CatalogueError, Reason
from dbwatch.http import api, figures
from dbwatch.http.detail import detail
from dbwatch.http.frame import Frame
from dbwatch.http.markup import element
from dbwatch.http.overview import overview
from dbwatch.http.own_metrics import OwnMetrics
from dbwatch.http.view import Freshness, InstanceView, Level, freshness, instance_view, with_rankings, worst_first
from tests.fix_http import FAMILIES, healthy_state, single, status

NOW = time.time()
FRAME = Frame(NOW, "/metrics", "/", 10)
EVIL = '<script>alert("1")</script>\'&'


def identity(name: str = "citoyens") -> Identity:
    return Identity(name, "postgres", "prod", "rdv", "dba")


def snapshot(*blocks: Block, taken_at: float = NOW) -> Snapshot:
    return Snapshot("citoyens", "any", taken_at, 0.01, blocks)


def shipped() -> figures.Figures:
    return figures.Figures(figures.load(figures.FIGURES_FILE.read_text(), FAMILIES))


def read(*blocks: Block) -> dict[str, figures.Figure]:
    return {figure.key: figure for figure in shipped().read("citoyens", [snapshot(*blocks)])}


def test_what_lies_in_the_future_is_told_as_such_unless_clocks_may_differ_by_it() -> None:
    assert humanise.ago(100.0, 160.0) == "1 min ago"
    assert humanise.ago(100.0, 70.0) == "just now"
    assert humanise.ago(7300.0, 100.0) == "2 h in the future: a clock was wrong"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.0153, "15.3 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1, "1 s"),
        (1.24, "1.2 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (86400 * 2 + 3600 * 4 + 59, "2 d 4 h"),
        (-5, "-5 s"),
    ],
)
def test_durations_have_two_units_at_the_most(seconds: float, expected: str) -> None:
    assert expected == humanise.duration(seconds)


@pytest.mark.parametrize(
    ("n_bytes", "expected"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.50 KiB"), (20 * 2**30, "20 GiB"), (2**60, "1024 PiB")],
)
def test_sizes_are_binary(n_bytes: float, expected: str) -> None:
    assert expected == humanise.size(n_bytes)


@pytest.mark.parametrize(("value", "expected"), [(3, "3"), (3.456, "3.46"), (1204, "1,204"), (2.1e6, "2.10 M")])
def test_counts_stay_short(value: float, expected: str) -> None:
    assert expected == humanise.count(value)


@pytest.mark.parametrize("value", [1.7e12, -1e12, 1e300])
def test_a_number_that_is_no_date_is_shown_as_it_is(value: float) -> None:
    """Milliseconds for seconds in a collector of one's own: who looks for the mistake must not get a traceback."""
    assert humanise.moment(value).endswith(" s, no date")


def test_a_figure_adds_up_and_knows_its_limit() -> None:
    blocks = [
        Block("dbwatch_sessions", ("state",), (("active", "idle"),), (30.0, 55.0)),
        single("dbwatch_sessions_max", 100.0),
    ]
    sessions = read(*blocks)["sessions"]

    assert (85.0, 100.0, True) == (sessions.value, sessions.limit, sessions.is_high)


def test_an_absent_figure_says_why() -> None:
    lag = read()["lag"]

    assert lag.value is None
    assert "no replication" in lag.why


def test_a_rate_needs_two_readings_and_survives_a_third_of_the_same() -> None:
    reader = shipped()

    def active(value: float, taken_at: float) -> float | None:
        block = single("dbwatch_active_session_seconds_total", value, wait_class="cpu")
        found = reader.read("citoyens", [snapshot(block, taken_at=taken_at)])
        return next(figure.value for figure in found if figure.key == "active")

    assert [None, 2.0, 2.0] == [active(100.0, NOW), active(120.0, NOW + 10), active(120.0, NOW + 10)]
    assert active(5.0, NOW + 20) is None  # the counter began again
    assert active(900.0, NOW + 2000) is None  # too long ago to say anything of now


def test_a_figure_can_be_ranked_by_its_labels() -> None:
    block = Block(
        "dbwatch_table_size_bytes",
        ("database", "schema", "table", "component"),
        (("app",) * 3, ("public",) * 3, ("small", "large", "large"), ("heap", "heap", "index")),
        (5.0, 10.0, 20.0),
    )
    ranking = next(each for each in shipped().rankings([snapshot(block)]) if each.unit == "bytes")

    assert [("app.public.large", 30.0), ("app.public.small", 5.0)] == list(ranking.items)


def test_a_figure_of_an_unknown_family_or_label_stops_the_start() -> None:
    text = "a: {title: A, family: dbwatch_no, aggregate: sum, unit: count}\n"
    text += "b: {title: B, family: dbwatch_sessions, aggregate: sum, unit: count, labels: {nope: x}}\n"
    text += "c: {title: C, family: dbwatch_sessions, aggregate: mean, unit: count}\n"
    with pytest.raises(CatalogueError) as caught:
        figures.load(text, FAMILIES)

    assert 3 == len(caught.value.faults)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, Freshness.FRESH),
        ({"last_success_at": NOW - 46}, Freshness.STALE),
        ({"succeeded": False}, Freshness.FAILING),
        ({"succeeded": None}, Freshness.WAITING),
        ({"succeeded": None, "skipped": "version"}, Freshness.SKIPPED),
    ],
)
def test_a_collector_is_stale_after_three_intervals(known: dict[str, object], expected: Freshness) -> None:
    assert expected is freshness(status("sessions", **known), NOW)


def view_of(name: str = "citoyens", **known: Any) -> InstanceView:
    collectors = known.pop("collectors", [status("sessions")])
    state = dataclasses.replace(healthy_state(identity(name), *collectors), **known)
    return instance_view(state, list(read(single("dbwatch_sessions_max", 100.0)).values()), NOW)


def blocked_figures() -> list[figures.Figure]:
    return list(read(single("dbwatch_blocked_sessions", 2.0)).values())


def test_the_worst_comes_first() -> None:
    stale = [status("sessions", last_success_at=NOW - 999)]
    views = [
        view_of("fine"),
        view_of("kept", in_maintenance=True, up=False),
        view_of("unknown", up=None),
        view_of("stale", collectors=stale),
        view_of("gone", up=False),
        instance_view(healthy_state(identity("blocked")), blocked_figures(), NOW),
    ]

    assert ["gone", "stale", "blocked", "unknown", "kept", "fine"] == [view.name for view in worst_first(views)]
    assert list(Level) == [view.level for view in worst_first(views)]


def test_what_a_server_wrote_cannot_become_markup() -> None:
    bad = status(EVIL, succeeded=False, reason=Reason.PERMISSION, message=EVIL, remedy=EVIL)
    view = with_rankings(
        view_of(up=False, message=EVIL, remedy=EVIL, address=EVIL, labels={EVIL: EVIL}, collectors=[bad]),
        [figures.Ranking(EVIL, "bytes", [(EVIL, 1.0), ("b", 2.0)])],
    )
    degraded = view_of(collectors=[bad])
    for html in (overview([view, degraded], FRAME), detail(view, FRAME), detail(degraded, FRAME)):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_an_attribute_is_escaped_too() -> None:
    assert '<a title="&quot;&gt;&lt;b">x</a>' == element("a", "x", title='"><b')


def test_the_page_says_state_in_words_and_how_to_mend_it() -> None:
    bad = status(
        "replication",
        succeeded=False,
        reason=Reason.PERMISSION,
        message="denied",
        remedy="GRANT pg_monitor TO dbwatch;",
    )
    html = overview([view_of("gone", up=False), view_of(collectors=[bad])], FRAME)

    assert "1 of 2 up" in html
    assert "✖ down" in html
    assert "▲ degraded" in html
    assert '<code class="remedy" title="one click selects it">GRANT pg_monitor TO dbwatch;</code>' in html
    assert '<meta http-equiv="refresh" content="10">' in html


def test_a_page_may_stand_still() -> None:
    html = overview([], dataclasses.replace(FRAME, refresh_seconds=0))

    assert "http-equiv" not in html
    assert "No instance is configured" in html


def test_the_details_list_every_collector_and_why_one_is_left_out() -> None:
    html = detail(view_of(collectors=[status("sessions"), status("wal", succeeded=None, skipped="version")]), FRAME)

    assert "left out: version" in html
    assert 'data-label="Last success"' in html
    assert "✔ ok" in html


def test_nothing_of_a_dead_server_looks_healthy() -> None:
    state = dataclasses.replace(healthy_state(identity(), status("sessions")), up=False)
    kept = snapshot(single("dbwatch_blocked_sessions", 2.0), taken_at=NOW - 17)
    view = instance_view(state, shipped().read("citoyens", [kept]), NOW)
    for html in (overview([view], FRAME), detail(view, FRAME)):
        assert '<dd class="old" title="the instance is down">2<span class="quiet"> as of 17 s ago</span></dd>' in html
        assert "✔" not in html

    assert f"{humanise.ABSENT} waiting" in detail(view, FRAME)
    assert "dbwatch ask" not in detail(view, FRAME)
    listed = with_rankings(view, [figures.Ranking("Sizes", "bytes", [("a", 2.0), ("b", 1.0)])])
    assert "Sizes, before it went down" in detail(listed, FRAME)


def test_dropped_series_are_told_instead_of_ok() -> None:
    cut = dataclasses.replace(snapshot(), collector="tables", dropped=99_000)
    view = instance_view(healthy_state(identity(), status("tables")), [], NOW, [cut])

    assert Level.ATTENTION is view.level
    assert "▲ 99,000 dropped (max_series)" in detail(view, FRAME)
    assert "✔ ok" not in detail(view, FRAME)
    assert "1 with dropped series" in overview([view], FRAME)


def test_a_row_without_any_name_is_not_ranked() -> None:
    block = Block("dbwatch_sessions", ("database",), (("", "app", "rdv"),), (0.0, 3.0, 2.0))
    ranking = next(each for each in shipped().rankings([snapshot(block)]) if each.unit == "count")

    assert [("app", 3.0), ("rdv", 2.0)] == list(ranking.items)
    assert 0 == ranking.more


def test_replication_lag_is_told_in_bytes_where_the_seconds_are_unknown() -> None:
    behind = single("dbwatch_replication_lag_bytes", 4096.0, replica="r1")
    lag = read(behind)["lag"]
    both = read(behind, single("dbwatch_replication_lag_seconds", 2.0, replica="r1"))["lag"]

    assert (4096.0, "bytes") == (lag.value, lag.unit)
    assert (2.0, "seconds") == (both.value, both.unit)


def test_a_fallback_of_an_unknown_family_stops_the_start() -> None:
    text = "a: {title: A, family: dbwatch_sessions, aggregate: sum, unit: count, or: "
    with pytest.raises(CatalogueError, match="dbwatch_no"):
        figures.load(text + "{family: dbwatch_no, aggregate: max, unit: bytes}}", FAMILIES)


def test_blocked_sessions_ask_for_attention_and_say_what_to_ask() -> None:
    view = instance_view(healthy_state(identity(), status("sessions")), blocked_figures(), NOW)
    calm = list(read(single("dbwatch_blocked_sessions", 0.0)).values())

    assert "▲ attention" in overview([view], FRAME)
    assert 'title="one click selects it">dbwatch ask citoyens locks</code>' in detail(view, FRAME)
    assert "dbwatch ask" not in detail(instance_view(healthy_state(identity()), calm, NOW), FRAME)


def test_a_failed_reload_is_told_until_one_succeeds() -> None:
    own = OwnMetrics()
    told = []
    for successful in (True, False, True):
        own.reloaded(successful=successful, now=NOW)
        html = overview([], dataclasses.replace(FRAME, last_reload_failed=own.last_reload_failed))
        told.append("the last reload failed" in html)

    assert [False, True, False] == told


def test_json_says_what_the_page_says() -> None:
    said = json.loads(json.dumps(api.instances_json([view_of(up=False, reason=Reason.AUTH)], NOW)))
    first = said["instances"][0]

    assert (1, 0) == (said["configured"], said["up"])
    assert ("citoyens", "down", "auth") == (first["db_instance"], first["state"], first["reason"])
    assert 100.0 == first["figures"]["sessions"]["limit"] or first["figures"]["sessions"]["value"] is None
    assert "paused" == first["collectors"]["sessions"]["state"]


def test_the_daemon_is_one_target_by_default() -> None:
    targets = api.targets_json([identity()], "db:10432", path="/metrics", scheme="https", is_split=False)

    assert [{"targets": ["db:10432"], "labels": {"__metrics_path__": "/metrics", "__scheme__": "https"}}] == targets


def test_split_targets_differ_in_their_instance_label() -> None:
    groups = api.targets_json([identity("a"), identity("b")], "db:1", path="/metrics", scheme="http", is_split=True)
    labels = [group["labels"] for group in groups]

    assert ["db:1", "db:1/a", "db:1/b"] == [each["instance"] for each in labels if isinstance(each, dict)]
