"""The page of one instance: its figures, what is wrong, and every collector. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.alerting.view import NOT_STARTED
from dbwatch.core.backups.figures import NO_BACKUPS
from dbwatch.core.showing import humanise
from dbwatch.http.alert_list import alerts_of
from dbwatch.http.backups_page import backups_of
from dbwatch.http.frame import framed, problem, time
from dbwatch.http.markup import element
from dbwatch.http.overview import figure_list, has_figures, state_line, what_it_is, worth

if TYPE_CHECKING:
    from dbwatch.core.alerting.view import AlertBoard
    from dbwatch.core.backups.figures import BackupBoard
    from dbwatch.http.figures import Ranking
    from dbwatch.http.frame import Frame
    from dbwatch.http.markup import Child, Safe
    from dbwatch.http.view import CollectorView, InstanceView

COLUMNS = ("Collector", "State", "Lane", "Every", "Last success", "Took", "Series")


def detail(view: InstanceView, frame: Frame, board: AlertBoard = NOT_STARTED, backups: BackupBoard = NO_BACKUPS) -> str:
    """The whole page."""
    state = view.state
    wrong = [problem(state.reason or "", state.message, state.remedy)] if state.message or state.remedy else []
    return framed(
        f"{view.name} {view.level.label} · dbwatch",
        element("p", element("a", "← all instances", href=frame.to("/")), class_="back"),
        element(
            "main",
            element(
                "article",
                state_line(view, frame.now, name=view.name),
                element("p", what_it_is(view), class_="quiet what"),
                *wrong,
                figure_list(view.figures, frame.now, is_down=state.up is False) if has_figures(view) else None,
                *_hints(view),
                _facts(view, frame.now),
                class_=f"card {view.level.name.lower()}",
            ),
            alerts_of(view.name, board, frame),
            backups_of(view.name, backups, frame),
            element("h2", "Collectors"),
            _table(view, frame.now) if view.collectors else element("p", "None has run yet."),
            *_rankings(view),
        ),
        frame=frame,
    )


def _hints(view: InstanceView) -> list[Safe]:
    """What to ask next about a figure that is out of bounds."""
    if view.state.up is False:
        return []
    return [problem(f"{figure.title}: look closer with", "", figure.hint) for figure in view.figures if figure.hint]


def _rankings(view: InstanceView) -> list[Safe]:
    """Those of an instance that is down are what is kept of it: they say so."""
    if not view.rankings:
        return []
    is_down = view.state.up is False
    lists = [_ranking(ranking, is_down=is_down) for ranking in view.rankings]
    return [element("div", *lists, class_="rankings quiet" if is_down else "rankings")]


def _ranking(ranking: Ranking, *, is_down: bool) -> Safe:
    rows = [
        element("tr", element("td", name), element("td", worth(value, ranking.unit))) for name, value in ranking.items
    ]
    more = element("p", f"and {ranking.more} more", class_="quiet") if ranking.more else None
    title = f"{ranking.title}, before it went down" if is_down else ranking.title
    return element("section", element("h2", title), element("table", element("tbody", *rows)), more)


def _facts(view: InstanceView, now: float) -> Safe:
    state, facts = view.state, view.state.facts
    told: list[tuple[str, Child]] = [("Address", state.address)]
    if facts is not None:
        told.append(("Version", facts.version_text))
        if facts.started_at is not None:
            told.append(("Server started", time(facts.started_at, humanise.ago(facts.started_at, now))))
    if state.checked_at is not None:
        told.append(("Probed", time(state.checked_at, humanise.ago(state.checked_at, now))))
    if (until := state.certificate_not_after) is not None:
        told.append(("Certificate until", time(until, humanise.moment(until))))
    labels = ", ".join(f"{name}={value}" for name, value in state.labels.items())
    told.append(("Labels", labels))
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in told if value]
    return element("dl", *rows, class_="facts")


def _table(view: InstanceView, now: float) -> Safe:
    head = element("tr", *(element("th", title, scope="col") for title in COLUMNS))
    rows = [row for each in view.collectors for row in _rows(each, now)]
    return element("table", element("thead", head), element("tbody", *rows))


def _rows(each: CollectorView, now: float) -> list[Safe]:
    status = each.status
    level = each.freshness.name.lower()
    last, took = status.last_success_at, status.seconds if status.succeeded is not None else None
    cells: list[Child] = [
        status.name,
        element("span", f"{each.freshness.sign} {each.label}", class_="state"),
        status.lane,
        humanise.duration(status.interval_seconds),
        time(last, humanise.ago(last, now)) if last is not None else humanise.ABSENT,
        humanise.duration(took) if took is not None else humanise.ABSENT,
        humanise.count(status.series),
    ]
    filled = zip(COLUMNS, cells, strict=True)
    row = element("tr", *(element("td", cell, data_label=title) for title, cell in filled), class_=level)
    return [row, *_explained(each, level)]


def _explained(each: CollectorView, level: str) -> list[Safe]:
    """A second row that says why."""
    status = each.status
    if status.skipped:
        text = element("p", f"left out: {status.skipped}", class_="quiet")
    elif status.message or status.remedy:
        text = problem(status.reason or "", status.message, status.remedy)
    else:
        return []
    return [element("tr", element("td", text, colspan=str(len(COLUMNS))), class_=f"why {level}")]
