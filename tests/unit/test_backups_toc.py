"""What of an archive's list belongs to one table."""

from __future__ import annotations

import pytest

from dbwatch.core.backups import toc

# As pg_restore --list --verbose writes it, shortened.
LIST = """;
; Archive created at 2026-11-22 07:00:00 UTC
;     dbname: marseille
;
5; 2615 16400 SCHEMA - metier mairie
860; 1247 16401 TYPE metier etat postgres
;	depends on: 5
220; 1259 16410 TABLE metier citoyens postgres
;	depends on: 5
219; 1259 16409 SEQUENCE metier citoyens_id_seq postgres
;	depends on: 5 220
3500; 0 0 SEQUENCE OWNED BY metier citoyens_id_seq postgres
;	depends on: 219
222; 1259 16420 TABLE metier rdv postgres
;	depends on: 5 860
223; 1259 16430 TABLE metier rdv vieux postgres
;	depends on: 5
224; 1259 16440 VIEW metier actifs postgres
;	depends on: 220 222 5
300; 1259 16500 TABLE metier journal postgres
;	depends on: 5
301; 1259 16501 TABLE metier journal_2026 postgres
;	depends on: 5
3400; 0 0 TABLE ATTACH metier journal_2026 postgres
;	depends on: 301 300
3300; 2604 16411 DEFAULT metier citoyens id postgres
;	depends on: 219 220 220
3600; 0 16410 TABLE DATA metier citoyens postgres
;	depends on: 220
3601; 0 16420 TABLE DATA metier rdv postgres
;	depends on: 222
3602; 0 0 SEQUENCE SET metier citoyens_id_seq postgres
;	depends on: 219
3603; 0 16501 TABLE DATA metier journal_2026 postgres
;	depends on: 301
3310; 2606 16412 CONSTRAINT metier citoyens citoyens_pkey postgres
;	depends on: 220
3311; 2606 16422 CONSTRAINT metier rdv rdv_pkey postgres
;	depends on: 222
3312; 1259 16423 INDEX metier par_etat postgres
;	depends on: 222
3320; 2606 16424 FK CONSTRAINT metier rdv rdv_citoyen_fkey postgres
;	depends on: 222 220 3310
3330; 2620 16425 TRIGGER metier rdv horodate postgres
;	depends on: 222 250
250; 1255 16399 FUNCTION metier horodate() postgres
;	depends on: 5
3700; 0 0 ACL metier TABLE citoyens postgres
;	depends on: 220
3701; 0 0 COMMENT metier COLUMN citoyens.nom postgres
;	depends on: 220
3702; 0 0 ACL metier SEQUENCE citoyens_id_seq postgres
;	depends on: 219
"""
ENTRIES = toc.parse(LIST)


def ids(name: str, *, aside: bool) -> set[int]:
    return {entry.id for entry in toc.table(ENTRIES, "metier", name, aside=aside)}


def test_every_line_is_read_with_what_it_depends_on() -> None:
    assert 25 == len(ENTRIES)
    assert (219, 220, 220) == next(entry.needs for entry in ENTRIES if entry.id == 3300)
    assert ("SEQUENCE OWNED BY", "metier citoyens_id_seq postgres") == (ENTRIES[4].kind, ENTRIES[4].rest)


def test_in_its_place_a_table_comes_with_all_that_hangs_on_it_and_nothing_else() -> None:
    assert {222, 3601, 3311, 3312, 3320, 3330} == ids("rdv", aside=False)


def test_a_sequence_comes_with_its_place_its_value_and_its_grants() -> None:
    assert {220, 219, 3500, 3300, 3600, 3602, 3310, 3700, 3701, 3702} == ids("citoyens", aside=False)


def test_aside_it_brings_what_it_needs_and_no_foreign_key() -> None:
    assert {5, 860, 250, 222, 3601, 3311, 3312, 3330} == ids("rdv", aside=True)


@pytest.mark.parametrize("how", ["aside", "in place"])
def test_a_partitioned_table_comes_with_its_partitions(how: str) -> None:
    assert {300, 301, 3400, 3603} == ids("journal", aside=how == "aside") - {5}


def test_a_partition_alone_is_attached_in_its_place_only() -> None:
    assert {301, 3400, 3603} == ids("journal_2026", aside=False)
    assert {5, 301, 3603} == ids("journal_2026", aside=True)


def test_no_table_of_that_name_is_nothing() -> None:
    assert set() == ids("rd", aside=True)


def test_an_owner_of_several_words_hides_nothing() -> None:
    renamed = toc.parse(LIST.replace(" postgres\n", " Agent d'accueil\n"))

    assert {222, 3601, 3311, 3312, 3320, 3330} == {each.id for each in toc.table(renamed, "metier", "rdv", aside=False)}


@pytest.mark.parametrize(
    ("other", "roles"),
    [
        ("rdv postgres", set()),  # a line break was written as a blank
        ("rdv vieux", set()),
        ("rdv vieux", {"vieux"}),
        ("rdv de trop vieux", {"de trop vieux", "postgres"}),
    ],
)
def test_a_table_that_another_reads_like_is_not_certain(other: str, roles: set[str]) -> None:
    entries = toc.parse(f"222; 1259 16420 TABLE metier rdv postgres\n223; 1259 16430 TABLE metier {other}\n")

    assert not toc.is_certain(entries, "metier", "rdv", roles)


@pytest.mark.parametrize("roles", [set(), {"postgres"}, {"somebody else"}])
def test_a_table_is_certain_beside_one_of_a_longer_name(roles: set[str]) -> None:
    assert toc.is_certain(ENTRIES, "metier", "rdv", roles)


def test_a_comment_on_a_foreign_key_brings_neither_the_key_nor_the_other_table_along() -> None:
    comments = (
        "3703; 0 0 COMMENT metier CONSTRAINT rdv_citoyen_fkey ON rdv postgres\n;	depends on: 3320\n"
        "3704; 0 0 COMMENT metier CONSTRAINT rdv_pkey ON rdv postgres\n;	depends on: 3311\n"
    )
    entries = toc.parse(LIST + comments)

    aside = {entry.id for entry in toc.table(entries, "metier", "rdv", aside=True)}
    in_place = {entry.id for entry in toc.table(entries, "metier", "rdv", aside=False)}
    assert {5, 860, 250, 222, 3601, 3311, 3312, 3330, 3704} == aside
    assert {222, 3601, 3311, 3312, 3320, 3330, 3703, 3704} == in_place


EXCLUDING = (
    "7; 2615 16399 SCHEMA - outils postgres\n"
    "2; 3079 16392 EXTENSION - btree_gist \n;	depends on: 7\n"
    "3689; 0 0 COMMENT - EXTENSION btree_gist \n;	depends on: 2\n"
    "251; 1255 16398 FUNCTION metier demi(integer) postgres\n;	depends on: 5\n"
    "252; 1255 16397 FUNCTION metier tiers(integer) postgres\n;	depends on: 5\n"
)


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        ('ADD CONSTRAINT libre EXCLUDE USING gist (salle WITH =, "metier".demi(n) WITH =)', {7, 2, 251}),
        ("ADD CONSTRAINT libre PRIMARY KEY (salle, quand WITHOUT OVERLAPS)", {7, 2}),
        ("ADD CONSTRAINT rdv_pkey PRIMARY KEY (id)", set()),
    ],
)
def test_an_exclusion_brings_the_extensions_and_the_functions_that_the_list_does_not_name(
    statement: str, more: set[int]
) -> None:
    entries = toc.parse(LIST + EXCLUDING)
    table = toc.table(entries, "metier", "rdv", aside=True)

    whole = {entry.id for entry in toc.with_needs_of_exclusions(entries, table, statement)}
    assert more == whole - {entry.id for entry in table}


def test_the_list_keeps_the_order_of_the_archive() -> None:
    listed = toc.listing(toc.table(ENTRIES, "metier", "rdv", aside=True)).splitlines()

    assert listed == [line for line in LIST.splitlines() if line in listed]
    assert 8 == len(listed)


def test_a_name_is_told_by_what_it_is_and_who_gets_what_is_made() -> None:
    entries = toc.parse(
        "; header\n"
        "215; 1259 16384 VIEW public notes app\n"
        "216; 1259 16385 MATERIALIZED VIEW public totals b app\n"
        "300; 0 16385 MATERIALIZED VIEW DATA public totals b app\n"
        "217; 1259 16386 FOREIGN TABLE public far postgres\n"
        "218; 0 0 ACL public TABLE notes other\n"
        "219; 1262 16383 DATABASE - shop owner\n"
    )

    kinds = [toc.kind(entries, "public", name) for name in ("notes", "totals", "far", "none")]
    assert kinds == ["view", "materialized view", "foreign table", ""]
    roles = ["app", "b app", "postgres", "other", "owner", "idle"]
    assert {"app", "b app", "postgres"} == toc.owners(entries, roles, with_database=False)
    assert {"app", "b app", "postgres", "owner"} == toc.owners(entries, roles, with_database=True)
