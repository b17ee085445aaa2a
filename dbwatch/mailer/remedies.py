"""What went wrong between us and a relay, in words that a person can act on."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import aiosmtplib

LONGEST_ANSWER = 200
NO_STARTTLS = "STARTTLS extension not supported"
NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "UNSUPPORTED_PROTOCOL"})


def remedy(error: Exception, security: str) -> str:
    """What to change in the settings of a relay that could not be opened; begins with an arrow, or is empty."""
    cause = _cause(error)
    match cause:
        case ssl.SSLCertVerificationError():
            found = "set ca_file: to the certificate of who signed it, and host: to the name that it bears"
        case ssl.SSLError() if security == "tls" and cause.reason in NOT_TLS:
            found = "it does not speak TLS at once on this port: set security: starttls or none, or another port"
        case OSError() if _is_refused(cause):
            found = "nothing listens there: check host and port"
        case TimeoutError() | aiosmtplib.SMTPServerDisconnected() if security != "tls":
            found = "check host and port; a port that speaks TLS at once, such as 465, needs security: tls"
        case TimeoutError() | aiosmtplib.SMTPServerDisconnected():
            found = "check host and port; a port that speaks TLS only later, such as 25, needs security: starttls"
        case aiosmtplib.SMTPException() if NO_STARTTLS in cause.message:
            found = "set security: none, or the port at which it speaks TLS"
        case _:
            found = ""
    return f": {found}" if found else ""


def _cause(error: Exception) -> BaseException:
    """The library wraps what the operating system said."""
    found: BaseException = error
    while isinstance(found, aiosmtplib.SMTPConnectError) and found.__cause__ is not None:
        found = found.__cause__
    return found


def _is_refused(cause: OSError) -> bool:
    """By every address of the host."""
    return isinstance(cause, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(cause)


def _of_the_system(cause: OSError) -> str:
    """Its own words, without address and port: both were told already."""
    if cause.errno and not isinstance(cause, socket.gaierror):
        return os.strerror(cause.errno).lower()
    return cause.strerror or harmless(str(cause)) or type(cause).__name__


def words(error: Exception) -> str:
    """Of a chain of errors, what a person can act on."""
    cause = _cause(error)
    match cause:
        case ssl.SSLCertVerificationError():
            told = f"TLS: its certificate is not accepted: {cause.verify_message}"
        case ssl.SSLError():
            told = f"TLS: {harmless(cause.reason or 'failed')}"
        case TimeoutError():
            told = "did not answer in time"
        case aiosmtplib.SMTPServerDisconnected():
            told = "closed the connection"
        case aiosmtplib.SMTPException() if NO_STARTTLS in cause.message:
            told = "it offers no STARTTLS"
        case aiosmtplib.SMTPException():
            told = harmless(str(cause.message))
        case OSError():
            told = "connection refused" if _is_refused(cause) else _of_the_system(cause)
        case _:
            told = type(cause).__name__
    return told


def harmless(text: str) -> str:
    """What a server answered: in one line, and not for ever."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= LONGEST_ANSWER else line[: LONGEST_ANSWER - 1] + "…"
