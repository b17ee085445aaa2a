"""The report of a drill, for people: one page of parts, in the words of one language. Pure.

The words stand in alerting/templates/<language>/drill.yml; a phrase of theirs names in braces what it is filled with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from dbwatch.core.backups.drills import DrillPhase, RpoEvidence
from dbwatch.core.showing import humanise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from dbwatch.core.backups.drills import DrillCheck, DrillResult
    from dbwatch.core.backups.model import Pairs

Language = Literal["fr", "en"]
COUNTED = re.compile(r"\{(\w+):([^|}]+)\|([^}]+)\}")  # `{tables:table|tables}`: the number, and the word beside it
SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")
GOOD, LATE, BAD = "good", "late", "bad"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `marks`: by row, good or bad."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands below it."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    items: tuple[str, ...] = ()
    shares: tuple[tuple[str, str, float], ...] = ()  # name, how long, share: drawn as a bar where one can draw


@dataclass(frozen=True, slots=True)
class Page:
    """A report before it is Markdown or HTML."""

    language: Language
    title: str
    subtitle: str
    verdict: str
    mark: str
    leads: tuple[str, ...]
    parts: tuple[Part, ...]


def page(result: DrillResult, words: Mapping[str, str], language: Language, zone: tzinfo) -> Page:
    """Everything that the report says, in one language."""
    said = _Said(result, words, language, zone)
    mark = _mark(result)
    title = f"{said['report']} {result.scenario.number} \N{EN DASH} {said[f'title.{result.scenario.number}']}"
    return Page(
        language=language,
        title=title,
        subtitle=f"{result.instance} · {said.moment(result.started_at)}",
        verdict=said[f"verdict.{mark}"],
        mark=mark,
        leads=tuple(said.leads()),
        parts=tuple(part for part in said.parts() if part is not None),
    )


def _mark(result: DrillResult) -> str:
    if not result.succeeded:
        return BAD
    return LATE if result.meets_rto is False or result.meets_rpo is False else GOOD


@dataclass(frozen=True, slots=True)
class _Said:
    """One result in the words of one language."""

    result: DrillResult
    words: Mapping[str, str]
    language: Language
    zone: tzinfo

    def __getitem__(self, word: str) -> str:
        return self.words.get(word, word)

    def phrase(self, word: str, **values: str) -> str:
        return self[word].format_map(values)

    def numbers(self, text: str) -> str:
        """As humanise writes them, for a French reader: a comma, and j for days."""
        if self.language != "fr":
            return text
        return text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",").replace(" d", " j")

    def duration(self, seconds: float | None) -> str:
        """Its units stay beside their numbers."""
        text = self["unknown"] if seconds is None else self.numbers(humanise.duration(seconds))
        return text.replace(" ", "\N{NO-BREAK SPACE}")

    def size(self, n_bytes: float) -> str:
        text = self.numbers(humanise.size(n_bytes))
        text = text.replace("iB", "io").replace(" B", " o") if self.language == "fr" else text
        return text.replace(" ", "\N{NO-BREAK SPACE}")

    def moment(self, unix_seconds: float) -> str:
        form = "%d/%m/%Y %H:%M:%S %Z" if self.language == "fr" else "%Y-%m-%d %H:%M:%S %Z"
        return datetime.fromtimestamp(unix_seconds, self.zone).strftime(form)

    def kept(self, *, meets: bool | None) -> str:
        return self["unknown"] if meets is None else self["kept" if meets else "missed"]

    def leads(self) -> Iterator[str]:
        result = self.result
        if result.reason is not None:
            yield self.phrase("lead.failed", detail=result.detail or str(result.reason), reason=self.stopped_by())
        elif not result.succeeded:
            yield self.phrase("lead.unproven", checks=", ".join(map(self.check_name, result.failed_checks)))
        else:
            yield self.lead("served", "rto", result.rto_seconds, result.rto_target_seconds, meets=result.meets_rto)
        if result.rpo_seconds is None:
            yield self["lead.loss_unknown"]
        else:
            yield self.lead("lost", "loss", result.rpo_seconds, result.rpo_target_seconds, meets=result.meets_rpo)

    def stopped_by(self) -> str:
        """In the reader's own words: what the program says of it is English."""
        has_none = any(check.name == "usable" for check in self.result.failed_checks)
        return self["reason.no_backup" if has_none else f"reason.{self.result.reason}"]

    def lead(
        self, word: str, name: str, seconds: float | None, target_seconds: float | None, *, meets: bool | None
    ) -> str:
        values = {name: self.duration(seconds), "target": self.duration(target_seconds), "kept": self.kept(meets=meets)}
        return self.phrase(f"lead.{word}" if target_seconds is None else f"lead.{word}_target", **values)

    def parts(self) -> Iterator[Part | None]:
        yield self.summary()
        yield self.phases()
        yield self.loss()
        yield self.checks()
        yield self.differences()
        yield self.limits()
        yield self.again()

    def summary(self) -> Part:
        rows = tuple((self[f"s.{name}"], value) for name, value in self._summary() if value)
        return Part(self["h.summary"], table=Table(("", ""), rows))

    def _summary(self) -> Iterator[tuple[str, str]]:
        result = self.result
        yield "instance", f"{result.instance} ({result.engine})"
        yield "when", f"{self.moment(result.started_at)} → {self.moment(result.ended_at)}"
        yield "result", self[f"verdict.{_mark(result)}"]
        yield "rto", self.against(result.rto_seconds, result.rto_target_seconds, meets=result.meets_rto)
        yield "rpo", self.against(result.rpo_seconds, result.rpo_target_seconds, meets=result.meets_rpo)
        if result.rpo_evidence is RpoEvidence.HEARTBEAT:
            yield "lost", self.duration(result.lost_seconds)
        yield "table", result.table
        yield "backup", result.backup
        yield "backup_at", "" if result.backup_at is None else self.moment(result.backup_at)
        yield "level", self[f"proof.{result.backup_proof or 'none'}"] if result.backup else ""
        if result.backup_bytes:
            sizes = {"backup": self.size(result.backup_bytes), "database": self.size(result.database_bytes)}
            yield "size", self.phrase("s.size_value", **sizes)
        yield "server", result.server
        yield "restored_with", result.restored_with
        yield "tools", ", ".join(" ".join(tool) for tool in result.tools)

    def against(self, seconds: float | None, target_seconds: float | None, *, meets: bool | None) -> str:
        values = {"target": self.duration(target_seconds), "kept": self.kept(meets=meets)}
        told = self["s.no_target"] if target_seconds is None else self.phrase("s.target", **values)
        return f"{self.duration(seconds)} ({told})"

    def phases(self) -> Part | None:
        if not self.result.phases:
            return None
        total = sum(seconds for _, seconds in self.result.counted)
        rows = [
            (self[f"phase.{name}"], self.duration(seconds), self.share(name, seconds, total), self[f"what.{name}"])
            for name, seconds in self.result.phases
        ]
        rows.append((self["total"], self.duration(total), "", ""))
        bar = tuple(
            (self[f"phase.{name}"], self.duration(s), s / total if total else 0.0) for name, s in self.result.counted
        )
        headers = tuple(self[f"c.{name}"] for name in ("phase", "seconds", "share", "what"))
        return Part(self["h.phases"], table=Table(headers, tuple(rows)), shares=bar)

    def share(self, name: str, seconds: float, total: float) -> str:
        if name == DrillPhase.PREPARE or not total:
            return humanise.ABSENT
        return f"{100 * seconds / total:.0f}\N{NO-BREAK SPACE}%"

    def loss(self) -> Part:
        result = self.result
        values = {"rpo": self.duration(result.lost_seconds), "pace": self.duration(result.beat_seconds)}
        found = [self.phrase(f"loss.{result.rpo_evidence}", **values)]
        if result.rpo_evidence is RpoEvidence.NONE:
            why = "note.clock_ahead" if "clock_ahead" in result.notes else "loss.none"
            found = [self[why]] if result.exposure_seconds is None else []
        if result.exposure_seconds is not None and result.backup_at is not None:
            values = {"at": self.moment(result.backup_at), "exposure": self.duration(result.exposure_seconds)}
            found.append(self.phrase("loss.exposure", **values))
        return Part(self["h.loss"], tuple(found))

    def checks(self) -> Part | None:
        if not self.result.checks:
            return None
        rows = [
            (self.check_name(each), self["yes" if each.holds else "no"], self.detail(each))
            for each in self.result.checks
        ]
        marks = tuple(GOOD if each.holds else BAD for each in self.result.checks)
        headers = tuple(self[f"c.{name}"] for name in ("check", "result", "detail"))
        return Part(self["h.checks"], table=Table(headers, tuple(rows), marks))

    def check_name(self, check: DrillCheck) -> str:
        return self[f"check.{check.name}"]

    def detail(self, check: DrillCheck) -> str:
        text = self.words.get(f"check.{check.name}.detail", "") if check.values else ""
        text = _inflected(text, dict(check.values), self.language)
        told = text.format_map(_Values(check.values, self)) if text else ""
        return "; ".join(filter(None, (told, check.detail)))

    def differences(self) -> Part | None:
        found = tuple(line for each in self.result.checks for line in each.differences)
        return Part(self["h.differences"], (self["differences"],), items=found) if found else None

    def limits(self) -> Part | None:
        notes = (note.partition(":") for note in self.result.notes)
        items = tuple(self.phrase(f"note.{name}", why=why.strip()) for name, _, why in notes)
        return Part(self["h.limits"], items=items) if items else None

    def again(self) -> Part:
        table = f" --table {self.result.table}" if self.result.table else ""
        command = f"dbwatch drill {self.result.scenario.number} --instance {self.result.instance}{table}"
        command = command.replace("`", "'")  # it stands between two of them
        return Part(self["h.again"], (self.phrase("again", command=command, handbook=self.result.handbook),))


class _Values(dict[str, str]):
    """A check's values as a reader wants them; one that is missing shows itself instead of ending the report."""

    def __init__(self, values: Pairs, said: _Said) -> None:
        super().__init__((name, _shown(name, value, said)) for name, value in values)

    def __missing__(self, name: str) -> str:
        return humanise.ABSENT


def _inflected(text: str, values: Mapping[str, str], language: Language) -> str:
    """A text whose words fit the numbers beside them: French counts none as one, English as many."""

    def fitting(found: re.Match[str]) -> str:
        number = values.get(found[1], "")
        is_one = number == "1" or (language == "fr" and number == "0")
        return f"{{{found[1]}}} {found[2 if is_one else 3]}"

    return COUNTED.sub(fitting, text)


def _shown(name: str, value: str, said: _Said) -> str:
    """A value that is not what its name promises is told as it is: a report is written in any case."""
    if name == "phase":
        return said[f"phase.{value}"]
    if value.isdecimal():
        return said.size(int(value)) if name == "bytes" else said.numbers(humanise.count(int(value)))
    if name == "seconds" and SECONDS.fullmatch(value):
        return said.duration(float(value))
    return said[value] if value in ("yes", "no") else value
