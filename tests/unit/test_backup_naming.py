"""Which set a person means by what was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbwatch.core.backups.naming import chosen, matching, name_of
from dbwatch.errors import UsageError
from tests.backup_boards import DAY, record

FIRST, SECOND = record(1, DAY), record(2, 2 * DAY)
COPY = replace(FIRST, manifest=replace(FIRST.manifest, instance="ghost"), problem="its manifest is that of pg1")


def test_a_set_is_named_in_full_or_by_a_part_that_only_one_has() -> None:
    assert chosen([FIRST, SECOND], FIRST.id) == FIRST
    assert chosen([FIRST, SECOND], SECOND.id[:-1] + SECOND.id[-1]) == SECOND
    assert chosen([FIRST], FIRST.id[-4:]) == FIRST
    assert matching([name_of(FIRST)], FIRST.id[-3:]) == []


def test_of_two_copies_of_one_set_the_one_that_can_be_used_is_meant_and_the_other_can_be_named() -> None:
    assert chosen([COPY, FIRST], FIRST.id) == FIRST
    assert chosen([COPY, FIRST], f"ghost/{FIRST.id}") == COPY


def test_what_may_be_one_of_several_is_refused_with_their_names() -> None:
    other = replace(COPY, problem="")
    start = FIRST.id[:4]

    with pytest.raises(UsageError, match=rf"may be any of pg1/{FIRST.id}, pg1/{SECOND.id} -> name one"):
        chosen([FIRST, SECOND], start)
    with pytest.raises(UsageError, match=rf"may be any of pg1/{FIRST.id}, ghost/{FIRST.id} -> name one"):
        chosen([FIRST, other], FIRST.id)
    with pytest.raises(UsageError, match="may be any of"):
        chosen([FIRST, replace(SECOND, problem="gone")], start)


def test_one_that_lies_in_the_trash_is_told_with_the_way_back_and_one_that_is_nowhere_is_none() -> None:
    with pytest.raises(UsageError, match=rf"is in the trash -> `dbwatch backup pin pg1/{SECOND.id}` brings it back"):
        chosen([FIRST], SECOND.id[2:], [name_of(SECOND)])
    with pytest.raises(UsageError, match="no backup 'nowhere' -> see"):
        chosen([FIRST], "nowhere", [name_of(SECOND)])


def test_two_in_the_trash_are_told_as_two() -> None:
    trashed = [name_of(FIRST), ("ghost", FIRST.id), ("ghost", FIRST.id)]
    told = (
        rf"may be any of ghost/{FIRST.id}, pg1/{FIRST.id}, all in the trash -> .* pin ghost/{FIRST.id}` or .*that one"
    )

    with pytest.raises(UsageError, match=told):
        chosen([], FIRST.id, trashed)
