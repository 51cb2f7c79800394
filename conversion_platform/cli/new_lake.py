"""The command with which a person lets the ledger go on with a new lake."""

from __future__ import annotations

import click

from conversion_platform.cli.context import settings_of


@click.command("new-lake")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def new_lake(ctx: click.Context, yes: bool) -> None:
    """Let the ledger go on with a new, empty lake, where its own is lost for good.

    Restoring a backup keeps more. Until then every run stops with "The lake that this ledger
    belongs to is not there". The ledger keeps its messages, consents and suppressions; the weekly
    cap and the rule against repeats read the lake, and begin anew.
    """
    from conversion_platform.messaging import accept_new_lake, ledger_path, owns_lake

    settings = settings_of(ctx)
    if owns_lake(settings):
        click.echo(f"The ledger's own lake is at {settings.lake_root}: nothing has to be done.")
        return
    click.echo(
        f"The ledger {ledger_path(settings)} will belong to whatever lake the next run writes at "
        f"{settings.lake_root}. Its messages, consents and suppressions stay. The rule against "
        "repeats and the weekly cap read the lake's assignments: with an empty lake, people may "
        f"be sent more than {settings.job_of_the_day.max_texts_per_week} messages in the first "
        f"week, and the job that they were sent in the last {settings.job_of_the_day.repeat_days} "
        "days. Restore a backup of the lake instead if there is one."
    )
    if not yes:
        click.confirm("Go on with a new lake?", abort=True)
    if accept_new_lake(settings):
        click.echo("The next run begins the new lake.")
    else:
        click.echo("There is no ledger yet: nothing has to be done.")
