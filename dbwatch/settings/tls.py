"""TLS as the engines name it, decided in one place: verified by default off loopback."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING

from dbwatch.errors import EngineError, Reason
from dbwatch.settings.files import why
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.settings.models import Instance

OFF = frozenset({"disable", "disabled"})
VERIFIED = frozenset({"verify-ca", "verify_ca", "verify-full", "verify_identity"})
HOSTNAME_CHECKED = frozenset({"verify-full", "verify_identity"})

Version = tuple[int, int, int] | None


def tls_mode(instance: Instance) -> str:
    """The mode in force, in the engine's own words."""
    postgres = isinstance(instance, PostgresInstance)
    if postgres and instance.is_on_socket:
        return "disable"  # PostgreSQL has no TLS on a unix socket, whatever sslmode says
    if instance.tls.mode is not None:
        return _as_libpq(instance) if postgres else instance.tls.mode
    if instance.is_local:
        return "disable" if postgres else "disabled"
    return "verify-full" if postgres else "verify_identity"


def _as_libpq(instance: Instance) -> str:
    """`require` with a CA verifies against it: libpq's rule, kept for those who rely on it."""
    mode = str(instance.tls.mode)
    return "verify-ca" if mode == "require" and instance.tls.ca_file is not None else mode


def ssl_context(instance: Instance) -> ssl.SSLContext | None:
    """The context for the mode in force, None where TLS is off. EngineError where a file of it cannot be used.

    Shared by all instances that need the same one: the system's CAs alone take 10 ms and 1 MiB. A renewed file makes
    a new one. `prefer`/`preferred` give a context too: falling back to plain text is the engine's part.
    """
    mode, tls = tls_mode(instance), instance.tls
    if mode in OFF:
        return None
    files = (tls.ca_file if mode in VERIFIED else None, tls.certificate_file, tls.key_file)
    versions = tuple(_version(file) for file in files)
    return _context((mode in VERIFIED, mode in HOSTNAME_CHECKED), files, versions)


def unused_ca(instance: Instance) -> bool:
    """A CA was given, and the mode does not look at it."""
    return instance.tls.ca_file is not None and tls_mode(instance) not in VERIFIED


def _version(file: Path | None) -> Version:
    if file is None:
        return None
    try:
        state = file.stat()
    except (OSError, ValueError) as error:
        problem = why(error)
    else:
        return (state.st_mtime_ns, state.st_size, state.st_ino)
    raise EngineError(Reason.TLS, f"{file} cannot be read: {problem}")


@lru_cache(maxsize=64)
def _context(
    verify: tuple[bool, bool], files: tuple[Path | None, ...], _versions: tuple[Version, ...]
) -> ssl.SSLContext:
    verified, hostname = verify
    ca_file, certificate_file, key_file = files
    # Not create_default_context: from Python 3.13 on it refuses private CAs that libpq and MySQL accept.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = hostname
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if verified and ca_file is None:
        context.load_default_certs()
    elif ca_file is not None:
        _load_authority(context, ca_file)
    if certificate_file is not None:
        _load_pair(context, certificate_file, key_file)
    return context


def _load_authority(context: ssl.SSLContext, file: Path) -> None:
    try:
        context.load_verify_locations(file)
    except (OSError, ValueError):
        raise EngineError(Reason.TLS, f"{file} holds no CA certificate in PEM") from None


def _load_pair(context: ssl.SSLContext, file: Path, key_file: Path | None) -> None:
    try:
        # An empty passphrase, or OpenSSL would ask for one on the terminal.
        context.load_cert_chain(file, key_file, password="")
    except (OSError, ValueError):
        key = key_file or "the same file"
        raise EngineError(
            Reason.TLS, f"{file} and {key} are no pair of a PEM certificate and its unencrypted key"
        ) from None
