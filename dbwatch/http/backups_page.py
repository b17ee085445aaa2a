"""Backups as HTML: a line on an instance's card, and all of them with their proofs on its page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.figures import BAD, PROVEN
from dbwatch.core.backups.model import ProofName
from dbwatch.core.showing import humanise
from dbwatch.http.frame import FRENCH, problem, time
from dbwatch.http.markup import element, joined

if TYPE_CHECKING:
    from dbwatch.core.backups.figures import BackupBoard, DrillFigures, KindBoard, RepositoryFigures, SetLine
    from dbwatch.core.backups.model import JobRun, Progress
    from dbwatch.http.frame import Frame
    from dbwatch.http.markup import Child, Safe

COLUMNS = ("State of", "Proof", "Databases", "Rows", "On disk", "Took", "Note")
DRILL_COLUMNS = ("Rehearsal", "Result", "When", "Took (RTO)", "Lost (RPO)", "Note")
SIGNS = {PROVEN: "✔", BAD: "✖"}
LEVELS = {PROVEN: "up", BAD: "down"}
WORDS = {
    ProofName.PUBLISHED: ("complete, not read again", "complète, non relue"),
    ProofName.HASHED: ("every byte read again", "relue octet par octet"),
    ProofName.DECODED: ("decoded to its end", "décodée en entier"),
    ProofName.RESTORED: ("restored and sound", "restaurée et saine"),
    ProofName.COMPARED: ("restored and compared", "restaurée et comparée"),
}
NOTHING_PROVEN, NOT_TO_BE_TRUSTED = (
    ("nothing proven", "rien de prouvé"),
    ("bad: do not use", "mauvaise : à ne pas employer"),
)
DATABASES_SHOWN = 4
WARNINGS_SHOWN = 2


def proof_words(line: SetLine, language: str) -> str:
    """What is proven of a set, in words."""
    if line.state == BAD:
        said = NOT_TO_BE_TRUSTED
    else:
        said = WORDS[line.proof.name] if line.proof is not None else NOTHING_PROVEN
    return said[language == FRENCH]


def backups_line(instance: str, board: BackupBoard, frame: Frame) -> Safe | None:
    """What the card of an instance says: the newest set, its proof, and what stands in the way."""
    kinds = board.instances[instance].kinds if instance in board.instances else ()
    told = [element("p", *_short(kind, frame), class_="backup") for kind in kinds]
    return joined(told) if told else None


def _short(kind: KindBoard, frame: Frame) -> list[Child]:
    newest = kind.sets[0] if kind.sets else None
    if newest is None:
        none = element("span", "✖ no backup yet", class_="state down")
        return [none, *_trouble(kind), *_next(kind, frame)]
    when = _ago(newest.started_at, frame)
    return ["Backup of ", when, ": ", _state(newest, frame), *_trouble(kind), *_next(kind, frame)]


def _trouble(kind: KindBoard) -> list[Child]:
    told: list[Child] = []
    if kind.last_failure is not None:
        told += [" · ", element("span", f"✖ the last run failed: {_reason(kind.last_failure)}", class_="state down")]
    return told if kind.running is None else [*told, " · one is running"]


def _next(kind: KindBoard, frame: Frame) -> list[Child]:
    at = kind.figures.next_at
    return [" · next ", time(at, _until(at, frame.now))] if at is not None else []


def repository_problem(board: BackupBoard) -> Safe | None:
    """What all instances suffer from is told once."""
    repository = board.repository
    if repository is None or repository.is_usable:
        return None
    return problem("backups cannot be read or written", repository.detail or repository.directory)


def backups_of(instance: str, board: BackupBoard, frame: Frame) -> Safe | None:
    """The part of an instance's page; nothing where nothing is backed up."""
    if not board.is_configured:
        return None
    own = board.instances.get(instance)
    if own is None or not own.kinds:
        text = "This instance is not backed up here: nothing stands under its backups in the configuration."
        return element("section", element("h2", "Backups"), element("p", text, class_="quiet"), class_="backups")
    parts = [part for kind in own.kinds for part in _kind(kind, frame)]
    return element(
        "section",
        element("h2", "Backups"),
        repository_problem(board),
        *parts,
        *_room(board.repository),
        *_drills(own.drills, frame),
        class_="backups",
    )


def _kind(kind: KindBoard, frame: Frame) -> list[Safe]:
    told = [element("p", *_when(kind, frame), class_="quiet")]
    if kind.running is not None:
        told.append(_running(kind.running, kind.figures.progress, frame))
    if kind.last_failure is not None:
        told.append(_failure(kind.last_failure, frame))
    if kind.figures.preflight_reason is not None:
        told.append(problem(f"the next run would fail: {kind.figures.preflight_reason}", kind.preflight_detail))
    if not kind.sets:
        return [*told, element("p", "There is none yet.")]
    told.append(_table(COLUMNS, [(line.state, _cells(line, frame)) for line in kind.sets]))
    if kind.more_sets:
        told.append(element("p", f"and {kind.more_sets} older: see `dbwatch backup list`", class_="quiet"))
    return told


def _when(kind: KindBoard, frame: Frame) -> list[Child]:
    figures = kind.figures
    schedule = f"{figures.kind.value}, by the schedule {kind.schedule}" if kind.schedule else figures.kind.value
    told: list[Child] = [schedule, *_next(kind, frame)]
    if not kind.schedule:
        told.append(" · only when asked for")
    if figures.waiting:
        told.append(f" · {figures.waiting} waiting to be restored for proof")
    if figures.frozen:
        told.append(f" · nothing is deleted for now: {', '.join(map(_spoken, figures.frozen))}")
    return told


def _running(run: JobRun, progress: Progress | None, frame: Frame) -> Safe:
    """A bar where the end can be foreseen."""
    said = [f"{run.kind.value} running for {humanise.duration(max(0.0, frame.now - run.started_at))}"]
    said += [_spoken(run.phase)] if run.phase else []
    bar = None
    if progress is not None:
        said += _how_far(progress)
        if progress.bytes_expected:
            done = str(min(progress.bytes_done, progress.bytes_expected))
            bar = element("progress", value=done, max=str(progress.bytes_expected))
    return element("div", element("p", " · ".join(said)), bar, class_="running")


def _how_far(progress: Progress) -> list[str]:
    told = []
    if progress.bytes_done:
        of = f" of about {humanise.size(progress.bytes_expected)}" if progress.bytes_expected else ""
        told.append(f"{humanise.size(progress.bytes_done)}{of}")
    if progress.tables_expected:
        told.append(f"{progress.tables_done or 0} of {progress.tables_expected} tables")
    if progress.seconds_left is not None:
        told.append(f"about {humanise.duration(progress.seconds_left)} left")
    if progress.blocked_sessions:
        told.append(f"{progress.blocked_sessions} sessions wait for it")
    return told


def _failure(run: JobRun, frame: Frame) -> Safe:
    """Its line says how to mend it."""
    ago = f", {humanise.ago(run.ended_at, frame.now)}" if run.ended_at is not None else ""
    return problem(f"the last run failed ({_reason(run)}){ago}:", run.detail)


def _reason(run: JobRun) -> str:
    return _spoken((run.reason or run.state).value)


def _spoken(word: str) -> str:
    return word.replace("_", " ")


def _cells(line: SetLine, frame: Frame) -> list[Child]:
    return [
        _ago(line.started_at, frame),
        element("span", _state(line, frame), *_proven(line, frame)),
        _databases(line),
        humanise.count(line.rows) if line.rows is not None else humanise.ABSENT,
        _on_disk(line),
        humanise.duration(line.seconds),
        _note(line),
    ]


def _state(line: SetLine, frame: Frame) -> Safe:
    """The id stands in the title: a restore asks for it."""
    sign, level = SIGNS.get(line.state, "▲"), LEVELS.get(line.state, "degraded")
    said = f"{sign} {proof_words(line, frame.language)}"
    language = FRENCH if frame.language == FRENCH else None
    return element("span", said, class_=f"state {level}", title=line.id, lang=language)


def _proven(line: SetLine, frame: Frame) -> list[Child]:
    """When, which is later than the set where it had to wait for its turn."""
    if line.proof is None or line.state == BAD:
        return []
    return [" ", element("span", _ago(line.proof.at, frame), class_="quiet")]


def _databases(line: SetLine) -> str:
    names = [each.name for each in line.databases]
    more = len(names) - DATABASES_SHOWN
    return ", ".join(names[:DATABASES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _on_disk(line: SetLine) -> str:
    of = f" of {humanise.size(line.plain_bytes)}" if line.plain_bytes else ""
    return f"{humanise.size(line.size_bytes)}{of}"


def _note(line: SetLine) -> str:
    """Why no better proof could be had, and what a restore would lack."""
    marks = [("pinned", line.is_pinned), ("encrypted", line.is_encrypted)]
    told = [word for word, is_so in marks if is_so]
    if line.problem:
        told.append(line.problem)
    if line.failed is not None:
        told.append(f"{_spoken(line.failed.reason or '')}: {line.failed.detail}".strip(": "))
    elif line.proof is not None and line.proof.name is ProofName.RESTORED and line.proof.detail:
        told.append(line.proof.detail)
    more = len(line.warnings) - WARNINGS_SHOWN
    rest = [f"and {more} more warnings, in `dbwatch backup list --json`"] if more > 0 else []
    return "; ".join([*told, *line.warnings[:WARNINGS_SHOWN], *rest])


def _room(repository: RepositoryFigures | None) -> list[Safe]:
    if repository is None or repository.free_bytes is None:
        return []
    of = f" of {humanise.size(repository.size_bytes)}" if repository.size_bytes else ""
    return [element("p", f"Repository: {humanise.size(repository.free_bytes)}{of} free", class_="quiet")]


def _drills(drills: tuple[DrillFigures, ...], frame: Frame) -> list[Safe]:
    if not drills:
        return []
    rows = [("", _drill(each, frame)) for each in drills]
    return [element("h3", "Rehearsals of disasters"), _table(DRILL_COLUMNS, rows)]


def _drill(each: DrillFigures, frame: Frame) -> list[Child]:
    states = {True: ("✔ succeeded", "up"), False: ("✖ failed", "down"), None: ("? never rehearsed", "unknown")}
    said, level = states[each.succeeded]
    return [
        each.scenario,
        element("span", said, class_=f"state {level}"),
        _ago(each.last_at, frame) if each.last_at is not None else humanise.ABSENT,
        _promised(each.rto_seconds, each.rto_objective_seconds),
        _promised(each.rpo_seconds, each.rpo_objective_seconds),
        each.detail,
    ]


def _promised(seconds: float | None, objective_seconds: float | None) -> Child:
    if seconds is None:
        return humanise.ABSENT
    if objective_seconds is None:
        return humanise.duration(seconds)
    is_late = seconds > objective_seconds
    text = f"{'! ' if is_late else ''}{humanise.duration(seconds)} of {humanise.duration(objective_seconds)} allowed"
    return element("span", text, class_="high" if is_late else None)


def _table(columns: tuple[str, ...], rows: list[tuple[str, list[Child]]]) -> Safe:
    """On a phone each row becomes a block whose empty cells vanish."""
    head = element("tr", *(element("th", title, scope="col") for title in columns))
    body = [
        element(
            "tr",
            *(element("td", cell, data_label=title) for title, cell in zip(columns, cells, strict=True)),
            class_=state or None,
        )
        for state, cells in rows
    ]
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="log")


def _ago(at: float, frame: Frame) -> Safe:
    return time(at, humanise.ago(at, frame.now))


def _until(at: float, now: float) -> str:
    return f"in {humanise.duration(at - now)}" if at > now else "now"
