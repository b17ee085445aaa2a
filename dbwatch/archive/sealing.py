"""Encryption with age, as a child process between two others: it reads a stream and writes a stream, in little memory.

Only public keys are needed to write. It ends with 0 when the whole stream went through and only then: what reads from
it must not count anything before that. Otherwise one line says why.
"""

from __future__ import annotations

import errno
import fcntl
import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from dbwatch.settings.files import MAX_SECRET_BYTES, opened, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import BinaryIO

SEAL, OPEN = "seal", "open"
FAILED, WRONG_USE, NO_KEY = 1, 2, 3
BUFFER_BYTES = 1024 * 1024
LINUX_PIPE_BYTES = 1024 * 1024
HEAD_BYTES = 256 * 1024  # with the keys that open a file, however many they are
MEND = "name the file of its key in backups.encryption.identity_file"
REFUSALS = (pyrage.EncryptError, pyrage.DecryptError)
MENDS = {
    "No matching keys found": "it is encrypted to other keys than the one here",
    "Incomplete header": "it is cut short",
    "Header is invalid": "it is not encrypted with age, or its beginning is damaged",
    "decryption error": "it is damaged, or cut short",
    "age file is truncated": "it is cut short",
    "failed to fill whole buffer": "it is cut short",
    "last chunk has been processed": "something was added to its end",
}


def seal_command(recipients: Iterable[str]) -> tuple[str, ...]:
    """What encrypts its standard input to these public keys. -P: the working directory holds no modules of ours."""
    return (sys.executable, "-P", "-m", __name__, SEAL, *recipients)


def open_command(identity_file: Path) -> tuple[str, ...]:
    """What decrypts its standard input with the key in that file."""
    return (sys.executable, "-P", "-m", __name__, OPEN, str(identity_file))


def check_recipients(recipients: Iterable[str]) -> None:
    """Raise JobError(NO_KEY) where one of them is no public key: before the dump, not after it."""
    _recipients(tuple(recipients))


def check_identity(identity_file: Path) -> None:
    """Raise JobError(NO_KEY) where no key to decrypt with can be read."""
    _identities(identity_file)


def refused(identity_file: Path, file: Path) -> str:
    """Why no key there opens that file; '': one does, or the file cannot be read, which is told by who reads it."""
    try:
        identities = _identities(identity_file)
        with file.open("rb") as sealed:
            head = io.BytesIO(sealed.read(HEAD_BYTES))
        pyrage.decrypt_io(head, io.BytesIO(), identities)
    except JobError as error:
        return error.message if " -> " in error.message else f"{error.message} -> {MEND}"
    except OSError:
        return ""
    except REFUSALS as error:
        is_other = "No matching keys" in str(error)
        return f"the key in {identity_file} is none of those that it was encrypted to -> {MEND}" if is_other else ""
    return ""


def main(arguments: Sequence[str]) -> int:
    """`seal RECIPIENT...` or `open IDENTITY_FILE`, from standard input to standard output."""
    try:
        match arguments:
            case [str(word), *recipients] if word == SEAL and recipients:
                return _filtered(_sealer(_recipients(recipients)))
            case [str(word), identity_file] if word == OPEN:
                return _filtered(_opener(_identities(Path(identity_file))))
    except JobError as error:
        return _told(str(error), NO_KEY)
    return _told(f"usage: {SEAL} RECIPIENT... | {OPEN} IDENTITY_FILE", WRONG_USE)


def _recipients(texts: Sequence[str]) -> list[object]:
    return [_recipient(number, text) for number, text in enumerate(texts, 1)]


def _recipient(number: int, text: str) -> object:
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    for each in (kind, pyrage.tag, pyrage.tagpq):
        with suppress(pyrage.RecipientError):
            return each.Recipient.from_str(text)
    raise JobError(JobReason.NO_KEY, f"recipient {number} is no public key of age or ssh -> copy it whole: age1...")


def _identities(path: Path) -> list[object]:
    """Every key in a file of age-keygen, or the one of ssh-keygen."""
    try:
        with opened(path) as file:
            body = file.read(MAX_SECRET_BYTES)
        if b"OPENSSH PRIVATE KEY" in body or b"RSA PRIVATE KEY" in body:
            return [pyrage.ssh.Identity.from_buffer(body)]
        lines = [line.strip() for line in body.decode().splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (OSError, ValueError) as error:
        what = "it is not text" if isinstance(error, UnicodeError) else why(error).lower()
        raise JobError(JobReason.NO_KEY, f"cannot read the key in {path}: {what}") from None
    except pyrage.IdentityError as error:
        raise JobError(JobReason.NO_KEY, f"cannot use the key in {path}: {error}") from None
    if not found:
        raise JobError(JobReason.NO_KEY, f"no key is in {path} -> write there what age-keygen printed")
    return found


def _sealer(recipients: list[object]) -> Callable[[BinaryIO, BinaryIO], None]:
    return lambda source, sink: pyrage.encrypt_io(source, sink, recipients)


def _opener(identities: list[object]) -> Callable[[BinaryIO, BinaryIO], None]:
    return lambda source, sink: pyrage.decrypt_io(source, sink, identities)


def _filtered(work: Callable[[BinaryIO, BinaryIO], None]) -> int:
    """The exit code. What is written counts only once it was flushed and closed without an error."""
    source = io.FileIO(0, closefd=False)
    try:
        with io.BufferedWriter(_widened(io.FileIO(1, "w")), BUFFER_BYTES) as sink:
            work(io.BufferedReader(_widened(source), BUFFER_BYTES), sink)
    except OSError as error:
        return _told(_why(error), FAILED)
    except REFUSALS as error:
        return _told(_why(error), NO_KEY if "No matching keys" in str(error) else FAILED)
    return 0


def _widened(file: io.FileIO) -> io.FileIO:
    """A wider pipe is waited for less often; what is no pipe stays as it is."""
    with suppress(OSError):
        fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, LINUX_PIPE_BYTES)
    return file


def _why(error: Exception) -> str:
    said = str(error)
    if isinstance(error, OSError) and error.errno:
        said = "its reader went away" if error.errno == errno.EPIPE else error.strerror or said
    said = said.partition("] ")[2] or said if "[Errno" in said else said
    return f"{said}: {MENDS[said]}" if said in MENDS else said


def _told(message: str, code: int) -> int:
    sys.stderr.write(f"age: {' '.join(message.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
