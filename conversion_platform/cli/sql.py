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
    help="How rows are printed. `csv` and `json` take one statement. JSON has no NaN or infinity: "
    "both become `null`, as NULL does; `csv` distinguishes `nan`, `inf` and empty.",
)
@click.option(
    "--personal",
    is_flag=True,
    help="Also open the personal tables: phone numbers, names and places of people "
    "(`users_contacts`, `jobs_contacts`), protected attributes (`users_protected`), and the values "
    "of rejected rows (`rejected_*_values`).",
)
@click.pass_context
def sql(ctx: click.Context, query: str | None, output_format: str, personal: bool) -> None:
    r"""Query the log and the tables; without QUERY, open a prompt.

    QUERY is SQL, `.tables`, `.schema NAME` or `.help`; each works at the prompt too. Without
    QUERY, standard input is executed if that is no terminal. Read-only, with a view for every
    table and event type.

    At the prompt Ctrl-C clears the line or cancels the running query; `exit`, `quit`, `\q`,
    `.exit`, `.quit` and Ctrl-D leave.
    """
    from conversion_platform.cli.sql_shell import run_sql

    run_sql(settings_of(ctx), query, output_format, personal)
