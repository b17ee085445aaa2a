-- Run by the server itself (init-file, one statement a line) before it listens: the installer leaves four administrators without a password.
DELETE FROM mysql.global_priv WHERE User IN ('root', '') AND Host <> 'localhost';
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
