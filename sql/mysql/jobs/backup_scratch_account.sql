/* ---
description: "The administrator of a throw-away server, made when it starts: what is restored never touches it."
--- */
-- @when mariadb
CREATE USER IF NOT EXISTS 'dbwatch-scratch'@localhost;
GRANT ALL PRIVILEGES ON *.* TO 'dbwatch-scratch'@localhost WITH GRANT OPTION;
GRANT PROXY ON ''@'%' TO 'dbwatch-scratch'@localhost WITH GRANT OPTION;
-- @when not mariadb
CREATE USER IF NOT EXISTS 'dbwatch-scratch'@localhost IDENTIFIED BY '';
GRANT ALL PRIVILEGES ON *.* TO 'dbwatch-scratch'@localhost WITH GRANT OPTION;
GRANT PROXY ON ''@'' TO 'dbwatch-scratch'@localhost WITH GRANT OPTION;
