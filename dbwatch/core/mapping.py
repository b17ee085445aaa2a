"""From a result to blocks of samples. Pure: no clock, no I/O; it remembers only what a delta needs.

NULL is no sample. Rows whose labels became equal (everyone who is not a service account is `_other`) are added up.
A label set twice would make the whole page unreadable to Prometheus, so it is an error of this collector alone.
"""

from __future__ import annotations

from array import array
from itertools import compress
from typing import TYPE_CHECKING

from dbwatch.core import columns
from dbwatch.core.accumulate import Running
from dbwatch.core.model import Block, Collector, Column, FamilyType, Rows
from dbwatch.core.topn import OTHER, Remainder, Sticky
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dbwatch.core.model import Family

    Labels = tuple[tuple[str, ...], ...]


class Mapper:
    """Maps the results of one collector of one instance (and of one database of it)."""

    def __init__(
        self,
        collector: Collector,
        families: Mapping[str, Family],
        *,
        constants: Mapping[str, str] | None = None,
        accounts: frozenset[str] = frozenset(),
        applications: frozenset[str] = frozenset(),
    ) -> None:
        self.collector = collector
        self._families = families
        self._constants = constants or {}
        self._names = dict.fromkeys(collector.accounts, accounts) | dict.fromkeys(collector.applications, applications)
        self._running = Running(collector.top, collector.metrics) if collector.top and collector.accumulate else None
        sticky = collector.top if not self._running else None
        self._sticky = Sticky(sticky.limit, growth=sticky.growth) if sticky else None
        self._others: dict[int, Remainder] = {}
        self._sums: dict[tuple[int, tuple[str, ...]], float] = {}
        self._known: dict[object, tuple[str, ...]] = {}
        self._unique: dict[int, Labels] = {}

    def blocks(self, rows: Rows, now: float, elapsed_seconds: float = 0.0) -> Iterator[Block]:
        """Yield the blocks one by one, so that the caller can let others run in between.

        `elapsed_seconds` is the time since the last sample, for columns that integrate.
        """
        if self.collector.key_value:
            rows = _with_missing(pivot(rows, *self.collector.key_value), columns_read(self.collector))
        if self._running:
            yield from self._accumulated(self._running, rows, now)
            return
        if not len(rows):
            return
        frame = _Frame(self, rows, now)
        for position, column in enumerate(self.collector.metrics):
            yield from self._column(frame, position, column, elapsed_seconds)

    def rebase(self) -> None:
        """Another server may answer from now on: what was is no measure of it."""
        for remainder in self._others.values():
            remainder.rebase()
        if self._running:
            self._running.rebase()

    def _accumulated(self, running: Running, rows: Rows, now: float) -> Iterator[Block]:
        frame = _Frame(self, rows, now)
        identities = list(zip(*map(frame.raw, self.collector.accumulate), strict=True))
        keys = list(zip(*map(frame.label, running.key), strict=True))
        running.update(identities, keys, list(map(frame.raw, running.sources)), now)
        for position, column in enumerate(self.collector.metrics):
            is_counter = self._families[column.family].type is FamilyType.COUNTER
            labels, numbers = running.samples(position, is_counter=is_counter)
            if numbers:
                yield self._block(position, column, labels, numbers)

    def _column(self, frame: _Frame, position: int, column: Column, elapsed_seconds: float) -> Iterator[Block]:
        if column.states:
            yield self._states(frame, position, column)
            return
        values = frame.numbers(column)
        labels = tuple(frame.label(source) for _, source in column.labels)
        other = frame.other(position, column, values, self._families[column.family])
        chosen = frame.chosen(values)
        if chosen is not None:
            labels = tuple(
                self.remember((position, name), tuple(compress(of, chosen))) for name, of in enumerate(labels)
            )
            values = list(compress(values, chosen))
        numbers = _known(values)
        if other is not None:
            labels = tuple(
                (*of, frame.other_label(source)) for of, (_, source) in zip(labels, column.labels, strict=True)
            )
            numbers = [*numbers, other]
        if self._names:
            labels, numbers = _added_up(*_addable(column.family, labels, numbers))
        if column.integrate:
            labels, numbers = self._integrated(position, labels, numbers, elapsed_seconds)
        if numbers:
            yield self._block(position, column, labels, numbers)

    def _block(self, position: int, column: Column, labels: Labels, numbers: Sequence[float]) -> Block:
        if self._unique.get(position) is not labels and self._unique.get(position) != labels:
            if len(numbers) > 1 and len(set(zip(*labels, strict=True))) < len(numbers):
                raise EngineError(Reason.SHAPE, f"{column.family}: two rows have the same labels")
            self._unique[position] = labels
        return Block(
            column.family, tuple(name for name, _ in column.labels), self._unique[position], columns.packed(numbers)
        )

    def _states(self, frame: _Frame, position: int, column: Column) -> Block:
        """One 0/1 sample for each known state of each row."""
        raw = [str(value).lower() for value in columns.label_values(frame.raw(column.value))]
        count = len(column.states)
        labels = tuple(
            tuple(value for value in frame.label(source) for _ in range(count)) for _, source in column.labels
        )
        states = column.states * len(raw)
        numbers = [int(state == now) for now in raw for state in column.states]
        with_state = Column(column.family, column.value, (*column.labels, (column.state_label, "")))
        return self._block(position, with_state, (*labels, states), numbers)

    def _integrated(
        self, position: int, labels: Labels, numbers: Sequence[float], elapsed_seconds: float
    ) -> tuple[Labels, Sequence[float]]:
        """Running sums of value x seconds; a label once seen stays, because a counter does not vanish."""
        keys = list(zip(*labels, strict=True)) if labels else [()] * len(numbers)
        for key, number in zip(keys, numbers, strict=True):
            self._sums[position, key] = self._sums.get((position, key), 0.0) + number * elapsed_seconds
        mine = [(key, total) for (of, key), total in self._sums.items() if of == position]
        return tuple(zip(*(key for key, _ in mine), strict=True)), [total for _, total in mine]

    def remember(self, key: object, values: tuple[str, ...]) -> tuple[str, ...]:
        """The same tuple as at the last poll where it is equal: comparing it later costs one look, and memory once."""
        known = self._known.get(key)
        if known is not None and known == values:
            return known
        self._known[key] = values
        return values

    def known(self, key: object) -> tuple[str, ...] | None:
        return self._known.get(key)

    def constant(self, name: str) -> str | None:
        return self._constants.get(name)

    def allowed_names(self, column: str) -> frozenset[str] | None:
        return self._names.get(column)

    @property
    def sticky(self) -> Sticky | None:
        return self._sticky

    def remainder(self, position: int) -> Remainder:
        return self._others.setdefault(position, Remainder())


class _Frame:
    """One result while it is mapped: each column is converted once, whatever the number of families that use it."""

    def __init__(self, mapper: Mapper, rows: Rows, now: float) -> None:
        self._mapper = mapper
        self._rows = rows
        self._labels: dict[str, tuple[str, ...]] = {}
        self._keys: list[tuple[str, ...]] = []
        self._inside, self._outside = self._select(now)

    def _select(self, now: float) -> tuple[list[bool] | None, list[int]]:
        """Which rows have a place of their own; None: all of them."""
        top, sticky = self._mapper.collector.top, self._mapper.sticky
        if top is None or sticky is None or (len(self._rows) <= top.limit and not sticky.admitted):
            return None, []
        keys = self._keys = list(zip(*(self.label(name) for name in top.key), strict=True))
        weights = [value or 0 for value in columns.numbers(self.raw(top.weight), Column("", top.weight))]
        admitted = sticky.update(keys, weights, now)
        inside = [key in admitted for key in keys]
        return (None, []) if all(inside) else (inside, [at for at, is_in in enumerate(inside) if not is_in])

    def raw(self, source: str) -> Sequence[object]:
        if source.startswith("="):
            return [source[1:]] * len(self._rows)
        constant = self._mapper.constant(source)
        return [constant] * len(self._rows) if constant is not None else self._rows.column(source)

    def label(self, source: str) -> tuple[str, ...]:
        if source not in self._labels:
            self._labels[source] = self._converted(source)
        return self._labels[source]

    def _converted(self, source: str) -> tuple[str, ...]:
        raw = self.raw(source)
        names = self._mapper.allowed_names(source)
        if names is not None:
            return self._mapper.remember(source, columns.allowed(raw, names))
        known = self._mapper.known(source)
        if known == tuple(raw):  # the usual case by far, and one comparison instead of three looks at each value
            return known
        return self._mapper.remember(source, columns.label_values(raw))

    def numbers(self, column: Column) -> Sequence[float | None]:
        return columns.numbers(self.raw(column.value), column)

    def chosen(self, values: Sequence[float | None]) -> list[bool] | None:
        """Which rows give a sample: admitted, and not NULL. None: all."""
        if isinstance(values, array) or None not in values:
            return self._inside
        if self._inside is None:
            return [value is not None for value in values]
        return [is_in and value is not None for is_in, value in zip(self._inside, values, strict=True)]

    def other(self, position: int, column: Column, values: Sequence[float | None], family: Family) -> float | None:
        """The `_other` sample of this column: the sum of the rest, or a counter of its growth. None: there is none."""
        top = self._mapper.collector.top
        if top is None or not {source for _, source in column.labels} & set(top.key):
            return None
        is_counter = family.type is FamilyType.COUNTER
        if not self._outside and not (is_counter and self._mapper.remainder(position).total):
            return None
        if is_counter:
            remainder = self._mapper.remainder(position)
            return remainder.update(*remainder.told(self._keys, values, self._outside))
        return sum(values[at] or 0 for at in self._outside) if family.unit in ("", "bytes") else None

    def other_label(self, source: str) -> str:
        """`_other` for what names an item; what all rows share (database, a constant) stays."""
        top = self._mapper.collector.top
        return OTHER if top and source in top.key else self.label(source)[0]


def pivot(rows: Rows, key: str, value: str) -> Rows:
    """Rows of (name, value), as SHOW gives them, as one row with a column for each name in lower case."""
    names = tuple(name.lower() for name in columns.label_values(rows.column(key)))
    return Rows(names, tuple([item] for item in rows.column(value)))


def _with_missing(rows: Rows, wanted: Sequence[str]) -> Rows:
    """A name that the server did not send is NULL: what one version does not count takes no other metric along."""
    missing = [name for name in wanted if name not in rows.names] if len(rows) else []
    return Rows((*rows.names, *missing), (*rows.columns, *([None] for _ in missing)))


def _known(values: Sequence[float | None]) -> Sequence[float]:
    """Without NULLs; an array has none."""
    return values if isinstance(values, array) else [value for value in values if value is not None]


def _addable(family: str, labels: Labels, numbers: Sequence[float]) -> tuple[Labels, Sequence[float]]:
    """A moment cannot be added up: the many that share one name have none."""
    if not family.endswith("_timestamp_seconds") or not labels:
        return labels, numbers
    named = [OTHER not in key for key in zip(*labels, strict=True)]
    return tuple(tuple(compress(of, named)) for of in labels), list(compress(numbers, named))


def _added_up(labels: Labels, numbers: Sequence[float]) -> tuple[Labels, list[float]]:
    """Rows with the same labels as one."""
    if not labels:
        return labels, [sum(numbers)] if numbers else []
    sums: dict[tuple[str, ...], float] = {}
    for key, number in zip(zip(*labels, strict=True), numbers, strict=True):
        sums[key] = sums.get(key, 0) + number
    return tuple(zip(*sums, strict=True)), list(sums.values())


def budgeted(blocks: list[Block], max_series: int) -> tuple[list[Block], int]:
    """The blocks that fit into the collector's budget, and how many series were left out."""
    kept, room, dropped = [], max_series, 0
    for block in blocks:
        if len(block) <= room:
            kept.append(block)
        elif room > 0:
            cut = tuple(of[:room] for of in block.label_values)
            kept.append(Block(block.family, block.label_names, cut, block.values[:room], block.suffix))
        dropped += max(0, len(block) - max(room, 0))
        room -= len(block)
    return kept, dropped


def columns_read(collector: Collector) -> tuple[str, ...]:
    """The columns of the result that something reads, in the order of the head: an engine may fetch only these."""
    top, agree = collector.top, collector.agree
    named = [column.value for column in collector.metrics]
    named += [source for column in collector.metrics for _, source in column.labels]
    named += [*top.key, top.weight, *collector.accumulate] if top else []
    named += [*agree.key, agree.replicas] if agree else []
    return tuple(dict.fromkeys(name for name in named if not name.startswith("=")))
