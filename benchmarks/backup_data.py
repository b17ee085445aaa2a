"""A database to dump that compresses as real ones do: names, mails, JSON, tokens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.servers import Server

NAME = "dumped"
MEGABYTES = 1300
CITIZENS_PER_MEGABYTE = 1600  # of the database, its indexes included
APPOINTMENTS_EACH = 2
TABLES = """
create table citizens (id int primary key, name text, first_name text, mail text, born date, token text, profile jsonb);
create table appointments (id bigint primary key, citizen int, at timestamptz, state text, note text, code uuid);
"""
ROWS = """
insert into citizens
select n, initcap(translate(left(md5(n::text), 9), '0123456789', 'aeioulnrst')),
       (array['Marie', 'Jean', 'Fatima', 'Louis', 'Nadia', 'Paul', 'Chloé', 'Karim'])[1 + n % 8],
       left(md5(n::text), 9) || '.' || n || '@' || (array['marseille.fr', 'orange.fr', 'gmail.com'])[1 + n % 3],
       date '1940-01-01' + ((n * 7919::bigint) % 27000)::int, md5((n * 31)::text),
       jsonb_build_object('quarter', n % 111, 'phone', '04' || lpad(((n * 7919::bigint) % 100000000)::text, 8, '0'),
                          'consent', n % 3 = 0, 'tags', jsonb_build_array('rdv', n % 17))
from generate_series(1, {citizens}) as n;
insert into appointments
select n, 1 + (n * 7919) % {citizens}, timestamptz '2024-01-01' + n * interval '37 seconds',
       (array['asked', 'confirmed', 'honoured', 'missed'])[1 + n % 4],
       'Guichet ' || n % 40 || ', pièce ' || left(md5((n * 13)::text), 6), md5((n * 17)::text)::uuid
from generate_series(1::bigint, {appointments}) as n;
create index on citizens (mail);
create index on appointments (citizen, at);
vacuum analyze;
"""


def filling(megabytes: int) -> Callable[[Server], None]:
    return partial(_fill, megabytes=megabytes)


def _fill(server: Server, megabytes: int) -> None:
    citizens = megabytes * CITIZENS_PER_MEGABYTE
    server.sql(f"create database {NAME}")
    server.sql(TABLES, NAME)
    server.sql(ROWS.format(citizens=citizens, appointments=citizens * APPOINTMENTS_EACH), NAME)
