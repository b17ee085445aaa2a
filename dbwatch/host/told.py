"""What the server tells of itself, by which it is found on this machine: rows of (fact, purpose, value)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.errors import EngineError, Reason
from dbwatch.host.places import Place

if TYPE_CHECKING:
    from dbwatch.core.model import Rows

PLACE = "place"
DATA = "data"


@dataclass(frozen=True, slots=True)
class Told:
    """The rows that say something, in their order: a value that is NULL or empty says that there is none."""

    rows: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, rows: Rows) -> Told:
        """Raise EngineError (shape) where the answer has other columns."""
        columns = zip(*(rows.column(name) for name in ("fact", "purpose", "value")), strict=True)
        return cls(tuple((str(fact), str(purpose), str(value)) for fact, purpose, value in columns if value))

    def facts(self, name: str) -> tuple[str, ...]:
        return tuple(value for fact, _, value in self.rows if fact == name)

    def fact(self, name: str) -> str:
        """Empty where it is not told."""
        return next(iter(self.facts(name)), "")

    @property
    def started_at(self) -> float:
        """Of the server, or of our session where that is what is looked for."""
        try:
            return float(self.fact("started_at"))
        except ValueError:
            raise EngineError(Reason.SHAPE, "no row tells started_at") from None

    @property
    def data(self) -> str:
        return next((value for fact, purpose, value in self.rows if (fact, purpose) == (PLACE, DATA)), "/")

    def path(self, name: str) -> Path | None:
        """Relative to the data directory, as servers mean it."""
        value = self.fact(name)
        return self.path_of(value) if value else None

    def path_of(self, value: str) -> Path:
        return Path(self.data, value)

    @property
    def places(self) -> tuple[Place, ...]:
        """Each once."""
        told = (Place(purpose, str(self.path_of(value))) for fact, purpose, value in self.rows if fact == PLACE)
        return tuple(dict.fromkeys(told))
