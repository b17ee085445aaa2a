"""dbwatch: one daemon that watches PostgreSQL, MySQL and MariaDB and serves what it saw."""

__version__ = "0.1.0"
