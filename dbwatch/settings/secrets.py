"""Passwords, read when they are needed: a changed file counts at the next login, without a reload."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dbwatch.errors import EngineError, Reason
from dbwatch.settings.files import MAX_SECRET_BYTES, opened, why

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.settings.fields import Secret

FILE_MEND = "create it with the password as its only line, in UTF-8, owned by the account of dbwatch, mode 0400"
INLINE_MEND = "give one line in 'single quotes', use password_file, or leave the line out where there is none"
VARIABLE_MEND = "set it in the environment of dbwatch, one line in UTF-8, or use password_file"


def read_password(credentials: Secret) -> SecretStr | None:
    """From the file (less one newline at its end), the environment, or the settings; None: log in without one."""
    if credentials.password_file is not None:
        return _from_file(credentials.password_file)
    if credentials.password_env is not None:
        return _from_environment(credentials.password_env)
    return credentials.password


def secret_version(credentials: Secret) -> object:
    """Changes when the password file does: what ends the pause after a refused login. None: no such file."""
    if credentials.password_file is None:
        return None
    try:
        state = credentials.password_file.stat()
    except (OSError, ValueError):
        return None
    return (state.st_mtime_ns, state.st_size, state.st_ino)


def file_error(path: Path) -> str:
    """Why the file cannot be a password's, or an empty text."""
    return read_line(path)[1]


def text_error(password: str) -> str:
    """Why the text cannot be a password, or an empty text."""
    if not password:
        return "is empty"
    if "\n" in password:
        return "holds more than one line"
    if "\0" in password:
        return "holds a NUL character"
    return "" if password.isascii() or _is_utf_8(password) else "is not UTF-8"


def _is_utf_8(text: str) -> bool:
    """Bytes of the environment that are not stand as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _from_file(path: Path) -> SecretStr:
    password, problem = read_line(path)
    if problem:
        raise EngineError(Reason.AUTH, f"password file {path} {problem}", f"{FILE_MEND}; the server was not asked")
    return SecretStr(password)


def read_line(path: Path) -> tuple[str, str]:
    """The one line of a secret's file, and what is wrong with it."""
    try:
        with opened(path) as file:
            raw = file.read(MAX_SECRET_BYTES + 1)
        if len(raw) > MAX_SECRET_BYTES:
            return "", f"is larger than {MAX_SECRET_BYTES // 1024} KiB"
        text = raw.decode()
    except UnicodeDecodeError:
        return "", "is not UTF-8"
    except (OSError, ValueError) as error:
        return "", f"cannot be read: {why(error)}"
    password = text.removesuffix("\r\n" if text.endswith("\r\n") else "\n")
    return password, text_error(password)


def _from_environment(name: str) -> SecretStr:
    password = os.environ.get(name, "")
    problem = text_error(password) if password else "is not set"
    if problem:
        what = f"environment variable {name}, which password_env names, {problem}"
        raise EngineError(Reason.AUTH, what, f"{VARIABLE_MEND}; the server was not asked")
    return SecretStr(password)
