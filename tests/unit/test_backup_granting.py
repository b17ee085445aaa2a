"""Which roles a restore of one table needs beside the owners: those of grants and policies."""

from __future__ import annotations

import pytest

from dbwatch.core.backups import granting


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("GRANT SELECT ON TABLE metier.rdv TO lecteur;", {"lecteur"}),
        ('GRANT SELECT(nom) ON TABLE metier."a TO b" TO "Agent d\'accueil" WITH GRANT OPTION;', {"Agent d'accueil"}),
        ("REVOKE ALL ON TABLE metier.rdv FROM mairie;", {"mairie"}),
        ("GRANT SELECT ON TABLE metier.rdv TO PUBLIC;", set()),
        ('GRANT SELECT ON TABLE metier.rdv TO "PUBLIC";', {"PUBLIC"}),
        ('SET SESSION AUTHORIZATION chef;\nGRANT ALL ON TABLE "to" TO "x TO ""y""";\nRESET ALL;', {"chef", 'x TO "y"'}),
        ("CREATE POLICY p ON metier.rdv FOR SELECT TO a, \"b c\" USING ((nom = 'x TO d'::text));", {"a", "b c"}),
        ("CREATE POLICY p ON metier.rdv USING ((nom = ' TO d'::text)) WITH CHECK (true);", set()),
        (
            '-- Name: rdv; Type: ACL\n\\restrict abc\nSET row_security = off;\nCREATE POLICY "TO" ON metier.rdv TO a;',
            {"a"},
        ),
        ("SELECT pg_catalog.set_config('search_path', '', false);", set()),
    ],
)
def test_the_roles_of_a_statement_are_found(statement: str, named: set[str]) -> None:
    assert named == granting.roles(statement)
