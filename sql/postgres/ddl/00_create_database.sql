-- One statement, because CREATE DATABASE allows no other beside it. The demonstration creates it under other names too
-- (marseille_archives): the name is the only thing it replaces.
-- Collation C: sorts the same on every machine, which is what makes the generated data comparable.
CREATE DATABASE marseille OWNER marseille_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'
