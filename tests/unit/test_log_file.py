"""A log is followed from file to file: each byte once, through rotation, truncation and names that come back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dbwatch.host.log_file import Bookmark, Source, read_on

if TYPE_CHECKING:
    from pathlib import Path

ERROR = "{:05d} ERROR:  something\n".format


class Followed:
    """A log in a directory, and what was counted of it so far."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = directory / "now.log"
        self.bookmark: Bookmark | None = None
        self.skipped = 0
        self._line = 0

    def write(self, errors: int, name: str = "now.log") -> None:
        """So many errors, no line of which is like another."""
        self.now = self.directory / name
        with self.now.open("a") as file:
            for _ in range(errors):
                self._line += 1
                file.write(ERROR(self._line))

    def look(self, most: int = 8 << 20, form: str = "stderr") -> int:
        reading = read_on(Source(self.now, form), self.bookmark, most)
        self.bookmark = reading.bookmark
        self.skipped += reading.skipped_bytes
        return reading.messages.get("error", 0)


@pytest.fixture
def log(tmp_path: Path) -> Followed:
    followed = Followed(tmp_path)
    followed.write(3)
    assert 0 == followed.look()  # the first look begins at the end
    return followed


def test_what_is_added_is_counted_once(log: Followed) -> None:
    log.write(2)

    assert (2, 0, 0) == (log.look(), log.look(), log.skipped)


def test_a_line_that_is_being_written_is_counted_when_it_ends(log: Followed) -> None:
    with log.now.open("a") as file:
        file.write("7 ERROR:  some")
        file.flush()
        assert 0 == log.look()
        file.write("thing\n")
    assert (1, 0) == (log.look(), log.look())


def test_a_new_file_is_read_after_the_rest_of_the_old_one(log: Followed) -> None:
    log.write(2)
    log.write(4, "next.log")

    assert (6, 0) == (log.look(), log.look())


def test_a_file_that_was_renamed_is_found_again(log: Followed) -> None:
    log.write(2)
    log.now.rename(log.directory / "now.log.1")
    log.write(1)

    assert (3, 0) == (log.look(), log.look())


def test_a_file_that_was_removed_takes_only_its_own_rest_along(log: Followed) -> None:
    log.write(2)
    log.now.unlink()
    log.write(5)

    assert (5, 0) == (log.look(), log.look())


@pytest.mark.parametrize("after", [1, 3, 9])
def test_a_file_that_was_emptied_begins_anew_however_long_it_is_by_now(log: Followed, after: int) -> None:
    os.truncate(log.now, 0)
    log.write(after)

    assert (after, 0) == (log.look(), log.look())


def test_an_empty_file_is_a_beginning_too(log: Followed) -> None:
    os.truncate(log.now, 0)
    assert 0 == log.look()
    log.write(2)

    assert (2, 0) == (log.look(), log.look())


def test_a_name_that_comes_back_still_holds_what_it_held_a_week_ago(log: Followed) -> None:
    log.write(2, "sunday.log")
    assert 2 == log.look()
    log.write(1, "now.log")

    assert (1, 0) == (log.look(), log.look())


def test_a_file_in_another_format_or_directory_begins_at_its_end(log: Followed) -> None:
    """Both were written for a while, or it is another server's."""
    log.write(2)
    assert 0 == log.look(form="jsonlog")
    (log.directory / "elsewhere").mkdir()
    log.write(2, "elsewhere/now.log")

    assert (0, 0) == (log.look(), log.look())


def test_of_more_than_a_look_reads_the_newest_is_counted_and_the_rest_is_told(log: Followed) -> None:
    line = len(ERROR(1))
    log.write(4)
    log.write(6, "next.log")

    assert (8, 2 * line) == (log.look(most=8 * line), log.skipped)
    assert (0, 2 * line) == (log.look(most=8 * line), log.skipped)


def test_a_message_longer_than_a_look_does_not_stop_us(log: Followed) -> None:
    with log.now.open("a") as file:
        file.write("8 LOG:  " + 1000 * "x")
    assert (0, 1008) == (log.look(most=100), log.skipped)
    log.write(0)
    with log.now.open("a") as file:
        file.write("\n")
    log.write(1)

    assert (1, 1008) == (log.look(most=100), log.skipped)


def test_a_pipe_or_a_directory_is_no_log(log: Followed) -> None:
    os.mkfifo(log.directory / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(OSError, match="Not a file"):
            read_on(Source(log.directory / name, "stderr"), log.bookmark)
