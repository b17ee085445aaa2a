"""What a person does with a table that was restored beside the original: the statements, with the names filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise
from dbwatch.files import sql_root

if TYPE_CHECKING:
    from dbwatch.core.backups.restore_plans import RestorePlan

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
SIDE = "dbwatch_restored"
FILE = "hand_over.sql"


def hand_over(planned: RestorePlan) -> str:
    """To be read, and pasted piece by piece."""
    manifest, part = planned.record.manifest, planned.part
    mark = '"' if manifest.engine == "postgres" else "`"
    names = {
        "database": quoted(part.database, mark),
        "into": quoted(part.into, mark),
        "table": quoted(part.table, mark),
        "side": SIDE,
        "source": ".".join(quoted(name, mark) for name in (part.schema, part.table) if name),
        "moment": humanise.moment(manifest.started_at),
    }
    text = (sql_root() / manifest.engine / "drills" / FILE).read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text).rstrip()


def quoted(name: str, mark: str) -> str:
    return name if PLAIN.fullmatch(name) else f"{mark}{name.replace(mark, mark * 2)}{mark}"
