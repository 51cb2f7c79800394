"""Commands that run the chain on a simulated marketplace or on public data."""

from __future__ import annotations

from pathlib import Path

import click

from conversion_platform.process import stoppable


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the demo lives. An earlier demo is moved to FOLDER.before; a folder that holds "
    "anything else is refused.",
)
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 60),
    metavar="N",
    help="Days to run.",
)
@stoppable
def demo(folder: Path, days: int) -> None:
    """Run the whole chain on a simulated marketplace.

    Simulates 90 days of history, runs the days after it while the simulated people react to the
    messages, and measures the ranking against the truth.
    """
    from conversion_platform.demo import run_demo

    run_demo(folder, days)


@click.group()
def example() -> None:
    """Run the whole chain on public data."""


@example.command("complete-journey")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("complete-journey"),
    show_default=True,
    metavar="FOLDER",
    help="Where the example lives. An earlier one is moved to FOLDER.before.",
)
@stoppable
def complete_journey(folder: Path) -> None:
    """Run on a grocer's coupon campaigns (extra `complete-journey`)."""
    from conversion_platform.examples.complete_journey import run_example

    run_example(folder)


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="FOLDER",
    help="Receives `source/` and `truth/`, replacing those of an earlier simulation. A `source/` "
    "that no simulation made is refused.",
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "demo", "large"]),
    default="demo",
    show_default=True,
    help="`tiny` (400 users, 25 days), `demo` (5,000 users, 90 days) or `large` (100,000 users, "
    "180 days).",
)
@click.option("--seed", type=int, metavar="N", help="Another world of that size.")
@click.option(
    "--table",
    is_flag=True,
    help="Print the world's difficulty: MAP of chance, popularity, recruiters, a quick model and "
    "the oracle.",
)
@stoppable
def simulate(folder: Path, size: str, seed: int | None, table: bool) -> None:
    """Write the source tables of a simulated marketplace, and its truth; run nothing."""
    from conversion_platform.simulator import World, build, ranking_table

    world = getattr(World, size)(**({} if seed is None else {"seed": seed}))
    built = build(world, folder)
    click.echo(
        f"{built.users:,} users, {built.jobs:,} jobs and {built.events:,} events on "
        f"{built.days} below {built.source}."
    )
    if table:
        click.echo(ranking_table(folder).render())
