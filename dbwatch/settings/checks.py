"""What a type cannot say: files that must be there, addresses that must parse, instances that are one and the same."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core import thresholds
from dbwatch.errors import EngineError, Fault
from dbwatch.settings import alerting_checks, paces
from dbwatch.settings.files import directory_error, is_open_to_all, read_error
from dbwatch.settings.models import PURPOSES, MysqlInstance
from dbwatch.settings.secrets import FILE_MEND, INLINE_MEND, VARIABLE_MEND, file_error, text_error
from dbwatch.settings.suggest import did_you_mean
from dbwatch.settings.tls import ssl_context, tls_mode, unused_ca
from dbwatch.settings.tree import Node, given, place_of, placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from dbwatch.settings.fields import Secret
    from dbwatch.settings.models import Credentials, Instance, Settings
    from dbwatch.settings.tree import KeyPath, Placing

LISTEN_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[\w.-]*):(?P<port>[0-9]{1,5})", re.ASCII)
HIGHEST_PORT = 65535

LONGEST_CONNECT_SECONDS = 30.0


class Checker:
    """Collects the faults and warnings of settings that are valid by their types."""

    def __init__(self, settings: Settings, tree: Node, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._tree = tree
        self._at = placed(tree)
        self._environ = environ
        self.faults: dict[Fault, None] = {}  # a set that keeps its order: defaults are met once an instance
        self.warnings: dict[Fault, None] = {}

    def run(self) -> None:
        self._http()
        self._alerting()
        self._thresholds()
        for number, path in enumerate(self._settings.collectors_dir):
            if problem := directory_error(path):
                self._refuse(("collectors_dir", number), problem, "create the directory, or remove it from the list")
        for instance in self._settings.watched:  # what is switched off may wait for its files
            self._passwords(instance)
            self._tls(instance)
            self._pace(instance)
        self._twins()
        if not self._settings.watched:
            self._warn(("instances",), "no instance is watched", "add one under `instances:`")

    def _refuse(self, path: tuple[str | int, ...], what: str, mend: str = "") -> None:
        self.faults.setdefault(self._at(path, what, mend))

    def _warn(self, path: tuple[str | int, ...], what: str, mend: str = "") -> None:
        self.warnings.setdefault(self._at(path, what, mend))

    def _http(self) -> None:
        for number, address in enumerate(self._settings.http.listen_addresses):
            match = LISTEN_ADDRESS.fullmatch(address)
            if match is None or int(match["port"]) > HIGHEST_PORT:
                where = ("http", "listen_addresses", number)
                self._refuse(where, "is no address to listen on", "write '127.0.0.1:10432', ':10432' or '[::1]:10432'")
        file = self._settings.http.web_config_file
        if file is not None and (problem := read_error(file, may_be_empty=True)):
            self._refuse(("http", "web_config_file"), problem, "check the path and its permissions")

    def _alerting(self) -> None:
        for path, what, mend, _ in alerting_checks.missing(self._settings):
            if not given(self._tree, path):  # what is given and wrong was told already
                self._refuse(path, what, mend)
        for path, what, mend, is_odd in alerting_checks.found(self._settings):
            (self._warn if is_odd else self._refuse)(path, what, mend)
        for number, relay in enumerate(self._settings.mail.relays):
            self._password(("mail", "relays", number), relay)
        if self._settings.alertmanager.basic_auth is not None:
            self._password(("alertmanager", "basic_auth"), self._settings.alertmanager.basic_auth)
        if self._settings.heartbeat.url is not None:
            self._not_in_clear(("heartbeat", "url"), "url_file")

    def _thresholds(self) -> None:
        for path, values in _given_thresholds(self._settings):
            for name, value in values.items():
                if thresholds.is_impossible(name, value):
                    self._refuse((*path, name), thresholds.NEGATIVE, thresholds.NEGATIVE_MEND)

    def _passwords(self, instance: Instance) -> None:
        for purpose in PURPOSES:
            credentials: Credentials | None = getattr(instance, purpose)
            if credentials is not None:
                self._password(("instances", instance.name, purpose), credentials)

    def _password(self, path: tuple[str | int, ...], credentials: Secret) -> None:
        file, variable = credentials.password_file, credentials.password_env
        if file is not None and (problem := file_error(file)):
            self._refuse((*path, "password_file"), problem, FILE_MEND)
        elif file is not None:
            self._closed((*path, "password_file"), file)
        if credentials.password is not None:
            self._inline((*path, "password"), credentials.password.get_secret_value())
        if variable is not None:
            held = self._environ.get(variable, "")
            if problem := text_error(held) if held else "is not set":
                self._refuse((*path, "password_env"), f"names a variable that {problem}", VARIABLE_MEND)

    def _inline(self, path: tuple[str | int, ...], password: str) -> None:
        if problem := text_error(password):
            self._refuse(path, problem, INLINE_MEND)
        self._not_in_clear(path)

    def _not_in_clear(self, path: tuple[str | int, ...], instead: str = "password_file") -> None:
        place, _ = place_of(self._tree, path)
        if place.line and is_open_to_all(Path(place.source)):
            self._warn(path, "stands in a file that every account of this machine can read", f"use {instead}")

    def _closed(self, path: tuple[str | int, ...], file: Path) -> None:
        if is_open_to_all(file):
            self._warn(path, "every account of this machine can read the file", "chmod o-rwx, or 0400")

    def _tls(self, instance: Instance) -> None:
        path: KeyPath = ("instances", instance.name, "tls")
        tls = instance.tls
        if tls.key_file is not None and tls.certificate_file is None:
            self._refuse((*path, "key_file"), "stands without certificate_file", "give both")
        if unused_ca(instance):
            what = f"is not looked at by the mode in force, {tls_mode(instance)}"
            self._warn((*path, "ca_file"), what, "set tls.mode to one that verifies")
        if tls.key_file is not None:
            self._closed((*path, "key_file"), tls.key_file)
        self._tls_files(instance, path)

    def _tls_files(self, instance: Instance, path: KeyPath) -> None:
        files = ("ca_file", "certificate_file", "key_file")
        problems = [(key, read_error(file)) for key in files if (file := getattr(instance.tls, key)) is not None]
        for key, problem in problems:
            if problem:
                self._refuse((*path, key), problem, "check the path and its permissions")
        if any(problem for _, problem in problems):
            return
        try:
            ssl_context(instance)
        except EngineError as error:
            self._refuse(path, error.message.replace("\n", " "), "check what is in the files")

    def _pace(self, instance: Instance) -> None:
        for key in paces.SHORTEST_SECONDS:
            interval = getattr(instance, key)
            path: KeyPath = ("instances", instance.name, key)
            if interval is None:
                continue
            if told := paces.hurtful(key, interval):
                self._refuse(path, *told)
            elif told := paces.frequent(key, interval):
                self._warn(path, *told)
        if instance.connect_timeout > LONGEST_CONNECT_SECONDS:
            what = "a server that hangs is noticed only after that time"
            mend = f"give {LONGEST_CONNECT_SECONDS:g}s or less"
            self._warn(("instances", instance.name, "connect_timeout"), what, mend)

    def _twins(self) -> None:
        servers: dict[tuple[str, int, Path | None], list[str]] = defaultdict(list)
        for instance in self._settings.watched:
            socket = instance.socket if isinstance(instance, MysqlInstance) else None
            servers[instance.address.lower(), instance.port, socket].append(instance.name)
        for first, *others in servers.values():
            for name in others:
                mend = "one server is one instance: remove one of the two"
                self._warn(("instances", name), f"has the host, port and socket of {first}", mend)


def unplaced(path: tuple[str | int, ...], what: str, mend: str) -> Fault:
    """Where the files are not at hand: the keys alone."""
    return Fault(".".join(map(str, path)), what, mend)


def unknown_collectors(
    settings: Settings, known: Mapping[str, AbstractSet[str]], at: Placing = unplaced
) -> list[Fault]:
    """Overrides of collectors that no file defines; `known`: engine -> names of its collectors.

    A name that only another engine knows is let pass: `defaults.collectors` reaches the instances of all engines.
    """
    anywhere = frozenset[str]().union(*known.values())
    return list(dict.fromkeys(at(*each) for each in _unknown(settings, known, anywhere)))


def unknown_thresholds(settings: Settings, known: AbstractSet[str], at: Placing = unplaced) -> list[Fault]:
    """Overrides of thresholds that no rule could compare with."""
    mend = "see alerting/thresholds.yml for their names"
    faults = [
        at((*path, name), "there is no such threshold", did_you_mean(name, known) or mend)
        for path, names in _given_thresholds(settings)
        for name in names
        if name not in known
    ]
    return list(dict.fromkeys(faults))


def _given_thresholds(settings: Settings) -> Iterator[tuple[KeyPath, Mapping[str, float]]]:
    yield ("thresholds",), settings.thresholds
    yield from ((("instances", each.name, "thresholds"), each.thresholds) for each in settings.instances.values())


def _unknown(
    settings: Settings, known: Mapping[str, AbstractSet[str]], anywhere: AbstractSet[str]
) -> Iterator[tuple[KeyPath, str, str]]:
    for instance in settings.instances.values():
        ours = known.get(instance.identity.engine, frozenset())
        for name in instance.collectors:
            if name not in anywhere:
                mend = did_you_mean(name, ours) or "see `dbwatch collectors` for their names"
                where = ("instances", instance.name, "collectors", name)
                yield where, "there is no such collector", mend
