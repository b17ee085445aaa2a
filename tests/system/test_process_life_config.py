"""`dbwatch config check` and `dbwatch init` as an operator meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_life import command_line

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system
CANARY = "canary-Pa55word"
BAD = f"""instances:
  pg1:
    engine: postgres
    prot: 5433
    monitor: {{user: dbwatch, password: [{CANARY}]}}
  pg2:
    engine: oracle
    monitor: {{user: dbwatch, password_file: nowhere}}
http: {{listen_addresses: ["127.0.0.1:99999"]}}
"""


def test_a_bad_directory_is_told_every_fault_with_its_line_and_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(BAD)
    (tmp_path / "b.yml").write_text("instances: {pg1: {engine: mysql, monitor: {user: x}}}\nhttp: {}\n")

    done = command_line("config", "check", str(tmp_path))

    assert 1 == done.returncode
    assert "" == done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith(str(tmp_path)) and " -> " in line for line in lines), done.stdout
    for expected in (
        "a.yml:4: instances.pg1.prot",
        "a.yml:5: instances.pg1.monitor.password",
        "a.yml:7: instances.pg2.engine",
        "a.yml:8: instances.pg2.monitor.password_file",
        "a.yml:9:",
    ):
        assert any(expected in line for line in lines), f"{expected}\n{done.stdout}"
    assert any("b.yml:1:" in line for line in lines), done.stdout
    assert CANARY not in done.stdout


def test_what_init_writes_is_a_good_configuration(tmp_path: Path) -> None:
    made = command_line("init", str(tmp_path / "new"))
    assert 0 == made.returncode, made.stderr

    done = command_line("config", "check", str(tmp_path / "new"))

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert done.stdout.splitlines()[-1].endswith("disabled, ok")
    assert "Traceback" not in done.stdout
