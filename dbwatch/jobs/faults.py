"""What stopped a job, as one reason and one line, whoever raised it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.errors import DbwatchError, EngineError, JobError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_REASONS = {
    Reason.REFUSED: JobReason.UNREACHABLE,
    Reason.TIMEOUT: JobReason.UNREACHABLE,
    Reason.AUTH: JobReason.AUTH,
    Reason.TLS: JobReason.UNREACHABLE,
    Reason.DNS: JobReason.UNREACHABLE,
    Reason.STARTING: JobReason.UNREACHABLE,
    Reason.PERMISSION: JobReason.PERMISSION,
    Reason.LOCK: JobReason.LOCK,
    Reason.TOO_MANY_CONNECTIONS: JobReason.UNREACHABLE,
    Reason.LOST: JobReason.LOST,
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def job_error(error: DbwatchError) -> JobError:
    """The same fault in the words of jobs."""
    if isinstance(error, JobError):
        return error
    if isinstance(error, EngineError):
        mend = f" -> {error.remedy}" if error.remedy else ""
        return JobError(_REASONS.get(error.reason, JobReason.OTHER), f"{error.message}{mend}")
    return JobError(JobReason.OTHER, str(error))


def disk_error(error: OSError, where: object) -> JobError:
    """What the operating system said of a file or directory of ours."""
    reason = JobReason.DISK_FULL if error.errno in FULL else JobReason.REPOSITORY
    return JobError(reason, f"{where}: {(error.strerror or type(error).__name__).lower()}")


def reason_of(error: JobError) -> JobReason:
    return JobReason(error.reason) if error.reason in set(JobReason) else JobReason.OTHER


def only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a group of tasks ended by: the first fault that is expected, unless something else was raised: a bug."""
    raised = list(_leaves(group))
    strange = [each for each in raised if not isinstance(each, DbwatchError | OSError)]
    if strange:
        return strange[0] if len(raised) == 1 else group
    return next((each for each in raised if isinstance(each, JobError)), raised[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each
