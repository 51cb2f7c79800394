"""Commands about messages: what was sent, and which replies a person should read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from conversion_platform.cli.context import settings_of
from conversion_platform.terminal import visible


def limit_option(things: str) -> Callable[[Any], Any]:
    """How many of the latest things a command shows."""
    return click.option(
        "--limit",
        default=20,
        show_default=True,
        type=click.IntRange(min=1),
        metavar="N",
        help=f"How many of the latest {things}.",
    )


@click.command()
@limit_option("messages")
@click.pass_context
def outbox(ctx: click.Context, limit: int) -> None:
    """Show the latest messages that the sandbox provider accepted.

    Shows the last four digits of each number.
    """
    from contextlib import closing

    from conversion_platform.messaging import file_exists, open_provider, sandbox_path

    settings = settings_of(ctx)
    if not file_exists(sandbox_path(settings)):
        click.echo(f"sandbox outbox: 0 messages; there is no {sandbox_path(settings)} yet.")
        return
    with closing(open_provider(settings)) as provider:
        click.echo(visible(provider.render_outbox(limit)))


@click.command()
@limit_option("replies")
@click.pass_context
def replies(ctx: click.Context, limit: int) -> None:
    """Show the latest replies that a person should read: wording that may be an opt-out.

    Shows their words ("who is this?") and the last four digits of each number. Such numbers are
    suppressed until the person replies START or an operator calls `ledger.lift` in Python; the
    list keeps the reply.
    """
    from conversion_platform.messaging import file_exists, ledger_path, open_ledger

    settings = settings_of(ctx)
    if not file_exists(ledger_path(settings)):
        click.echo(f"0 replies for a person to read; there is no {ledger_path(settings)} yet.")
        return
    with open_ledger(settings) as ledger:
        click.echo(visible(ledger.render_replies_for_a_person(limit)))
