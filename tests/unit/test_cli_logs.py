"""No secret leaves in a log line, whatever it came in."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from pydantic import SecretStr

from dbwatch.cli import logs
from dbwatch.cli.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "c4nary-Pa55"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's: leave it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "text",
    [
        f"password={CANARY}",
        f"PASSWORD: '{CANARY} with blanks'",
        f'{{"password": "{CANARY}"}}',
        f"connect(user='a', passwd='{CANARY}')",
        f"monitor_password = {CANARY}, user=a",
        f"ALTER ROLE a PASSWORD '{CANARY}'",
        f"ALTER ROLE a WITH ENCRYPTED PASSWORD '{CANARY}''x{CANARY}' LOGIN",
        f"SET PASSWORD FOR 'a'@'%' = PASSWORD('{CANARY}')",
        f"CREATE USER a IDENTIFIED BY '{CANARY}'",
        f'CREATE USER a IDENTIFIED WITH caching_sha2_password BY "{CANARY}"',
        f"CREATE USER a IDENTIFIED WITH mysql_native_password AS '{CANARY}'",
        f"IDENTIFIED VIA ed25519 USING PASSWORD('{CANARY}')",
        f"postgresql://dbwatch:{CANARY}@db1:5432/x",
        f"mysql://dbwatch:{CANARY}@with@signs@db1/x",
        f"mysql://dbwatch:{CANARY}/{CANARY}@db1/x",
        f"Authorization: Basic {CANARY}",
        f"using password: {CANARY}",
    ],
)
def test_a_password_is_taken_out_of_text(text: str) -> None:
    assert CANARY not in redacted(text)
    assert "***" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "password authentication failed for user dbwatch",
        "http://db1:10432/metrics",
        "no password file at /a/b",
        "Access denied for user 'x'@'localhost' (using password: YES)",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert text == redacted(text)


def fail_to_log_in() -> None:
    raise RuntimeError(f"login as postgres://a:{CANARY}@b failed")


@pytest.mark.parametrize("style", ["console", "json"])
def test_the_canary_is_in_no_line(style: str) -> None:
    stream = io.StringIO()
    logs.set_up(style, "debug", stream)
    ours = structlog.get_logger()

    ours.info(f"password={CANARY}", password=CANARY, secret=SecretStr(CANARY), deep={"list": [{"passwd": CANARY}]})
    try:
        fail_to_log_in()
    except RuntimeError:
        ours.exception("boom", error=ValueError(f"IDENTIFIED BY '{CANARY}'"))
        logging.getLogger("asyncpg").exception("lost %s", f"password='{CANARY}'")
    logging.getLogger("py.warnings").warning("passwd: %s", CANARY)

    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("Traceback") == 2


def test_json_lines_begin_with_what_matters_and_name_the_library() -> None:
    stream = io.StringIO()
    logs.set_up("auto", "info", stream)

    structlog.get_logger().info("started", instances=2)
    logging.getLogger("aiomysql").warning("odd %d", 5)
    structlog.get_logger().debug("not told")

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert ["timestamp", "level", "event", "instances"] == list(first)
    assert ("warning", "odd 5", "aiomysql") == (second["level"], second["event"], second["library"])
