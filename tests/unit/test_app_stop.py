"""A signal ends the daemon; who runs it beside other things has time to end these too."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STORY = """
import asyncio, os, signal, sys, time
from pathlib import Path
from dbwatch import app
from dbwatch.app import daemon

daemon.STOP_AT_THE_LATEST_SECONDS = 0.2
interrupt = lambda _: asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)

async def main():
    return await app.run(Path(sys.argv[1]), environ={}, on_started=interrupt, stop=asyncio.Event())

code = asyncio.run(main())
time.sleep(0.5)
print("cleaned up")
sys.exit(code)
"""


def test_one_ctrl_c_lets_the_demonstration_clean_up_and_end_well(tmp_path: Path) -> None:
    config = tmp_path / "dbwatch.yml"
    config.write_text("http: {listen_addresses: ['127.0.0.1:0']}\nstate_directory: state\ncontrol_socket: c.sock\n")

    done = subprocess.run(
        [sys.executable, "-c", STORY, str(config)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (0, "cleaned up\n") == (done.returncode, done.stdout[-11:]), done.stderr
