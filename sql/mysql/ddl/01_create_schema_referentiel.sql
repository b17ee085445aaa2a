-- In MySQL a schema is a database: referentiel becomes marseille_referentiel. Every file but 05 may be run again.
CREATE DATABASE IF NOT EXISTS marseille_referentiel CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
