"""What the servers of one cluster say alike: an index is unused only where no server used it. Pure.

A row is kept when every standby gives it as well. Where one of them was not heard the verdict is left out whole, with
the reason: to be silent is better than to be wrong. A row without a name is each server's own, and always kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from dbwatch.core.model import Role, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.model import Agreement

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one server gave: the names of its rows, and how many replicas it feeds."""

    keys: frozenset[Key]
    replicas: int
    taken_at: float


def testimony(agree: Agreement, rows: Rows, taken_at: float) -> Testimony:
    """What there is to remember of an answer."""
    told = (int(str(number)) for number in rows.column(agree.replicas) if number is not None)
    return Testimony(frozenset(_keys(agree, rows)), max(told, default=0), taken_at)


def verdict(agree: Agreement, rows: Rows, role: Role, standbys: Mapping[str, Testimony | None]) -> tuple[Rows, str]:
    """The rows that all agree on, and why there are none. `standbys`: None, one that is known and was not heard."""
    own = testimony(agree, rows, 0.0)
    heard = [said for said in standbys.values() if said is not None]
    connected = own.replicas + sum(said.replicas for said in heard)
    if role is not Role.PRIMARY:
        return _only(agree, rows, frozenset()), "the verdict stands at the primary"
    if unheard := sorted(name for name, said in standbys.items() if said is None):
        return _only(agree, rows, frozenset()), f"no verdict: {', '.join(unheard)} has not answered lately"
    if connected > len(standbys):
        why = f"no verdict: {connected} replicas are connected, {len(standbys)} of them watched"
        return _only(agree, rows, frozenset()), why
    return _only(agree, rows, own.keys.intersection(*(said.keys for said in heard))), ""


def alone(agree: Agreement | None, rows: Rows, role: Role) -> tuple[Rows, str]:
    """The verdict of who asks one server only: none where it has replicas, be they watched or not."""
    if agree is None:
        return rows, ""
    kept, why = verdict(agree, rows, role, {})
    replicas = testimony(agree, rows, 0.0).replicas if role is Role.PRIMARY else 0
    here = "one server is asked here; the daemon asks them all"
    return kept, f"no verdict: replicas are connected ({replicas}), and {here}" if replicas else why


def _keys(agree: Agreement, rows: Rows) -> list[Key]:
    return list(zip(*(rows.column(name) for name in agree.key), strict=True))


def _only(agree: Agreement, rows: Rows, kept: frozenset[Key]) -> Rows:
    keeps = [key in kept or all(part is None for part in key) for key in _keys(agree, rows)]
    return Rows(rows.names, tuple(list(compress(column, keeps)) for column in rows.columns))
