"""Two letters of one conversation that have not left: the newer one says what both would have said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.alerting.conversations import bounded
from dbwatch.core.alerting.model import Change, Item, LetterKind

if TYPE_CHECKING:
    from dbwatch.core.alerting.model import Letter

ENDS = frozenset({Change.RESOLVED, Change.UNMEASURED, Change.PASSED})


def merged(older: Letter, newer: Letter) -> Letter:
    """To be sent as `newer` is: with its sequence, recipients and time."""
    before = {item.alert.fingerprint: item for item in older.items}
    after = {item.alert.fingerprint: item for item in newer.items}
    # What still goes on too: a digest, or a letter of another conversation, may have been the one that said it began.
    kept = [item for mark, item in before.items() if mark not in after]
    both = [_both(before[mark], item) if mark in before else item for mark, item in after.items()]
    shown, counted = bounded([*kept, *both])
    facts = {**dict(older.facts), **dict(newer.facts), **counted}
    if older.kind is newer.kind is LetterKind.DIGEST:
        facts["groups"] = str(max(int(dict(each.facts).get("groups", "0")) for each in (older, newer)))
    is_escalation = older.kind is LetterKind.ESCALATION and any(item.change is Change.FIRING for item in shown)
    return replace(
        newer,
        kind=LetterKind.ESCALATION if is_escalation else newer.kind,
        items=shown,
        facts=tuple(sorted(facts.items())),
    )


def _both(before: Item, after: Item) -> Item:
    if before.change is Change.FIRING and after.change in ENDS:
        return replace(after, change=Change.PASSED)
    if before.change is Change.FIRING and after.change is Change.STILL:
        return replace(after, change=Change.FIRING, is_flapping=before.is_flapping or after.is_flapping)
    return after
