"""What no single instance has of backups: the repository's file system, and the jobs that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily

from dbwatch.core.backups.figures import RepositoryFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.metrics_core import Metric

# With nothing absent: what a reference of all metrics is made of.
ALL_OF_IT = RepositoryFigures(
    size_bytes=0, free_bytes=0, reserve_bytes=0, needed_bytes=0, jobs_running=(("backup", 0),)
)


class BackupsCollector:
    """A collector as prometheus_client wants it; `figures` is asked by `look`, on the event loop, for each page.

    None: nothing is backed up here.
    """

    def __init__(self) -> None:
        self.figures: Callable[[], RepositoryFigures | None] = lambda: None
        self._seen: RepositoryFigures | None = None

    def look(self) -> None:
        self._seen = self.figures()

    def collect(self) -> Iterable[Metric]:
        if self._seen is not None:
            yield from _repository(self._seen)
            yield from _jobs(self._seen)


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, text, value=value)


def _repository(figures: RepositoryFigures) -> Iterator[Metric]:
    yield from _gauge(
        "dbwatch_backup_repository_usable",
        "1 when backups can be read and written where they lie, 0 when not.",
        int(figures.is_usable),
    )
    yield from _gauge(
        "dbwatch_backup_repository_size_bytes", "Size of the file system that backups lie on.", figures.size_bytes
    )
    yield from _gauge("dbwatch_backup_repository_free_bytes", "Bytes of it that are free.", figures.free_bytes)
    yield from _gauge(
        "dbwatch_backup_repository_reserve_bytes",
        "Bytes of it that no backup is written into: a run ends before.",
        figures.reserve_bytes,
    )
    yield from _gauge(
        "dbwatch_backup_repository_needed_bytes",
        "Bytes that the next backup of every instance is expected to take.",
        figures.needed_bytes,
    )


def _jobs(figures: RepositoryFigures) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("dbwatch_jobs", "Jobs that run, or wait for their turn.", labels=["kind", "state"])
    for state, counts in (("running", figures.jobs_running), ("waiting", figures.jobs_waiting)):
        for kind, count in counts:
            jobs.add_metric([kind, state], count)
    yield jobs
