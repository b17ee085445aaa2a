-- The monitoring user reads the numbers of ddl/07, and still no table of yours. Run as an administrator, after 01.
GRANT SELECT ON marseille_qualite.* TO 'dbwatch'@'%';
