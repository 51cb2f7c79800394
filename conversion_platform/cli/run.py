"""Commands that run days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from conversion_platform.cli.context import Day, settings_of
from conversion_platform.days import DayRange
from conversion_platform.process import stoppable

if TYPE_CHECKING:
    from conversion_platform.settings import Settings


@click.command()
@click.option(
    "--from",
    "first",
    type=Day(),
    help="First day, such as 2026-11-23. Today at the latest.",
)
@click.option("--to", "last", type=Day(), help="Last day; the first if not given.")
@click.option(
    "--refresh-snapshot",
    "refreshed",
    type=Day(),
    help="Run this day again, alone, with the users and jobs as the source shows them now: they "
    "replace what the day captured, and the log says so. Later days keep what they captured.",
)
@click.option(
    "--weekly-training",
    "weekly",
    is_flag=True,
    help="Train on each `training.train_weekday` of the days too, as the schedule does. Without "
    "it a range keeps the champion of its first day.",
)
@click.option(
    "--replan",
    is_flag=True,
    help="Decide again about suppressed messages of the days, as after a correction of settings or "
    "source. None that was given to the provider goes again; no day may be over.",
)
@click.pass_context
@stoppable
def run(
    ctx: click.Context,
    first: date | None,
    last: date | None,
    refreshed: date | None,
    weekly: bool,
    replan: bool,
) -> None:
    """Run the days: history and training first where they are missing.

    Runs them through the assets, checks and instance that Dagster's pages show, a range as one
    run, and ends with the screen of `status` and the reasons of suppressed messages. First makes
    the checks of `check-sources`, on the lake's tables or, before there is a champion, on the
    sources; then makes what is missing: events that the first features look back to (job
    `sources`), tables and features to learn from (`history`), a champion (`train`).

    Ctrl-C and SIGTERM end it within 10 s; nothing is half written, and the same command continues.
    """
    from conversion_platform.cli.render import status_table
    from conversion_platform.lake import open_session
    from conversion_platform.runs import run_days
    from conversion_platform.status import collect
    from conversion_platform.terminal import console

    settings, days = settings_of(ctx), _days(first, last, refreshed)
    run_days(settings, days, weekly=weekly, replan=replan, refresh_snapshot=refreshed is not None)
    with open_session(settings, reading=True) as session:
        console().print(status_table(collect(session, datetime.now(UTC))))
    _show_suppressions(settings, days)


def _days(first: date | None, last: date | None, refreshed: date | None) -> DayRange:
    """Return the days that the options ask for.

    Raises:
        UsageError: they ask for none, or for more than the day whose snapshot is replaced.
    """
    if refreshed is None:
        if first is None:
            raise click.UsageError("Missing option '--from': the first day to run.")
        return DayRange(first, last or first)
    if first or last:
        raise click.UsageError("--refresh-snapshot runs its day alone: leave --from and --to out.")
    return DayRange.of(refreshed)


def _show_suppressions(settings: Settings, days: DayRange) -> None:
    """Say why messages of the days were suppressed; warn if one reason suppressed all."""
    from conversion_platform.messaging import open_ledger, suppression_warning, told_suppressions
    from conversion_platform.terminal import console, styled

    with open_ledger(settings) as ledger:
        told, warning = told_suppressions(ledger, days), suppression_warning(ledger, days)
    if told:
        console().print(told)
    if warning:
        console().print(styled(("Warning:", "bold yellow"), f" {warning}"))
