"""`dbwatch demo`: real servers, a small city hall at work in them, and the daemon that watches both."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dbwatch import app
from dbwatch.demo.estate import demo_estate
from dbwatch.demo.witness import Witness
from dbwatch.demo.workload import run_workload
from dbwatch.files import config_root
from dbwatch.settings.models import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.demo.model import DemoEstate, DemoServer
    from dbwatch.store import Store

HOST, PORT = "127.0.0.1", 10432
NAMES = {"postgres": "marseille-postgres", "mysql": "marseille-mariadb"}
OWNER_ONLY = 0o600


def run(seconds: float | None, scale: float, say: Callable[[str], None]) -> int:
    """Run until Ctrl-C, or for so many seconds. Everything is deleted at the end."""
    try:
        return asyncio.run(demonstrate(seconds, scale, say))
    except KeyboardInterrupt:
        say("interrupted; everything was stopped and deleted")
        return 0


async def demonstrate(seconds: float | None, scale: float, say: Callable[[str], None]) -> int:
    """Start the estate, the daemon and the workload; tell where the page is; tell what was seen."""
    say("starting PostgreSQL, and MariaDB where it is installed, with the databases of the Ville de Marseille ...")
    async with demo_estate(scale) as estate:
        for reason in estate.absent.values():
            say(f"without MariaDB: {reason}")
        witness = Witness()
        with tempfile.TemporaryDirectory(prefix="dbwatch-demo-") as directory:
            code = await _watched(estate, Path(directory), witness, seconds, say)
    say("what dbwatch saw:")
    for line in witness.lines():
        say(f"  {line}")
    return code


async def _watched(
    estate: DemoEstate, directory: Path, witness: Witness, seconds: float | None, say: Callable[[str], None]
) -> int:
    port = free_port()
    config = write_config(estate, directory, port)
    stop = asyncio.Event()
    _stop_on_signals(stop)

    async with asyncio.TaskGroup() as group:

        def started(store: Store) -> None:
            _tell(say, port, seconds)
            group.create_task(witness.watch(store, stop), name="witness")

        async def daemon() -> int:
            try:
                return await app.run(config, environ={}, on_started=started, stop=stop)
            finally:
                stop.set()

        watching = group.create_task(daemon(), name="daemon")
        working = group.create_task(run_workload(estate, stop), name="workload")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        stop.set()
        say("stopping; the servers and all that they held are deleted ...")
        await working
    return watching.result()


def _tell(say: Callable[[str], None], port: int, seconds: float | None) -> None:
    say(f"page:    http://{HOST}:{port}/")
    say(f"metrics: http://{HOST}:{port}/metrics")
    say("Ctrl-C ends it" if seconds is None else f"it ends by itself in {seconds:g} s")


def _stop_on_signals(stop: asyncio.Event) -> None:
    """Until the daemon takes the signals over, Ctrl-C stops here."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def free_port() -> int:
    """The daemon's own port, or any free one where somebody else has it."""
    for port in (PORT, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    return PORT


def write_config(estate: DemoEstate, directory: Path, port: int) -> Path:
    """A configuration like any operator's: passwords in files of their own."""
    document = {
        "instances": {NAMES[server.engine]: _instance(server, directory) for server in estate.servers},
        "http": {"listen_addresses": [f"{HOST}:{port}"]},
        "collectors_dir": str(config_root() / "collectors"),
        "logging": {"level": "warning"},
        "state_directory": str(directory),
        "control_socket": str(directory / "control.sock"),
    }
    path = directory / "dbwatch.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _instance(server: DemoServer, directory: Path) -> dict[str, object]:
    secret = directory / f"{server.engine}.password"
    secret.touch(OWNER_ONLY)
    secret.write_text(server.monitor.password)
    accounts = [server.application.user, server.reporting.user]
    return {
        "engine": server.engine,
        "host": LOCAL,  # its disks and processes are this machine's
        "port": server.port,
        "monitor": {"user": server.monitor.user, "password_file": str(secret)},
        "labels": {"env": "demo", "service": "citizens", "team": "dba"},
        "service_accounts": accounts,
        "applications": ["guichet", "portail", "reporting"],
    }
