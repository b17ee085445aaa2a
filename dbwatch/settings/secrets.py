"""Passwords, read when they are needed: a changed file counts at the next login, without a reload."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dbwatch.errors import EngineError, Reason
from dbwatch.settings.files import MAX_SECRET_BYTES, why

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.settings.models import Credentials


def read_password(credentials: Credentials) -> SecretStr | None:
    """From the file (less one newline at its end), the environment, or the settings; None: log in without one."""
    if credentials.password_file is not None:
        return _from_file(credentials.password_file)
    if credentials.password_env is not None:
        return _from_environment(credentials.password_env)
    return credentials.password


def secret_version(credentials: Credentials) -> object:
    """Changes when the password file does: what ends the pause after a refused login. None: no such file."""
    if credentials.password_file is None:
        return None
    try:
        state = credentials.password_file.stat()
    except (OSError, ValueError):
        return None
    return (state.st_mtime_ns, state.st_size, state.st_ino)


def _from_file(path: Path) -> SecretStr:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET_BYTES).decode()
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {why(error)}"
    else:
        password = text.removesuffix("\r\n" if text.endswith("\r\n") else "\n")
        if password:
            return SecretStr(password)
        problem = "is empty"
    # Raised out here: the decoder's error holds the bytes, and would follow as this one's context.
    raise EngineError(Reason.AUTH, f"password file {path} {problem}")


def _from_environment(name: str) -> SecretStr:
    password = os.environ.get(name)
    if not password:
        raise EngineError(Reason.AUTH, f"environment variable {name}, which password_env names, is not set")
    return SecretStr(password)
