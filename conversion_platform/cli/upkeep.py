"""Commands that keep an installation well: migrate, prune, backup, restore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from conversion_platform.cli.context import settings_of

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring what an earlier release made to this release's format.

    Brings up lake, ledger and `dagster.yaml`, and prints what changes and what is left to do. A
    second call changes nothing.
    """
    from conversion_platform.lake import open_lake
    from conversion_platform.runs import renew_instance
    from conversion_platform.upkeep import migrate as bring_up

    settings = settings_of(ctx)
    found = bring_up(open_lake(settings), settings)
    if found.before == found.after:
        click.echo(f"The lake {settings.lake_root} has format {found.after}: nothing to migrate.")
    else:
        click.echo(
            f"The lake {settings.lake_root} has format {found.after} now, not {found.before}."
        )
    for note in (*found.notes, *renew_instance(settings)):
        click.echo(f"- {note}")


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="Days that runs are kept; `schedule.keep_runs_days` if not given.",
)
@click.pass_context
def prune(ctx: click.Context, days: int | None) -> None:
    """Remove what Dagster keeps of old runs; no table, event log or ledger is touched."""
    from conversion_platform.runs import prune_instance

    settings = settings_of(ctx)
    days = days or settings.schedule.keep_runs_days
    found = prune_instance(settings, datetime.now(UTC) - timedelta(days=days))
    click.echo(
        f"Removed {found.runs:,} runs and {found.ticks:,} ticks that are older than {days} days "
        f"({found.bytes / 1e6:,.1f} MB)."
    )
    if found.kept:
        click.echo(
            f"{found.kept:,} runs as old stay: they hold the newest state of a partition, or are "
            "the newest success of a job."
        )
    if found.in_use:
        click.echo(
            f"In use by another process, so not smaller yet: {', '.join(found.in_use)}. What "
            "became free in them is used for new rows."
        )


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--wait",
    "minutes",
    type=click.IntRange(min=0),
    metavar="MINUTES",
    default=10,
    show_default=True,
    help="How long to wait until no run or command is under way.",
)
@click.option("--without-lake", is_flag=True, help="Leave out the lake; needed for one on S3.")
@click.pass_context
def backup(ctx: click.Context, folder: Path, minutes: int, without_lake: bool) -> None:
    """Copy lake, Dagster's instance, ledger and settings file to FOLDER, as of one moment.

    FOLDER is new or empty.
    """
    from conversion_platform.lake import open_lake
    from conversion_platform.runs import instance_home, run_activity
    from conversion_platform.upkeep import Patience, back_up, places_of

    settings = settings_of(ctx)
    lake = open_lake(settings)
    with run_activity(settings) as activity:
        found = back_up(
            places_of(settings, instance_home(settings)),
            lake.storage,
            folder,
            activity,
            Patience(60.0 * minutes),
            now=lambda: datetime.now(UTC),
            with_lake=not without_lake,
        )
    click.echo(
        f"Backed up {found.files:,} files ({found.bytes / 1e6:,.1f} MB) to {found.folder}, "
        f"as of {found.made_at}."
    )
    if not found.lake_copied:
        click.echo(f"The lake {settings.lake_root} is not in it.")
    if found.missing:
        click.echo(f"This installation has no {' and no '.join(found.missing)} yet.")
    click.echo("Not in it: the source tables, your feature files, secrets.")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--force", is_flag=True, help="Move aside what stands where the backup goes.")
@click.pass_context
def restore(ctx: click.Context, folder: Path, force: bool) -> None:
    """Put the backup in FOLDER where the settings in force have lake, instance and ledger.

    Checks every digest first.
    """
    from conversion_platform.runs import instance_home, instance_in_use
    from conversion_platform.upkeep import places_of
    from conversion_platform.upkeep import restore as put_back

    settings = settings_of(ctx)
    found = put_back(
        places_of(settings, instance_home(settings)),
        folder,
        in_use=lambda: instance_in_use(settings),
        now=datetime.now(UTC),
        force=force,
    )
    click.echo(f"Restored the state of {found.manifest.made_at}:")
    for place in found.places:
        click.echo(f"  {place}")
    click.echo(
        "Messages sent and opt-outs taken in since then are not in the ledger: see Restore in "
        "docs/operations.md before the next messages leave."
    )
    if found.aside:
        click.echo("What stood there before was moved aside; remove it when you do not need it:")
        for path in found.aside:
            click.echo(f"  {path}")
