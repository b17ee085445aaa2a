"""Commands of a dump of MySQL or MariaDB, built purely: never a shell, never a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dbwatch.core.backups.model import Codec, MemberRole
from dbwatch.engines import mysql_backup_programs as programs_of
from dbwatch.engines.backing import Command, Output, Pipeline
from dbwatch.engines.mysql_backup_session import option_file
from dbwatch.engines.mysql_children import filtering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import DumpOptions, Program
    from dbwatch.settings.models import Instance

DUMP, ACCOUNTS = "dump.sql", "accounts.sql"
SUFFIX = {Codec.NONE: "", Codec.ZSTD: ".zst", Codec.GZIP: ".gz"}
SEALED = ".age"
DUMP_OPTIONS, ACCOUNT_OPTIONS, ACCOUNT_SCRIPT = "dump.cnf", "accounts.cnf", "accounts.in"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a dump is made of. `databases`: in the order of the dump, name -> itself."""

    instance: Instance
    options: DumpOptions
    flavour: str
    server: tuple[int, ...]
    programs: Sequence[Program]
    codec: Codec
    databases: Mapping[str, str]
    directory: Path
    private: Path  # for option files: not where the set is, which may be a file system of others
    application: str
    flags: tuple[str, ...] = ()  # what the client knows
    stranded: tuple[str, ...] = ()  # rights on these are left out

    @property
    def suffix(self) -> str:
        return SUFFIX[self.codec] + (SEALED if self.options.seal else "")


def dump_pipeline(plan: Plan) -> Pipeline:
    """The mark in `--where` stands in the text of each of its statements: so its session is found on the server."""
    options = plan.private / DUMP_OPTIONS
    program = programs_of.named(plan.programs, programs_of.DUMP, plan.flavour)
    dump = Command(
        (
            str(program.path),
            f"--defaults-file={options}",
            *plan.flags,
            f"--where=1 /* {plan.application} */",
            "--databases",
            "--",
            *plan.databases,
        )
    )
    return _written(plan, DUMP, (dump,), {options: option_file(plan.instance, plan.flavour)})


def accounts_pipeline(plan: Plan, script: str) -> Pipeline:
    """The client asks the server for each account; hashes of passwords never come near us."""
    options, stdin = plan.private / ACCOUNT_OPTIONS, plan.private / ACCOUNT_SCRIPT
    program = programs_of.named(plan.programs, programs_of.CLIENT, plan.flavour)
    plain = ("--batch", "--skip-column-names", "--raw", "--default-character-set=utf8mb4")
    ask = Command((str(program.path), f"--defaults-file={options}", *plain))
    secrets = {options: option_file(plan.instance, plan.flavour), stdin: SecretStr(script)}
    return _written(plan, ACCOUNTS, (ask, filtering("accounts", *plan.stranded)), secrets, stdin)


def _written(
    plan: Plan, name: str, commands: Sequence[Command], secrets: Mapping[Path, SecretStr], stdin: Path | None = None
) -> Pipeline:
    seal = (plan.options.seal,) if plan.options.seal else ()
    path = plan.directory / f"{name}{plan.suffix}"
    every = (*commands, *_packing(plan), *seal)
    return Pipeline(f"{name} of {plan.instance.name}", every, stdin, path, secrets, grows=(path,))


def _packing(plan: Plan) -> tuple[Command, ...]:
    if plan.codec is Codec.NONE:
        return ()
    quiet = ("-q",) if plan.codec is Codec.ZSTD else ()
    return (Command((programs_of.packer(plan.programs, plan.codec), "-1", *quiet, "-c")),)


def outputs(plan: Plan) -> tuple[Output, ...]:
    sealed = plan.options.seal is not None
    return tuple(
        Output(plan.directory / f"{name}{plan.suffix}", role, plan.codec, sealed=sealed)
        for name, role in ((DUMP, MemberRole.DUMP), (ACCOUNTS, MemberRole.GLOBALS))
    )
