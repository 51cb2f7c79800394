"""The command that queries the log and the tables."""

from __future__ import annotations

import click

from conversion_platform.cli.context import settings_of


@click.command()
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
    from conversion_platform.cli.sql_shell import run_sql

    run_sql(settings_of(ctx), query, output_format, personal)
