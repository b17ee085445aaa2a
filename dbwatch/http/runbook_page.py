"""A runbook as a page: dbwatch brings them along, for who is on call without the Internet. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.http.frame import FRENCH, framed
from dbwatch.http.markup import Safe, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

    from dbwatch.http.frame import Frame

NAME = re.compile(r"[A-Za-z0-9]{1,100}")  # of an alert, so that no path can be asked for
NEIGHBOUR = re.compile(r"(?:\./)?([A-Za-z0-9]{1,100})\.md(#[\w-]*)?")
ELSEWHERE = ("https://", "http://", "#")


def is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def runbook_page(name: str, markdown: str, frame: Frame) -> str:
    """The whole page."""
    return framed(
        f"{name} · runbook · dbwatch",
        element("p", element("a", "← alerts", href=frame.to("/alerts")), class_="back"),
        element("main", element("article", rendered(markdown), class_="runbook card", lang=FRENCH)),
        frame=frame,
    )


def rendered(markdown: str) -> Safe:
    """HTML in it stays text; a link to a neighbour leads to its page here, one that leads nowhere here is text."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.children:
            token.children = list(_with_live_links(token.children))
    return Safe(parser.renderer.render(tokens, parser.options, {}))


def _with_live_links(children: Iterable[Token]) -> Iterator[Token]:
    """Links do not nest in Markdown: whatever closes is what opened last."""
    is_live = True
    for child in children:
        if child.type == "link_open":
            target = _target(str(child.attrGet("href") or ""))
            child.attrSet("href", target)
            is_live = bool(target)
        if is_live or child.type not in {"link_open", "link_close"}:
            yield child


def _target(href: str) -> str:
    if neighbour := NEIGHBOUR.fullmatch(href):
        return f"/runbooks/{neighbour[1]}{neighbour[2] or ''}"
    return href if href.startswith(ELSEWHERE) else ""
