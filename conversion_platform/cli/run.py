"""Commands that run days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from conversion_platform.cli.context import Day, settings_of
from conversion_platform.process import stoppable


@click.command()
@click.option("--from", "first", type=Day(), required=True, help="First day.")
@click.option("--to", "last", type=Day(), help="Last day; the first one if not given.")
@click.option(
    "--weekly-training",
    "weekly",
    is_flag=True,
    help="Train on each training.train_weekday of the days too, as the schedule does.",
)
@click.pass_context
@stoppable
def run(ctx: click.Context, first: date, last: date | None, weekly: bool) -> None:
    """Run the days: history and training first where they are missing."""
    from conversion_platform.cli.render import status_table
    from conversion_platform.days import DayRange
    from conversion_platform.lake import open_session
    from conversion_platform.runs import run_days
    from conversion_platform.status import collect
    from conversion_platform.terminal import console

    settings = settings_of(ctx)
    run_days(settings, DayRange(first, last or first), weekly=weekly)
    with open_session(settings, reading=True) as session:
        console().print(status_table(collect(session, datetime.now(UTC))))
