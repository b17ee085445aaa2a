"""The page that a person opens without Grafana: every instance, the worst first. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dbwatch.core.alerting.view import NOT_STARTED
from dbwatch.core.backups.figures import NO_BACKUPS
from dbwatch.core.showing import humanise
from dbwatch.http.alert_list import alerts_above
from dbwatch.http.backups_page import backups_line, repository_problem
from dbwatch.http.frame import framed, problem, time
from dbwatch.http.markup import element, joined
from dbwatch.http.view import Freshness, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.alerting.view import AlertBoard
    from dbwatch.core.backups.figures import BackupBoard
    from dbwatch.http.figures import Figure
    from dbwatch.http.frame import Frame
    from dbwatch.http.markup import Safe
    from dbwatch.http.view import CollectorView, InstanceView

FLAVOURS = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "percona": "Percona Server"}
PROBLEMS_SHOWN = 3


def overview(
    views: Sequence[InstanceView],
    frame: Frame,
    board: AlertBoard = NOT_STARTED,
    backups: BackupBoard = NO_BACKUPS,
) -> str:
    """The whole page. `views` come worst first."""
    firing = sum(each.is_firing for each in board.alerts)
    return framed(
        f"{f'{firing} firing, ' if firing else ''}{_counted(views)} · dbwatch",
        element("h1", "Instances", class_="hidden"),
        element("p", *_summary(views), class_="summary"),
        alerts_above(board, frame),
        repository_problem(backups),
        element("main", *(_card(view, frame, backups) for view in views), class_="cards") if views else _no_instances(),
        frame=frame,
    )


def _counted(views: Sequence[InstanceView]) -> str:
    up = sum(bool(view.state.up) for view in views)
    return f"{up} of {len(views)} up"


def _summary(views: Sequence[InstanceView]) -> list[Safe]:
    counts = Counter(view.level for view in views)
    worst = min(counts, default=Level.UP)
    chips = [
        element("span", f"{level.sign} {counts[level]} {level.label}", class_=f"chip {level.name.lower()}")
        for level in sorted(counts)
        if level is not Level.UP
    ]
    return [element("strong", _counted(views), class_=f"count {worst.name.lower()}"), *chips]


def _no_instances() -> Safe:
    return element("main", element("p", "No instance is configured: add one under `instances` and reload."))


def _card(view: InstanceView, frame: Frame, backups: BackupBoard) -> Safe:
    now = frame.now
    return element(
        "article",
        state_line(view, now, name=element("a", view.name, href=frame.to(f"/instances/{view.name}"))),
        element("p", what_it_is(view), class_="quiet what"),
        *problems(view, now),
        figure_list(view.figures, now, is_down=view.state.up is False) if has_figures(view) else None,
        backups_line(view.name, backups, frame),
        element("p", *_collectors_line(view, now), class_="quiet last"),
        class_=f"card {view.level.name.lower()}",
    )


def state_line(view: InstanceView, now: float, *, name: str) -> Safe:
    """`✖ billing  down for 3 min`."""
    since = view.state.since
    what = "" if view.level in (Level.UP, Level.DOWN) else "up " if view.state.up else "down "
    age = time(since, f"{what}for {humanise.duration(max(0.0, now - since))}") if since is not None else None
    label = element("span", f"{view.level.sign} {view.level.label}", class_="state")
    gap = ", " if age and what else " "
    return element("h2", element("span", name, class_="name"), element("span", label, gap, age, class_="since"))


def what_it_is(view: InstanceView) -> str:
    """`PostgreSQL 15.4 · primary · prod · rdv · dba`."""
    identity, facts = view.state.identity, view.state.facts
    if facts is None:
        engine = FLAVOURS.get(identity.engine, identity.engine)
        told = [engine]
    else:
        told = [f"{FLAVOURS.get(facts.flavour, facts.flavour)} {_short_version(facts.version)}", facts.edition]
        told.append(facts.role.value if view.state.up else "")
    return " · ".join(filter(None, [*told, identity.env, identity.service, identity.team]))


def _short_version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def has_figures(view: InstanceView) -> bool:
    """Eight dashes say nothing."""
    return any(figure.value is not None for figure in view.figures)


def problems(view: InstanceView, now: float) -> list[Safe]:
    """What is wrong, each with what mends it."""
    state = view.state
    told = [problem(state.reason or "", state.message, state.remedy)] if state.message or state.remedy else []
    if state.up is False:
        return told  # that its collectors fail too says nothing more
    groups = _alike(view.bad_collectors, now)
    told += [_collectors_problem(group, now) for group in groups[:PROBLEMS_SHOWN]]
    if len(groups) > PROBLEMS_SHOWN:
        more = f"and {sum(map(len, groups[PROBLEMS_SHOWN:]))} more"
        told.append(element("p", element("a", more, href=f"/instances/{view.name}"), class_="problem"))
    return told


def _alike(bad: Iterable[CollectorView], now: float) -> list[list[CollectorView]]:
    """One missing privilege that silences seven collectors is one problem."""
    groups: dict[tuple[str, str, str], list[CollectorView]] = {}
    for each in bad:
        key = (each.status.reason or each.freshness.label, what_happened(each, now), each.status.remedy)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _collectors_problem(alike: list[CollectorView], now: float) -> Safe:
    first = alike[0]
    names = ", ".join(each.status.name for each in alike)
    reason = f"{names}: {first.status.reason or first.freshness.label}"
    return problem(reason, what_happened(first, now), first.status.remedy)


def what_happened(each: CollectorView, now: float) -> str:
    """Silence needs words as well."""
    last = each.status.last_success_at
    if each.status.message or not each.is_bad:
        return each.status.message
    return f"last success {humanise.ago(last, now)}" if last is not None else "it never succeeded"


def figure_list(figures: Iterable[Figure], now: float, *, is_down: bool) -> Safe:
    return element("dl", *(_figure(figure, now, is_down=is_down) for figure in figures), class_="figures")


def _figure(figure: Figure, now: float, *, is_down: bool) -> Safe:
    why = "the instance is down" if is_down else figure.why
    if figure.value is None:
        value = element("dd", humanise.ABSENT, class_="absent", title=why)
    elif is_down:  # the store keeps it for a while: it must not look like now
        since = f" as of {humanise.ago(figure.taken_at, now)}" if figure.taken_at is not None else " as it was"
        value = element("dd", *_worth(figure), element("span", since, class_="quiet"), class_="old", title=why)
    else:
        taken = f"read {humanise.ago(figure.taken_at, now)}" if figure.taken_at is not None else None
        mark = "! " if figure.is_high else None
        value = element("dd", mark, *_worth(figure), class_="high" if figure.is_high else None, title=taken)
    return element("div", element("dt", figure.title), value)


def worth(value: float, unit: str) -> str:
    return {"count": humanise.count, "seconds": humanise.duration, "bytes": humanise.size}[unit](value)


def _worth(figure: Figure) -> list[str]:
    told = [worth(figure.value or 0.0, figure.unit)]
    if figure.limit is not None:
        told.append(element("span", f" of {worth(figure.limit, figure.unit)}", class_="quiet"))
    return told


def _collectors_line(view: InstanceView, now: float) -> list[Safe | str]:
    checked = view.state.checked_at
    probed: list[Safe | str] = ["not probed yet"]
    if checked is not None:
        probed = ["probed ", time(checked, humanise.ago(checked, now))]
    bad = len(view.bad_collectors)
    failing = f", {bad} failing or stale" if bad else ""
    gaps = sum(each.freshness is Freshness.INCOMPLETE for each in view.collectors)
    failing += f", {gaps} with dropped series" if gaps else ""
    count = len(view.collectors)
    return [joined(probed), f" · {count} collector{'' if count == 1 else 's'}{failing}" if count else ""]
