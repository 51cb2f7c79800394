"""Commands about models and their predictions."""

from __future__ import annotations

import getpass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from conversion_platform.cli.context import Day, settings_of
from conversion_platform.process import stoppable

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings
    from conversion_platform.training import Pointer

REASON = click.option("--reason", required=True, help="Why: one sentence, for those who read it.")
BY = click.option("--by", metavar="NAME", help="Who decides; the name of this user if not given.")
FROM_DAY = click.option(
    "--day",
    type=Day(),
    help="The first day that the version scores. If not given: today; with the replay clock, the "
    "day after the newest predictions.",
)


@click.command()
@click.option("--day", type=Day(), required=True, help="The day to train for.")
@click.pass_context
@stoppable
def train(ctx: click.Context, day: date) -> None:
    """Train a candidate from what has matured by a day; champion if it is not worse.

    Does what the weekly job `train` does. First makes tables and features that are missing, as
    `run` does. Prints the version and the decision with its reason. A training for an older day
    than the champion's does not replace the champion.
    """
    from conversion_platform.runs import train_day

    trained = train_day(settings_of(ctx), day)
    decision = f"is the champion from {day} on" if trained.promoted else "is not promoted"
    click.echo(f"The candidate {trained.version} {decision}. {trained.reason}")


@click.group()
def models() -> None:
    """Show model versions, compare them, and say which one is the champion."""


@models.command("list")
@click.pass_context
def list_versions(ctx: click.Context) -> None:
    """List all versions with their roles and newest figures, newest first."""
    from conversion_platform.cli.render_models import versions_table
    from conversion_platform.terminal import console
    from conversion_platform.training import summaries

    found = summaries(_lake(settings_of(ctx)))
    if not found:
        click.echo("No model version yet. Train one: `conversion-platform train --day D`.")
        return
    console().print(versions_table(found))


@models.command()
@click.argument("version")
@click.pass_context
def show(ctx: click.Context, version: str) -> None:
    """Show a version: data, figures, roles with reasons, code and files it comes from.

    Checks the digest of each of its files, and names the damaged ones.
    """
    from conversion_platform.cli.render import show_error
    from conversion_platform.cli.render_models import version_screen
    from conversion_platform.terminal import console
    from conversion_platform.training import (
        damaged_files,
        importance,
        load_card,
        newest_evaluation,
        promotions,
        provenance,
        roles_of,
    )

    lake = _lake(settings_of(ctx))
    card, errors = load_card(lake, version), damaged_files(lake, version)
    for error in errors:
        show_error(error)
    if errors:
        ctx.exit(1)
    pointers = [one for one in promotions(lake) if one.version == version]
    screen = version_screen(
        card,
        roles_of(lake).get(version, []),
        pointers,
        newest_evaluation(lake, version),
        provenance(lake, version),
        importance(lake, version)[:10],
    )
    console().print(screen)


@models.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.pass_context
def compare(ctx: click.Context, first: str, second: str) -> None:
    """Show two versions side by side: figures, settings, features, largest inputs.

    Figures are those on the same test rows where both versions were judged on such; else it says
    that the rows differ.
    """
    from conversion_platform.cli.render_models import comparison_screen
    from conversion_platform.terminal import console
    from conversion_platform.training import compare as compared

    console().print(comparison_screen(compared(_lake(settings_of(ctx)), first, second)))


@models.command()
@click.argument("version")
@REASON
@BY
@FROM_DAY
@click.pass_context
def promote(
    ctx: click.Context, version: str, reason: str, by: str | None, day: date | None
) -> None:
    """Make a version the champion from a day on, whatever its figures are.

    The promotion is kept with reason and name, and comes into the event log with the next run.
    """
    from conversion_platform.training import promote as appoint

    settings = settings_of(ctx)
    lake = _lake(settings)
    chosen = day or _next_day(settings, lake)
    _say(appoint(lake, version, chosen, reason, by or getpass.getuser()))


@models.command()
@REASON
@BY
@FROM_DAY
@click.pass_context
def rollback(ctx: click.Context, reason: str, by: str | None, day: date | None) -> None:
    """Make the champion before the present one the champion again, from a day on.

    A second rollback goes back to the version that the first one left.
    """
    from conversion_platform.training import rollback as go_back

    settings = settings_of(ctx)
    lake = _lake(settings)
    _say(go_back(lake, day or _next_day(settings, lake), reason, by or getpass.getuser()))


@models.command("export-mlflow")
@click.option("--uri", required=True, help="Tracking server or database: `sqlite:///mlflow.db`.")
@click.option(
    "--experiment",
    default="conversion-platform",
    show_default=True,
    help="The experiment that holds a run for each version.",
)
@click.pass_context
@stoppable
def export_mlflow(ctx: click.Context, uri: str, experiment: str) -> None:
    """Copy versions, evaluations and roles to MLflow (extra `mlflow`).

    A run for each version: settings, figures (a step for each evaluation), roles, files. Repeated,
    it adds what is new.
    """
    from conversion_platform.training import export_to_mlflow

    found = export_to_mlflow(_lake(settings_of(ctx)), uri, experiment)
    click.echo(
        f"{found.new} new versions, {found.evaluations} new evaluations; {found.known} versions "
        f"were in the experiment {experiment} already."
    )


@click.command()
@click.argument("prediction", metavar="USER/JOB/DAY")
@click.pass_context
@stoppable
def explain(ctx: click.Context, prediction: str) -> None:
    """Explain a prediction: its inputs, score, probability, version, and the largest reasons.

    Computes it again from the lake, with the version that made it, and says whether the result is
    equal to the bit, or what differs: features that were built again since, say. Exits with 1 if
    it differs.
    """
    from conversion_platform.cli.render_models import explained_screen
    from conversion_platform.inference import explain_prediction, find_prediction
    from conversion_platform.lake import open_session
    from conversion_platform.terminal import console

    pair, _, day = prediction.rpartition("/")
    if "/" not in pair:
        raise click.BadParameter(f"{prediction!r} is not USER/JOB/DAY, such as u17/j4/2026-11-23.")
    with open_session(settings_of(ctx), reading=True) as session:
        stored = find_prediction(session, pair, Day().convert(day, None, ctx))
        found = explain_prediction(session, stored)
    console().print(explained_screen(found))
    if found.differences:
        ctx.exit(1)


def _lake(settings: Settings) -> Lake:
    """Return the lake; one of another format is refused."""
    from conversion_platform.lake import open_lake, require_format

    lake = open_lake(settings)
    require_format(lake.storage)
    return lake


def _next_day(settings: Settings, lake: Lake) -> date:
    """Return the first day that a decision of now can count for."""
    from conversion_platform.days import ONE_DAY, day_of
    from conversion_platform.inference import DAILY_PREDICTIONS

    if settings.platform.clock == "wall":
        return day_of(datetime.now(UTC), settings.platform.time_zone)
    days = lake.days(DAILY_PREDICTIONS)
    return days[-1] + ONE_DAY if days else settings.platform.start_date


def _say(pointer: Pointer) -> None:
    after = f", after {pointer.previous}" if pointer.previous else ""
    click.echo(f"{pointer.version} is the champion from {pointer.day} on{after}.")
