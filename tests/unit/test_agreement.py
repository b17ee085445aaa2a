"""When servers of one cluster agree, and when nothing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import agreement
from dbwatch.core.model import Agreement, Role, Rows
from tests.fakes import rows

if TYPE_CHECKING:
    from dbwatch.core.agreement import Testimony

AGREE = Agreement(("schema", "name"), "replicas")


def answer(*names: str, replicas: int = 0) -> Rows:
    """One row of evidence without a name, and these."""
    return rows(
        "schema", "name", "replicas", of=[(None, None, replicas), *(("public", name, replicas) for name in names)]
    )


def said(*names: str, replicas: int = 0) -> Testimony:
    return agreement.testimony(AGREE, answer(*names, replicas=replicas), 0.0)


def judged(own: Rows, role: Role = Role.PRIMARY, **standbys: Testimony | None) -> tuple[list[object], str]:
    """The names of the rows that are kept, save that without, and why there are no others."""
    kept, why = agreement.verdict(AGREE, own, role, standbys)
    assert None in kept.column("name")
    return [name for name in kept.column("name") if name is not None], why


def test_a_server_without_standbys_judges_alone() -> None:
    assert (["a", "b"], "") == judged(answer("a", "b"))


def test_only_what_every_standby_says_too_is_kept() -> None:
    assert (["b"], "") == judged(answer("a", "b", replicas=2), paris=said("b", "a"), lyon=said("b", "c"))


def test_a_standby_that_says_nothing_of_it_is_against_it() -> None:
    assert ([], "") == judged(answer("a", replicas=1), paris=said())


def test_a_standby_that_was_not_heard_leaves_no_verdict_connected_or_not() -> None:
    assert ([], "no verdict: lyon has not answered lately") == judged(answer("a"), paris=said("a"), lyon=None)


def test_a_replica_that_is_not_watched_leaves_no_verdict() -> None:
    assert ([], "no verdict: 2 replicas are connected, 1 of them watched") == judged(
        answer("a", replicas=2), paris=said("a")
    )


def test_a_replica_of_a_replica_counts_where_it_is_connected() -> None:
    assert [] == judged(answer("a", replicas=1), paris=said("a", replicas=1))[0]
    assert ["a"] == judged(answer("a", replicas=1), paris=said("a", replicas=1), lyon=said("a"))[0]


def test_a_standby_gives_no_verdict_of_its_own() -> None:
    assert ([], "the verdict stands at the primary") == judged(answer("a"), Role.REPLICA)


def test_who_asks_one_server_only_does_not_judge_for_its_replicas() -> None:
    assert agreement.alone(None, answer("a"), Role.PRIMARY)[0] == answer("a")
    assert (
        "no verdict: replicas are connected (1), and one server is asked here; the daemon asks them all"
        == (agreement.alone(AGREE, answer("a", replicas=1), Role.PRIMARY)[1])
    )
    assert "" == agreement.alone(AGREE, answer("a"), Role.PRIMARY)[1]
    assert "the verdict stands at the primary" == agreement.alone(AGREE, answer("a", replicas=1), Role.REPLICA)[1]
