"""A report's page as Markdown, and as one HTML file that needs nothing beside it. Pure."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbwatch.core.backups.reporting import Page, Part, Table

SHORT = re.compile(r"[\d\N{EN DASH}].{0,11}|\w{1,4}")
CODE = re.compile(r"`([^`]+)`")
SIGNS = {"good": "\N{CHECK MARK}", "late": "\N{WARNING SIGN}", "bad": "\N{BALLOT X}"}
COLOURS = ("#8ecae6", "#219ebc", "#126782", "#ffb703", "#fb8500", "#9d4edd", "#588157")
STYLE = """
body{margin:0;background:#f4f6f9;color:#14213d;font:16px/1.5 system-ui,sans-serif}
main{max-width:880px;margin:0 auto;padding:24px 16px 48px;background:#fff}
h1{font-size:1.6rem;line-height:1.25;margin:0}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
.sub{color:#5a6478;margin:.25rem 0 1rem}
.verdict{border-left:6px solid;padding:.75rem 1rem;border-radius:4px}
.verdict p{margin:.35rem 0 0}
.verdict strong{font-size:1.1rem}
.good{border-color:#2a9d8f;background:#e8f5f3}
.late{border-color:#e9a100;background:#fff6e0}
.bad{border-color:#c1121f;background:#fdeceb}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #e3e7ee;overflow-wrap:anywhere}
th,td:first-child{overflow-wrap:normal}
.short{white-space:nowrap}
th{font-weight:600;color:#5a6478}
td:first-child{font-weight:600}
tr.good td:nth-child(2){background:none;color:#1d7268}
tr.bad td{background:#fdeceb}
tr.good{background:none}
.bar{display:flex;height:22px;border-radius:4px;overflow:hidden;margin:.5rem 0}
.bar i{display:block;min-width:2px}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:0 0 1rem;list-style:none;font-size:.9rem}
.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
code{background:#eef1f6;padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}
.wide{overflow-x:auto}
@media print{body{background:#fff}main{padding:0}}
"""


def markdown(page: Page) -> str:
    """For a terminal, a wiki or a ticket."""
    lines = [f"# {_plain(page.title)}", "", f"*{_plain(page.subtitle)}*", ""]
    lines += [f"{SIGNS[page.mark]} **{page.verdict}**", ""]
    for lead in page.leads:
        lines += [_plain(lead), ""]
    for part in page.parts:
        lines += _part_lines(part)
    return "\n".join(lines).rstrip() + "\n"


def _part_lines(part: Part) -> Iterator[str]:
    yield from (f"## {part.heading}", "")
    for paragraph in part.paragraphs:
        yield from (_plain(paragraph), "")
    if part.table is not None:
        yield from (*_table_lines(part.table), "")
    if part.items:
        yield from (*(f"- {_plain(item)}" for item in part.items), "")


def _table_lines(table: Table) -> Iterator[str]:
    yield _row(table.headers)
    yield _row(["---"] * len(table.headers))
    yield from map(_row, table.rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _plain(text: str) -> str:
    """A name that a server gave must not become a heading, a link or markup; our own backticks stay."""
    pieces = CODE.split(text.replace("\n", " "))
    return "".join(f"`{piece}`" if number % 2 else _quoted(piece) for number, piece in enumerate(pieces))


def _quoted(text: str) -> str:
    return re.sub(r"([\\*_\[\]<>#])", r"\\\1", text)


def html(page: Page) -> str:
    """One file: no script, no picture, nothing to fetch."""
    leads = "".join(f"<p>{_marked(lead)}</p>" for lead in page.leads)
    verdict = (
        f'<div class="verdict {page.mark}"><strong>{SIGNS[page.mark]} {escape(page.verdict)}</strong>{leads}</div>'
    )
    parts = "".join(map(_part, page.parts))
    return (
        f'<!doctype html>\n<html lang="{page.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(page.title)}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(page.title)}</h1>"
        f'<p class="sub">{escape(page.subtitle)}</p>{verdict}{parts}</main></body></html>\n'
    )


def _part(part: Part) -> str:
    paragraphs = "".join(f"<p>{_marked(text)}</p>" for text in part.paragraphs)
    items = "".join(f"<li>{_marked(item)}</li>" for item in part.items)
    table = "" if part.table is None else f'<div class="wide">{_table(part.table)}</div>'
    listed = f"<ul>{items}</ul>" if items else ""
    return f"<section><h2>{escape(part.heading)}</h2>{_bar(part)}{paragraphs}{table}{listed}</section>"


def _bar(part: Part) -> str:
    if not part.shares:
        return ""
    coloured = [(COLOURS[number % len(COLOURS)], *share) for number, share in enumerate(part.shares)]
    pieces = "".join(
        f'<i style="width:{100 * share:.2f}%;background:{colour}" title="{escape(name)}: {escape(took)}"></i>'
        for colour, name, took, share in coloured
    )
    keys = "".join(
        f'<li><i style="background:{colour}"></i>{escape(name)} {escape(took)}</li>'
        for colour, name, took, _ in coloured
    )
    return f'<div class="bar">{pieces}</div><ul class="key">{keys}</ul>'


def _table(table: Table) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in table.headers)
    head = f"<tr>{heads}</tr>" if any(table.headers) else ""
    marks = table.marks or ("",) * len(table.rows)
    rows = "".join(
        f'<tr class="{mark}">{"".join(map(_cell, row))}</tr>' for mark, row in zip(marks, table.rows, strict=True)
    )
    return f"<table>{head}{rows}</table>"


def _cell(text: str) -> str:
    """A number keeps its unit beside it."""
    kind = ' class="short"' if SHORT.fullmatch(text) else ""
    return f"<td{kind}>{_marked(text)}</td>"


def _marked(text: str) -> str:
    return CODE.sub(r"<code>\1</code>", escape(text, quote=False))
