"""`dbwatch demo`: real servers, a small city hall at work in them, and the daemon that watches both."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dbwatch import app
from dbwatch.demo import backups
from dbwatch.demo.databases import make_durable
from dbwatch.demo.estate import demo_estate
from dbwatch.demo.ground import private_ground
from dbwatch.demo.mail_catcher import mail_catcher
from dbwatch.demo.witness import Witness
from dbwatch.demo.workload import run_workload
from dbwatch.errors import DbwatchError
from dbwatch.files import config_root
from dbwatch.settings.models import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.demo.ground import Ground
    from dbwatch.demo.mail_catcher import Catcher
    from dbwatch.demo.model import DemoEstate, DemoServer, Login
    from dbwatch.store import Store

HOST, PORT = "127.0.0.1", 10432
NAMES = {"postgres": "marseille-postgres", "mysql": "marseille-mariadb"}
OWNER_ONLY = 0o600
# A person who watches need not wait long; that servers which were made a moment ago are young is no news.
THRESHOLDS = {"lock_wait_seconds": 15.0, "server_restarted_seconds": 0.0}


@dataclass(frozen=True, slots=True)
class Places:
    """Where what is made is put; scratch servers need a place that an unprivileged account can enter."""

    directory: Path
    scratch: Ground

    @property
    def control_socket(self) -> Path:
        return self.directory / "control.sock"


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
    async with demo_estate(scale) as estate, private_ground() as ground:
        for reason in estate.absent.values():
            say(f"without MariaDB: {reason}")
        for server in estate.servers:
            await make_durable(server)
        witness = Witness()
        with tempfile.TemporaryDirectory(prefix="dbwatch-demo-") as directory:
            async with mail_catcher() as catcher:
                places = Places(Path(directory), ground)
                code = await _watched(estate, places, catcher, witness, seconds=seconds, say=say)
            witness.mails = [mail.subject for mail in catcher.box.mails()]
    say("what dbwatch saw:")
    for line in witness.lines():
        say(f"  {line}")
    return code


async def _watched(
    estate: DemoEstate,
    places: Places,
    catcher: Catcher,
    witness: Witness,
    *,
    seconds: float | None,
    say: Callable[[str], None],
) -> int:
    port = free_port()
    config = write_config(estate, places, port, catcher.smtp_port)
    stop = asyncio.Event()
    side: list[asyncio.Task[None]] = []
    _stop_on_signals(stop)

    async with asyncio.TaskGroup() as group:

        def started(store: Store) -> None:
            _tell(say, port, catcher.url, seconds)
            group.create_task(witness.watch(store, stop), name="witness")
            group.create_task(witness.watch_alerts(f"http://{HOST}:{port}/api/v1/alerts", stop), name="witness-alerts")
            names = [NAMES[server.engine] for server in estate.servers]
            side.append(group.create_task(backups.first(places.control_socket, names, say), name="backups"))

        async def daemon() -> int:
            try:
                return await app.run(config, environ={}, on_started=started, stop=stop)
            except DbwatchError as error:
                say(f"the daemon did not start: {error}")
                return 1
            finally:
                stop.set()

        watching = group.create_task(daemon(), name="daemon")
        working = group.create_task(run_workload(estate, stop), name="workload")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        stop.set()
        for task in side:
            task.cancel()
        say("stopping; the servers and all that they held are deleted ...")
        await working
    return watching.result()


def _tell(say: Callable[[str], None], port: int, mails: str, seconds: float | None) -> None:
    say(f"page:    http://{HOST}:{port}/")
    say(f"mails:   {mails}  (a session is blocked: told in about half a minute, resolved within five)")
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


def write_config(estate: DemoEstate, places: Places, port: int, smtp_port: int) -> Path:
    """A configuration like any operator's: passwords in files of their own."""
    directory = places.directory
    document = {
        "instances": {NAMES[server.engine]: _instance(server, directory) for server in estate.servers},
        "http": {"listen_addresses": [f"{HOST}:{port}"]},
        "collectors_dir": str(config_root() / "collectors"),
        "logging": {"level": "warning"},
        "state_directory": str(directory),
        "control_socket": str(places.control_socket),
        "backups": backups.section(estate, directory, places.scratch),
        **_alerting(port, smtp_port),
    }
    path = directory / "dbwatch.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _alerting(port: int, smtp_port: int) -> dict[str, object]:
    """As a town hall would have it, but in a hurry: a person who watches waits for seconds, not for minutes."""
    return {
        "alerting": {
            "notify": "direct",
            "language": "fr",
            "page_url": f"http://{HOST}:{port}",
            "evaluation_interval": "5s",
            "group_wait": "5s",
            "group_interval": "15s",
            "storm_limit": 100,
            "flapping": {"changes": 100},  # the same session is blocked again every few minutes
            "daily_digest": False,
            "weekly_test": False,
        },
        "mail": {
            "from": "dbwatch <dbwatch@marseille.example>",
            "to": "astreinte@marseille.example",
            "relays": [{"host": HOST, "port": smtp_port, "security": "none"}],
        },
        "thresholds": THRESHOLDS,
    }


def _credentials(login: Login, path: Path) -> dict[str, object]:
    path.touch(OWNER_ONLY)
    path.write_text(login.password)
    return {"user": login.user, "password_file": str(path)}


def _instance(server: DemoServer, directory: Path) -> dict[str, object]:
    accounts = [server.application.user, server.reporting.user]
    return {
        "engine": server.engine,
        "host": LOCAL,  # its disks and processes are this machine's
        "port": server.port,
        "monitor": _credentials(server.monitor, directory / f"{server.engine}.monitor"),
        "backup": _credentials(server.backup, directory / f"{server.engine}.backup"),
        "backups": backups.of_instance(),
        "labels": {"env": "demo", "service": "citizens", "team": "dba"},
        "service_accounts": accounts,
        "applications": ["guichet", "portail", "reporting"],
    }
