"""Commands about the sources: write a settings file, check tables and features."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from conversion_platform.cli.context import FAILED, Day, settings_of
from conversion_platform.process import stoppable


@click.command()
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_context
def init(ctx: click.Context, force: bool) -> None:
    """Write a commented settings file: `conversion_platform.toml`, or that of `--config`.

    Where users and jobs lie in their default places already, it proposes the further columns that
    can become features.
    """
    from conversion_platform.errors import SettingsError, SourceError
    from conversion_platform.marketplace import SOURCE_COLUMNS, proposed_attributes
    from conversion_platform.settings import CONFIG_NAME, load_settings, render_init

    path = Path(ctx.obj or CONFIG_NAME)
    if path.exists() and not force:
        raise SettingsError(f"{path} is already there.", "Add --force to overwrite it.")
    path.write_text(render_init(SOURCE_COLUMNS), encoding="utf-8")
    click.echo(f"Wrote {path}. Say where your tables are under [sources], then run:")
    click.echo("  conversion-platform check-sources")
    settings = load_settings(path)
    places = [settings.sources.users.path, settings.sources.jobs.path]
    if not all(Path(settings.resolve(str(place))).exists() for place in places):
        return
    try:
        proposed = proposed_attributes(settings)
    except SourceError as error:
        click.echo(f"The sources in their default places cannot be read yet: {error}")
        return
    for setting in proposed:
        click.echo(f"Further columns that can become features: {setting}")


@click.command("check-sources")
@click.option(
    "--sql",
    is_flag=True,
    help="Print the steps that the rows went through instead, as SQL to paste into DuckDB.",
)
@click.pass_context
@stoppable
def check_sources_command(ctx: click.Context, sql: bool) -> None:
    """Say in one screen whether the source tables can be used, and the cohorts with them.

    Reads the sources once and writes nothing to the lake. Exits with 1 after the screen if more
    rows are rejected than `fail_share` allows, or if a cohort's `template` or `where` cannot be
    used.
    """
    from conversion_platform.marketplace import checked_sources, render, script
    from conversion_platform.runs import check_before_run, with_secrets

    settings = settings_of(ctx)
    # A run has the secrets too: the DSN of a Postgres source.
    with with_secrets(settings), checked_sources(settings) as (report, session):
        if sql:
            click.echo(script(report.steps), nl=False)
            return
        click.echo(render(report, color=sys.stdout.isatty()))
        check_before_run(session, just_loaded=True)
    if not report.usable:
        sys.exit(FAILED)


@click.command("check-features")
@click.option(
    "--day",
    type=Day(),
    required=True,
    help="The day whose features are proven, from `platform.start_date` on, with users and jobs.",
)
@click.pass_context
@stoppable
def check_features_command(ctx: click.Context, day: date) -> None:
    """Prove that no feature of a day, custom features included, knows the future.

    Works on a copy. Prints each feature that breaks the point-in-time rule, and exits with 1 if
    there is one. Needs the checked `users`, `jobs` and events of the days before (written by
    `run`), no features.
    """
    from conversion_platform.features import check_point_in_time
    from conversion_platform.lake import open_session

    settings = settings_of(ctx)
    with open_session(settings, reading=True) as session:
        proof = check_point_in_time(session, day)
    click.echo(proof.render())
    if not proof.holds:
        sys.exit(FAILED)
