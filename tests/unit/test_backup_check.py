"""`config check` says of keys for backups what would fail the first backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyrage
import pytest

from dbwatch.app import backup_check
from dbwatch.errors import ConfigError
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.settings.models import Settings

INSTANCE = "instances: {pg: {engine: postgres, monitor: {user: dbwatch}}}\n"


def settings(tmp_path: Path, encryption: str) -> Settings:
    file = tmp_path / "dbwatch.yml"
    file.write_text(f"{INSTANCE}backups: {{encryption: {encryption}}}\n")
    return load(file, {})


def test_keys_that_are_keys_are_no_fault(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# created by a test\n{identity}\n")

    backup_check.refuse_faults(settings(tmp_path, "{}"))
    backup_check.refuse_faults(
        settings(tmp_path, f"{{recipients: [{identity.to_public()}], identity_file: {tmp_path / 'key'}}}")
    )


def test_every_key_that_cannot_be_used_is_told_at_once_and_none_is_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("AGE-SECRET-KEY-1CANARY\n")
    found = settings(tmp_path, f"{{recipients: [age1canary], identity_file: {tmp_path / 'key'}}}")
    with pytest.raises(ConfigError) as raised:
        backup_check.refuse_faults(found)

    assert [backup_check.RECIPIENTS, backup_check.IDENTITY] == [fault.where for fault in raised.value.faults]
    assert "copy it whole" in raised.value.faults[0].mend
    assert "canary" not in str(raised.value).lower()


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the key"):
        backup_check.refuse_faults(settings(tmp_path, f"{{identity_file: {tmp_path / 'none'}}}"))
