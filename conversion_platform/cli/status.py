"""The command that says how the platform stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from conversion_platform.cli.context import settings_of
from conversion_platform.process import stoppable


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object with more figures.")
@click.pass_context
@stoppable
def status(ctx: click.Context, as_json: bool) -> None:
    """Say how the platform stands.

    Prints last day run, champion, MAP of model, human order and popularity, rows of every table,
    events in the log, messages by state, suppressed messages by reason, drift, next scheduled run,
    and warnings: a day of which every message is suppressed, a source without new events. Like
    `sql`, `outbox`, `replies` and `check-features` it only reads: without a lake it shows zeros.
    """
    from conversion_platform.cli.render import status_table
    from conversion_platform.lake import open_session
    from conversion_platform.status import collect
    from conversion_platform.terminal import console

    settings = settings_of(ctx)
    with open_session(settings, reading=True) as session:
        found = collect(session, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        console().print(status_table(found))
