"""What the file system refuses, as one clear line with its remedy."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MENDS = {
    errno.ENOSPC: "free space there, or choose another backups.directory",
    errno.EDQUOT: "raise the quota of dbwatch's account, or choose another backups.directory",
    errno.EACCES: "give it to the account of dbwatch",
    errno.EPERM: "give it to the account of dbwatch",
    errno.EROFS: "mount it for writing",
    errno.EIO: "the disk fails: look into the kernel's log, and keep copies elsewhere",
    errno.ENOENT: "make it, or mount what holds the backups",
    errno.ENOTDIR: "choose another backups.directory",
    errno.EEXIST: "choose another backups.directory",
    errno.ELOOP: "a symbolic link stands there: nothing below backups.directory may be one",
}


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Raise JobError(DISK_FULL or REPOSITORY) for every OSError within. `doing`: "write the manifest of <path>"."""
    try:
        yield
    except OSError as error:
        raise job_error(doing, error) from None


def job_error(doing: str, error: OSError) -> JobError:
    mend = MENDS.get(error.errno or 0, "")
    what = f"cannot {doing}: {why(error)}"
    reason = JobReason.DISK_FULL if error.errno in FULL else JobReason.REPOSITORY
    return JobError(reason, f"{what} -> {mend}" if mend else what)


def why(error: OSError) -> str:
    return (error.strerror or "input or output failed").lower()
