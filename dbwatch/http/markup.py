"""HTML that cannot forget to escape: text is escaped unless this module made it. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

VOID = frozenset({"meta", "link", "br"})


class Safe(str):
    """Markup made by `element`; never build one from what a server or a person wrote."""

    __slots__ = ()


Child = str | None  # None: nothing


def element(tag: str, *children: Child, **attributes: str | None) -> Safe:
    """`class_` and `http_equiv` give class and http-equiv; an attribute that is None is left out."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Safe(f"<{tag}{written}>")
    return Safe(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(children: Iterable[Child]) -> Safe:
    return Safe("".join(child if isinstance(child, Safe) else escape(child) for child in children if child is not None))


def document(*, title: str, head: Iterable[Child], body: Iterable[Child]) -> str:
    """A whole page."""
    page = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", title),
            element("link", rel="stylesheet", href="/static/style.css"),
            element("link", rel="icon", type="image/svg+xml", href="/static/icon.svg"),
            *head,
        ),
        element("body", *body),
        lang="en",
    )
    return f"<!doctype html>\n{page}\n"
