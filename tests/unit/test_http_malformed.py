from __future__ import annotations

import logging

import pytest
import structlog
from aiohttp.http_exceptions import LineTooLong
from structlog.testing import capture_logs

from dbwatch.http import malformed


@pytest.mark.parametrize(("error", "expected"), [(LineTooLong(b"/x", 8190), False), (ValueError("a bug"), True)])
def test_only_a_malformed_request_is_kept_out_of_the_error_log(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, expected: bool
) -> None:
    structlog.reset_defaults()  # another test may have set a level
    monkeypatch.setattr(malformed, "log", structlog.get_logger())
    info = (type(error), error, None)
    record = logging.LogRecord("aiohttp.server", logging.ERROR, "", 0, "Error from %s", ("192.0.2.1",), info)

    with capture_logs() as logged:
        assert expected is malformed.MALFORMED.filter(record)

    line = {"event": "malformed_request", "remote": "192.0.2.1", "error": "LineTooLong", "log_level": "debug"}
    assert ([] if expected else [line]) == logged
