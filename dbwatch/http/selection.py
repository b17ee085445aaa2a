"""Which part of the page a scrape asks for: ?db_instance=, ?collector= and ?name[]=, each as often as wanted. Pure.

The process's own metrics count as the collector `dbwatch`: with a filter they come only where that is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from multidict import MultiMapping

    from dbwatch.store import InstanceState

OWN_COLLECTOR = "dbwatch"
SUFFIXES = ("_total", "_info", "_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class Selection:
    """Empty fields select everything."""

    instances: frozenset[str] = frozenset()
    collectors: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()  # families, without the suffix of their samples

    @classmethod
    def of(cls, query: MultiMapping[str]) -> Selection:
        return cls(
            frozenset(query.getall("db_instance", ())),
            frozenset(query.getall("collector", ())),
            frozenset(map(base_name, query.getall("name[]", ()))),
        )

    @property
    def is_everything(self) -> bool:
        return not (self.instances or self.collectors or self.names)

    @property
    def has_own(self) -> bool:
        return OWN_COLLECTOR in self.collectors or not (self.instances or self.collectors)

    def fault(self, states: Iterable[InstanceState]) -> str:
        """What is asked for and cannot be: a misspelt name must fail the scrape, not give an empty page. "" if none."""
        if self.is_everything:
            return ""
        states = list(states)
        unknown = self.instances - {state.identity.db_instance for state in states}
        if unknown:
            return f"no instance {min(unknown)!r} is configured"
        known = {OWN_COLLECTOR}.union(*(state.collectors for state in states))
        strange = self.collectors - known if len(known) > 1 else frozenset()
        return f"no instance has a collector {min(strange)!r}" if strange else ""

    def named(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Of a page's chunks those of the families asked for; each family begins with a chunk of its own."""
        if not self.names:
            yield from chunks
            return
        wanted = False
        for chunk in chunks:
            if chunk.startswith(b"# "):
                wanted = base_name(chunk.split(b" ", 3)[2].decode()) in self.names
            if wanted:
                yield chunk

    @staticmethod
    def blocks(text: bytes) -> Iterator[bytes]:
        """Cut a text into chunks of one family each."""
        block: list[bytes] = []
        family = b""
        for line in text.splitlines(keepends=True):
            begins = line.split(b" ", 3)[2] if line.startswith(b"# ") else family
            if block and begins != family:
                yield b"".join(block)
                block = []
            family = begins
            block.append(line)
        if block:
            yield b"".join(block)


def base_name(name: str) -> str:
    """A family's name, whether one gave a sample's name or that of either format."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name
