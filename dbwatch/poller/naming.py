"""What tells one server from another, for us and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbwatch.core.model import Facts
    from dbwatch.settings.models import Instance


def identity(facts: Facts) -> dict[str, object]:
    """What must not change while series go on: a server that restarted within the same second is the same."""
    started = round(facts.started_at) if facts.started_at is not None else None
    server = {"system_identifier": facts.system_identifier, "started_at": started}
    return {"role": facts.role.value, "version": facts.version_text, **server}


def address(instance: Instance) -> str:
    """Where the instance is, for people: host and port, or the socket."""
    socket = getattr(instance, "socket", None)
    return str(socket) if socket else f"{instance.address}:{instance.port}"
