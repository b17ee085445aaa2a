"""Names as statements of the engines want them: always between marks, for a table may be called `order`."""

from __future__ import annotations

POSTGRES_MARK, MYSQL_MARK = '"', "`"


def marked(name: str, mark: str) -> str:
    """Between these marks; those in it are doubled, as SQL has it for names and for texts."""
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def postgres(name: str) -> str:
    return marked(name, POSTGRES_MARK)


def mysql(name: str) -> str:
    return marked(name, MYSQL_MARK)
