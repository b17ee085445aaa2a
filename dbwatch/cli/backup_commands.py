"""`backup`: take one, see what there is, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from dbwatch.cli.options import DEFAULT_CONFIG, Config, InstanceName

if TYPE_CHECKING:
    from typer._click import Context

RUN, HELP = "run", "--help"


class InstanceOrCommand(TyperGroup):
    """`backup pg1` is `backup run pg1`; an instance that is named like a command is reached by the longer form."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != HELP:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=InstanceOrCommand,
    help="Take a backup now (`dbwatch backup INSTANCE`), list them, see and carry out retention.",
    no_args_is_help=True,
    subcommand_metavar="INSTANCE | COMMAND [ARGS]...",
)

Perhaps = Annotated[str, typer.Argument(help="An instance; all, if none is named.", show_default=False)]
ID_HELP = "As `backup list` shows it; its last eight characters do, and INSTANCE/ID where two have the same."
Id = Annotated[str, typer.Argument(help=ID_HELP, show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.command()
def run(instance: InstanceName, *, config: Config = DEFAULT_CONFIG) -> None:
    """Take a backup of this instance now, and prove it as far as that is due.

    Ends with 0: it is published, and every proof that was due holds. A restore that is not due now (verify.restore is
    off, or the set waits for its turn because it is large) does not count.
    Ends with 1: there is no new backup, or it was found bad, or a proof that was due could not be had, for want of
    room, of a key or of a program: then the first line says NOT PROVEN and why, and the backup is kept.

    The daemon does it, and goes on with it after Ctrl-C. Where no daemon runs it is done here.
    """
    from dbwatch.cli import backup

    raise typer.Exit(backup.run(config, instance))


@app.command("list")
def list_(instance: Perhaps = "", *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """List backups, each with what is proven of it, or why it is bad: also by a look at the files. Times are UTC."""
    from dbwatch.cli import backup

    print("\n".join(backup.listed(config, instance, as_json=as_json)))


@app.command()
def verify(backup_id: Id, *, config: Config = DEFAULT_CONFIG) -> None:
    """Restore a backup on a scratch server and compare it with what was dumped.

    Ends with 0 where it was restored and nothing differs, with 1 where it is bad, or could not be restored here.
    """
    from dbwatch.cli import backup

    raise typer.Exit(backup.verify(config, backup_id))


@app.command()
def rescan(instance: Perhaps = "", *, config: Config = DEFAULT_CONFIG) -> None:
    """Make the index anew from the manifests in the repository."""
    from dbwatch.cli import backup

    print("\n".join(backup.rescan(config, instance)))


@app.command()
def retention(
    instance: Perhaps = "", *, dry_run: DryRun = False, as_json: AsJson = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Say which backups stay and which go, each with the reason, and let them go. Times are UTC."""
    from dbwatch.cli import backup

    print("\n".join(backup.retention(config, instance, dry_run=dry_run, as_json=as_json)))


@app.command("trust-clock")
def trust_clock(*, config: Config = DEFAULT_CONFIG) -> None:
    """Say that this machine's clock is right: after a jump of a day, retention deletes nothing until then."""
    from dbwatch.cli import backup

    print(backup.trust_clock(config))


@app.command()
def pin(backup_id: Id, *, config: Config = DEFAULT_CONFIG) -> None:
    """Keep a backup whatever retention says. One that it has put into the trash comes back."""
    from dbwatch.cli import backup

    print(backup.pin(config, backup_id, pinned=True))


@app.command()
def unpin(backup_id: Id, *, config: Config = DEFAULT_CONFIG) -> None:
    """Leave a backup to retention again."""
    from dbwatch.cli import backup

    print(backup.pin(config, backup_id, pinned=False))
