from __future__ import annotations

from dbwatch.core.showing.tables import table

ROWS = [["20261121T193201Z-000042-1a2b3c4d", "registry-office-of-marseille", "restored and compared"]]


def test_what_a_person_copies_is_never_cut_however_narrow_the_terminal() -> None:
    lines = table(("id", "instance", "proof"), ROWS, 50)

    assert ROWS[0][0] in lines[1]
    assert "registry-office-of-marseille" not in lines[1]
    assert "…" in lines[1]


def test_the_widest_columns_give_way_first() -> None:
    lines = table(("name", "proof"), [["a" * 30, "short"]], 20)

    assert 20 == len(lines[1])
    assert lines[1].endswith("short")
