"""What rules over much data gave, kept while nothing that they read has changed.

Of 10,000 tables the sizes change every ten minutes, and the rules are asked every fifteen seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.alerts.values import Inputs
    from dbwatch.core.promql import Sample


class Unchanged:
    """Results by rule and batch of instances."""

    def __init__(self) -> None:
        self._results: dict[tuple[str, str], tuple[Inputs, Sequence[Sample]]] = {}

    def result(self, rule: str, batch: str, inputs: Inputs) -> Sequence[Sample] | None:
        """What it gave for equal inputs; None: it must be asked."""
        known = self._results.get((rule, batch))
        return known[1] if known is not None and known[0] == inputs else None

    def keep(self, rule: str, batch: str, inputs: Inputs | None, result: Sequence[Sample] | None) -> None:
        if inputs is None or result is None:
            self._results.pop((rule, batch), None)
        else:
            self._results[rule, batch] = (inputs, result)
