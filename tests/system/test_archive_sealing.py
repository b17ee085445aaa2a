"""What is encrypted is opened with the key and with nothing else, whole or with an error, in little memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage
import pytest

from dbwatch.archive import sealing
from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError
from tests.fix_process import environment

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = os.urandom(1024) * 1024
PIECES, MOST_KIB = 64, 40 * 1024


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    """A public key, and the file of the private one as age-keygen writes it."""
    return made_key(tmp_path / "key.txt")


def made_key(path: Path) -> tuple[str, Path]:
    identity = pyrage.x25519.Identity.generate()
    path.write_text(f"# created: 2026-11-21T19:32:01Z\n# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public()), path


def filtered(command: tuple[str, ...], body: bytes) -> tuple[int, bytes, str]:
    done = subprocess.run(command, input=body, env=environment(), capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def sealed(recipients: list[str], body: bytes = BODY) -> bytes:
    code, output, said = filtered(sealing.seal_command(recipients), body)
    assert (0, "") == (code, said)
    return output


@pytest.mark.parametrize("body", [b"", b"x", BODY])
def test_what_was_sealed_is_opened_as_it_was(keys: tuple[str, Path], body: bytes) -> None:
    public, private = keys
    closed = sealed([public], body)

    assert len(body) < len(BODY) or body not in closed  # one byte may stand anywhere by chance
    assert (0, body, "") == filtered(sealing.open_command(private), closed)


def test_each_of_two_recipients_opens_it(keys: tuple[str, Path], tmp_path: Path) -> None:
    other, escrow = made_key(tmp_path / "escrow.txt")
    closed = sealed([keys[0], other])

    assert [BODY, BODY] == [filtered(sealing.open_command(path), closed)[1] for path in (keys[1], escrow)]


def test_the_key_of_somebody_else_opens_nothing(keys: tuple[str, Path], tmp_path: Path) -> None:
    _, other = made_key(tmp_path / "other.txt")

    code, output, said = filtered(sealing.open_command(other), sealed([keys[0]]))

    assert (3, b"") == (code, output)
    assert "age: No matching keys found: it is encrypted to other keys than the one here\n" == said


@pytest.mark.parametrize("kept", [0, 10, 200, 70_000, len(BODY)])
def test_a_stream_that_was_cut_short_is_an_error(keys: tuple[str, Path], kept: int) -> None:
    code, _, said = filtered(sealing.open_command(keys[1]), sealed([keys[0]])[:kept])

    assert 1 == code
    assert 1 == len(said.splitlines())
    assert "cut short" in said or "damaged" in said


def test_a_flipped_bit_and_an_added_byte_are_errors(keys: tuple[str, Path]) -> None:
    closed = sealed([keys[0]])
    flipped = bytearray(closed)
    flipped[len(flipped) // 2] ^= 1

    assert [1, 1, 1] == [
        filtered(sealing.open_command(keys[1]), bytes(body))[0] for body in (flipped, closed + b"x", BODY)
    ]


@pytest.mark.parametrize("which", ["seal", "open"])
def test_a_full_disk_is_an_error_in_one_line(keys: tuple[str, Path], which: str) -> None:
    command = sealing.seal_command([keys[0]]) if which == "seal" else sealing.open_command(keys[1])
    body = BODY if which == "seal" else sealed([keys[0]])
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, input=body, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)

    assert 1 == done.returncode
    assert b"age: No space left on device\n" == done.stderr


def test_a_reader_that_goes_away_is_an_error(keys: tuple[str, Path]) -> None:
    with subprocess.Popen(
        sealing.seal_command([keys[0]]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate(BODY, timeout=60)

    assert (1, b"age: its reader went away\n") == (process.returncode, said)


def test_keys_are_proven_before_they_are_needed(keys: tuple[str, Path], tmp_path: Path) -> None:
    public, private = keys
    sealing.check_recipients([public])
    sealing.check_identity(private)
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    cases: list[tuple[Callable[[], None], str]] = [
        (lambda: sealing.check_recipients([public, "age1nothing"]), "recipient 2 is no public key"),
        (lambda: sealing.check_recipients([private.read_text().split()[-1]]), "recipient 1 is no public key"),
        (lambda: sealing.check_identity(tmp_path / "none"), "no such file"),
        (lambda: sealing.check_identity(tmp_path), "is a directory"),
        (lambda: sealing.check_identity(tmp_path / "empty"), "no key is in"),
        (lambda: sealing.check_identity(tmp_path / "binary"), "it is not text"),
    ]
    for check, message in cases:
        with pytest.raises(JobError, match=message) as caught:
            check()
        assert JobReason.NO_KEY == caught.value.reason
        assert "AGE-SECRET-KEY" not in str(caught.value)


def test_wrong_words_are_told(keys: tuple[str, Path]) -> None:
    command = sealing.seal_command([keys[0]])

    assert (2, b"", "age: usage: seal RECIPIENT... | open IDENTITY_FILE\n") == filtered(command[:-1], b"")
    assert 3 == filtered(sealing.seal_command(["age1nothing"]), b"")[0]


def test_no_private_key_stands_in_a_command(keys: tuple[str, Path]) -> None:
    words = [*sealing.seal_command([keys[0]]), *sealing.open_command(keys[1])]

    assert not [word for word in words if "AGE-SECRET-KEY" in word]


@pytest.mark.parametrize("which", ["seal", "open"])
def test_a_large_stream_takes_little_memory(keys: tuple[str, Path], tmp_path: Path, which: str) -> None:
    command = sealing.seal_command([keys[0]]) if which == "seal" else sealing.open_command(keys[1])
    body = BODY * PIECES if which == "seal" else sealed([keys[0]], BODY * PIECES)
    with (
        (tmp_path / "sink").open("wb") as sink,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink, env=environment()) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(body)
        most = Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
        process.stdin.close()

    assert 0 == process.returncode
    assert int(most) < MOST_KIB
    assert len(BODY) * PIECES <= (tmp_path / "sink").stat().st_size
