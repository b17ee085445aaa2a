-- Citizens' files and requests: personal data. And, apart, the figures that name nobody.
CREATE DATABASE IF NOT EXISTS marseille_metier CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE DATABASE IF NOT EXISTS marseille_reporting CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
