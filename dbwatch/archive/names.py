"""Names on the disk: ids of sets, and what may stand below one. Whatever is not named so is never touched."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from dbwatch.core.backups.model import BackupKind, JobReason
from dbwatch.errors import JobError

MANIFEST, PIN, PROOFS = "manifest.json", "pinned.json", "proofs"
TRASH, LOCK = ".trash", ".lock"
OUR_FILES = frozenset({MANIFEST, PIN, PROOFS})
INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # as settings have it: safe as the name of a file
ID = re.compile(r"(?P<time>\d{8}T\d{6}Z)-(?P<sequence>\d{6,18})-[0-9a-f]{8}")
PARTIAL = re.compile(rf"\.(?P<id>{ID.pattern})\.partial")
REMOVED = re.compile(rf"\.(?P<id>{ID.pattern})\.removing")
PROOF = re.compile(r"\d{4,9}-[a-z]+\.json")
TIME = "%Y%m%dT%H%M%SZ"


def new_id(now: float, sequence: int, token: str) -> str:
    return f"{datetime.fromtimestamp(now, UTC):{TIME}}-{sequence:06d}-{token}"


def partial_name(backup_id: str) -> str:
    return f".{backup_id}.partial"


def removed_name(backup_id: str) -> str:
    return f".{backup_id}.removing"


def sequence_of(name: str) -> int:
    """0 for what is no set, whole or partial."""
    found = ID.fullmatch(name) or PARTIAL.fullmatch(name) or REMOVED.fullmatch(name)
    return int(found["sequence"]) if found else 0


def time_of(backup_id: str) -> float:
    """When its dump began, by its name; 0 where the name tells no time."""
    try:
        return datetime.strptime(backup_id.partition("-")[0], TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def checked_instance(name: str) -> str:
    """Raise JobError for what could leave the repository."""
    if not INSTANCE.fullmatch(name):
        raise JobError(JobReason.REPOSITORY, "the name of an instance is letters, digits, dots and dashes")
    return name


def checked_id(backup_id: str) -> str:
    if not ID.fullmatch(backup_id):
        raise JobError(JobReason.REPOSITORY, "this is no id of a backup: `dbwatch backup list` tells those there are")
    return backup_id


def is_kind(name: str) -> bool:
    return name in {kind.value for kind in BackupKind}


def is_member_path(path: str) -> bool:
    """Relative, plain, and none of the files that we write ourselves."""
    parts = path.split("/")
    return (
        bool(path)
        and "\0" not in path
        and not {"", ".", ".."} & set(parts)
        and parts[0] not in OUR_FILES
        and str(PurePosixPath(path)) == path
    )
