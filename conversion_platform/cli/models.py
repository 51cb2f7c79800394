"""Commands about models."""

from __future__ import annotations

from datetime import date

import click

from conversion_platform.cli.context import Day, settings_of
from conversion_platform.process import stoppable


@click.command()
@click.option("--day", type=Day(), required=True, help="The day to train for.")
@click.pass_context
@stoppable
def train(ctx: click.Context, day: date) -> None:
    """Train a candidate from what has matured by a day; champion if it is not worse.

    Does what the weekly job `train` does. First makes tables and features that are missing, as
    `run` does. Prints the version and the decision with its reason.
    """
    from conversion_platform.runs import train_day

    trained = train_day(settings_of(ctx), day)
    decision = f"is the champion from {day} on" if trained.promoted else "is not promoted"
    click.echo(f"The candidate {trained.version} {decision}. {trained.reason}")
