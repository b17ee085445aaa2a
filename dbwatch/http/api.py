"""The same facts as the page, as JSON, and the targets for Prometheus's HTTP service discovery. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise
from dbwatch.http.selection import OWN_COLLECTOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.model import Facts, Identity
    from dbwatch.http.figures import Figure
    from dbwatch.http.view import CollectorView, InstanceView

Json = dict[str, object]


def instances_json(views: Sequence[InstanceView], now: float) -> Json:
    return {
        "generated_at": humanise.iso(now),
        "configured": len(views),
        "up": sum(bool(view.state.up) for view in views),
        "instances": [instance_json(view) for view in views],
    }


def instance_json(view: InstanceView) -> Json:
    """No secret is in a state: neither credentials nor the text of a query."""
    state = view.state
    return {
        **state.identity.labels(),
        "address": state.address,
        "state": view.level.name.lower(),
        "up": state.up,
        "since": _moment(state.since),
        "checked_at": _moment(state.checked_at),
        "in_maintenance": state.in_maintenance,
        "reason": state.reason,
        "message": state.message,
        "remedy": state.remedy,
        "labels": dict(state.labels),
        "certificate_not_after": _moment(state.certificate_not_after),
        "server": _facts_json(state.facts) if state.facts is not None else None,
        "figures": {figure.key: _figure_json(figure) for figure in view.figures},
        "collectors": {each.status.name: _collector_json(each) for each in view.collectors},
    }


def _moment(unix_seconds: float | None) -> str | None:
    return humanise.iso(unix_seconds) if unix_seconds is not None else None


def _facts_json(facts: Facts) -> Json:
    return {
        "flavour": facts.flavour,
        "version": ".".join(map(str, facts.version)),
        "version_text": facts.version_text,
        "role": facts.role,
        "edition": facts.edition,
        "started_at": _moment(facts.started_at),
        "system_identifier": facts.system_identifier,
    }


def _figure_json(figure: Figure) -> Json:
    return {
        "title": figure.title,
        "unit": figure.unit,
        "value": figure.value,
        "limit": figure.limit,
        "high": figure.is_high,
        "absent_because": figure.why if figure.value is None else None,
        "read_at": _moment(figure.taken_at),
    }


def _collector_json(each: CollectorView) -> Json:
    status = each.status
    return {
        "state": each.freshness.name.lower(),
        "lane": status.lane,
        "interval_seconds": status.interval_seconds,
        "last_success_at": _moment(status.last_success_at),
        "duration_seconds": status.seconds if status.succeeded is not None else None,
        "series": status.series,
        "dropped_series": each.dropped,
        "reason": status.reason,
        "message": status.message,
        "remedy": status.remedy,
        "skipped": status.skipped,
    }


def targets_json(identities: Iterable[Identity], address: str, *, path: str, scheme: str, is_split: bool) -> list[Json]:
    """One target for the whole daemon, or one for itself and one for each instance, so that scrapes can be spread.

    Split targets share an address: each has an `instance` label of its own, or Prometheus would take them for one.
    """
    common = {"__metrics_path__": path, "__scheme__": scheme}
    if not is_split:
        return [{"targets": [address], "labels": common}]
    own = {**common, "__param_collector": OWN_COLLECTOR, "instance": address}
    groups = [own, *({**common, **_split_labels(each, address)} for each in identities)]
    return [{"targets": [address], "labels": labels} for labels in groups]


def _split_labels(identity: Identity, address: str) -> dict[str, str]:
    meta = {f"__meta_dbwatch_{name}": value for name, value in identity.labels().items()}
    return {**meta, "__param_db_instance": identity.db_instance, "instance": f"{address}/{identity.db_instance}"}
