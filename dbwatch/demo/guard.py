"""Runs one program for the demonstration and outlives its parent just long enough to clean up.

Started as a script of its own (standard library only), with a plan in JSON as its argument. Its standard input is a
pipe whose other end only the parent holds: end of file means that the parent wants it to stop, or died, even by
kill -9. It then stops the program and, where the plan says so, deletes the directory. Should the guard itself be
killed, the kernel tells the program (PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass

PR_SET_PDEATHSIG = 1
STOPPED = 0  # the exit status after a stop that was asked for, whatever the program made of it


@dataclass(frozen=True)
class Plan:
    """What to run, as whom, and what to leave behind."""

    command: tuple[str, ...]
    directory: str  # working directory and home; deleted after a stop if `remove`
    log: str
    uid: int | None = None
    gid: int | None = None
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 5.0
    remove: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def environment(directory: str) -> dict[str, str]:
    """Nothing of the caller's: PGDATA, MYSQL_HOME or a read-only HOME must not leak into the demonstration."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return {"PATH": path, "HOME": directory, "TMPDIR": directory, "LC_ALL": "C", "TZ": "UTC"}


def die_with_parent() -> None:
    """In the child, after the change of user (which would clear it). The guard has one thread then, so this is safe."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def start(plan: Plan) -> asyncio.subprocess.Process:
    log = os.open(plan.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *plan.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=plan.directory,
            env=environment(plan.directory),
            user=plan.uid,
            group=plan.gid,
            extra_groups=None if plan.uid is None else [],
            start_new_session=True,
            umask=0o077,
            preexec_fn=die_with_parent,
        )
    finally:
        os.close(log)


async def stop(program: asyncio.subprocess.Process, plan: Plan) -> None:
    """Politely, then its whole process group."""
    with suppress(ProcessLookupError, TimeoutError):
        program.send_signal(plan.stop_signal)
        async with asyncio.timeout(plan.grace_seconds):
            await program.wait()
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    await program.wait()


def told_to_stop() -> asyncio.Event:
    """Set at the end of our standard input (nothing is ever written to it), or by a signal."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), asked.set)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, asked.set)
    return asked


async def run(plan: Plan) -> int:
    asked = told_to_stop()
    program = await start(plan)
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(program.wait(), name="program")
        asking = group.create_task(asked.wait(), name="asked")
        await asyncio.wait((ended, asking), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            asking.cancel()
            return ended.result()
        await stop(program, plan)
    if plan.remove:
        shutil.rmtree(plan.directory, ignore_errors=True)
    return STOPPED


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Plan(**json.loads(sys.argv[1])))))
