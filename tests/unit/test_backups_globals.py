"""What pg_dumpall wrote of roles, and which of it suits a server."""

from __future__ import annotations

from dbwatch.core.backups import globals as texts

TEXT = r"""--
-- PostgreSQL database cluster dump
--

\restrict AbC123

SET standard_conforming_strings = on;

CREATE ROLE "Agent d'accueil";
ALTER ROLE "Agent d'accueil" WITH LOGIN PASSWORD 'SCRAM-SHA-256$4096:x;y--z';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
COMMENT ON ROLE postgres IS 'it''s; "so"
-- it goes on';
ALTER ROLE postgres SET work_mem TO '8MB';
CREATE TABLESPACE froid OWNER postgres LOCATION '/froid';
GRANT ALL ON TABLESPACE froid TO postgres;
GRANT a TO "Agent d'accueil" WITH INHERIT TRUE GRANTED BY postgres;

\unrestrict AbC123

--
-- PostgreSQL database cluster dump complete
--

"""
STATEMENTS = list(texts.statements(TEXT))


def suited(*existing: str, keep: bool) -> list[str]:
    return [wanted for each in STATEMENTS if (wanted := texts.suited(each, set(existing), keep=keep))]


def test_statements_are_split_at_what_ends_them_and_nowhere_else() -> None:
    assert 10 == len(STATEMENTS)
    assert STATEMENTS[2].endswith("'SCRAM-SHA-256$4096:x;y--z';")
    assert "it goes on'" in STATEMENTS[5]
    assert not [each for each in STATEMENTS if "restrict" in each]


def test_a_text_without_its_last_line_is_not_complete() -> None:
    assert texts.is_complete(TEXT)
    assert not texts.is_complete(TEXT[: TEXT.rindex("complete")])


def test_who_exists_is_kept_as_he_is() -> None:
    kept = suited("postgres", keep=True)

    assert not [each for each in kept if each.split()[2] == "postgres"]
    assert 'CREATE ROLE "Agent d\'accueil";' in kept


def test_on_a_scratch_server_who_exists_is_changed_too() -> None:
    assert "ALTER ROLE postgres SET work_mem TO '8MB';" in suited("postgres", keep=False)


def test_tablespaces_are_not_made_and_grants_are_made_in_our_own_name() -> None:
    found = suited(keep=False)

    assert not [each for each in found if "TABLESPACE" in each]
    assert found[-1] == 'GRANT a TO "Agent d\'accueil" WITH INHERIT TRUE;'


def test_the_role_that_a_statement_makes_is_known_by_its_real_name() -> None:
    assert ["", "Agent d'accueil", "", "postgres"] == [texts.created(each) for each in STATEMENTS[:4]]


OF_DESK = r"""SET statement_timeout = 0;
CREATE DATABASE desk WITH TEMPLATE = template0;
ALTER DATABASE desk OWNER TO "Front desk";

\connect desk

ALTER DATABASE desk SET search_path TO 'desk', 'a;b';
ALTER ROLE "Front desk" IN DATABASE desk SET work_mem TO '5MB';
COMMENT ON DATABASE desk IS 'it''s
ON DATABASE desk; of the town';
REVOKE CONNECT,TEMPORARY ON DATABASE desk FROM PUBLIC;
"""


def test_what_stands_at_a_database_is_said_of_another_name_and_what_it_says_stays() -> None:
    said = texts.of_database(OF_DESK, 'a "copy"')

    assert texts.is_complete(said)
    assert list(texts.statements(said)) == [
        'ALTER DATABASE "a ""copy""" OWNER TO "Front desk";',
        'ALTER DATABASE "a ""copy""" SET search_path TO \'desk\', \'a;b\';',
        'ALTER ROLE "Front desk" IN DATABASE "a ""copy""" SET work_mem TO \'5MB\';',
        'COMMENT ON DATABASE "a ""copy""" IS \'it\'\'s\nON DATABASE desk; of the town\';',
        'REVOKE CONNECT,TEMPORARY ON DATABASE "a ""copy""" FROM PUBLIC;',
    ]
