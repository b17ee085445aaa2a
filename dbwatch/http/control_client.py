"""The other end of the control socket: how a command of the CLI speaks to the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError

from dbwatch.errors import ControlError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT_SECONDS = 30.0


async def call(
    path: Path, command: str, arguments: Mapping[str, object] | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> object:
    """What the command returned. Raise ControlError: nobody answers, not allowed, or the daemon refused."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=timeout) as session,
            session.post(f"http://dbwatch/v1/{command}", json=dict(arguments or {})) as response,
        ):
            answer = await response.json()
    except UnixClientConnectorError as error:
        raise _unreachable(path, error) from None
    except TimeoutError:
        raise ControlError(f"dbwatch did not answer on {path} within {timeout_seconds:g} s") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise ControlError(f"no usable answer on {path}: {type(error).__name__}") from None
    return _result(path, answer)


def _unreachable(path: Path, error: UnixClientConnectorError) -> ControlError:
    if isinstance(error.os_error, PermissionError):
        return ControlError(f"not allowed to open {path}: run this as the user or in the group of the daemon")
    return ControlError(f"no dbwatch answers on {path}: is the daemon running?")


def _result(path: Path, answer: object) -> object:
    if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
        raise ControlError(f"what answers on {path} is not dbwatch")
    if "error" in answer:
        kind = RefusedError if answer.get("usage") is True else ControlError
        raise kind(str(answer["error"]))
    return answer["result"]
