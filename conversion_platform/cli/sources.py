"""Commands about the sources: write a settings file, check tables and features."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conversion_platform.cli.context import FAILED, Day, settings_of
from conversion_platform.process import stoppable

if TYPE_CHECKING:
    from conversion_platform.errors import Finding
    from conversion_platform.settings import Settings


@click.command()
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_context
def init(ctx: click.Context, force: bool) -> None:
    """Write a commented settings file: `conversion_platform.toml`, or that of `--config`.

    Where users and jobs lie in their default places already, it proposes the further columns that
    can become features.
    """
    from conversion_platform.errors import SettingsError, SourceError
    from conversion_platform.marketplace import columns_to_map, proposed_attributes
    from conversion_platform.settings import CONFIG_NAME, load_settings, render_init

    path = Path(ctx.obj or CONFIG_NAME)
    if path.exists() and not force:
        raise SettingsError(f"{path} is already there.", "Add --force to overwrite it.")
    path.write_text(render_init(columns_to_map()), encoding="utf-8")
    click.echo(f"Wrote {path}. Set time_zone and start_date in it, and the path of users, jobs and")
    click.echo("events; map their columns. Then run:")
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
    """Say in one screen whether sources and settings can be used, before anything runs.

    Reads the sources and writes nothing to the lake. Then tries what a run would do with
    them: the features of the day after the newest event, custom ones included, each cohort's
    `where` on all users, each `template` on a sample of jobs, consent and numbers of a sample of
    users, the events to train on. Exits with 1 after the screen if a run would fail, with what is
    wrong and the setting that it is about; warnings do not change the exit code.
    """
    from conversion_platform.errors import PlatformError
    from conversion_platform.marketplace import checked_sources, script
    from conversion_platform.preflight import known_of_lake
    from conversion_platform.runs import day_of_rows, settings_findings, with_secrets

    settings = settings_of(ctx)
    # A run has the secrets too: the DSN of a Postgres source.
    with with_secrets(settings):
        if sql:
            known, today = known_of_lake(settings), day_of_rows(settings)
            with checked_sources(settings, known, today) as checked:
                click.echo(script(checked.report.steps), nl=False)
            return
        found = settings_findings(settings)
        try:
            found += _shown_sources(settings)
        except PlatformError:
            _show(found)
            raise
    _show(found)
    if any(not one.warning for one in found):
        sys.exit(FAILED)


def _shown_sources(settings: Settings) -> list[Finding]:
    """Show what the sources contain; return what trying a day on them found."""
    from conversion_platform.marketplace import render
    from conversion_platform.messaging import told_outcomes
    from conversion_platform.preflight import check_data, loaded_trial
    from conversion_platform.runs import day_of_rows, has_champion, reject_findings

    learns, today = not has_champion(settings), day_of_rows(settings)
    with loaded_trial(settings, None, learns, today) as (checked, trial):
        click.echo(render(checked.report, color=sys.stdout.isatty()), nl=False)
        tried = check_data(trial)
    if tried.messages:
        click.echo(f"Sending     {told_outcomes(tried.messages)}")
    click.echo()
    return [*reject_findings(checked.report), *tried.findings]


def _show(found: list[Finding]) -> None:
    """Show warnings on the screen, and errors as errors."""
    from conversion_platform.cli.render import show_error, show_warning

    for one in found:
        (show_warning if one.warning else show_error)(one.named())


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
