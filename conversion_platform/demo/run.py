"""Runs the demo: a simulated marketplace with history, and days of the platform in a closed loop.

The simulated people react to the platform's messages, and the next day's run reads their reactions
as source events. The last screen also reads the truth, which no other part may read.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import date
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Session, open_session
from conversion_platform.runs import JobBars, new_folder, run_days
from conversion_platform.settings import CONFIG_NAME, load_settings
from conversion_platform.simulator import World, advance, build
from conversion_platform.status import TRUTH_KEY
from conversion_platform.terminal import console

if TYPE_CHECKING:
    import pyarrow as pa

    from conversion_platform.settings import Settings
    from conversion_platform.simulator import Reply

MARKER = ".conversion-platform-demo"


def run_demo(folder: Path, days: int, world: World | None = None) -> None:
    """Build the demo below `folder` and run it; an earlier one is moved to FOLDER.before.

    Args:
        folder: Folder for settings, source tables, truth, lake and Dagster's instance.
        days: Number of days to run after the history.
        world: The marketplace; `World.demo()` if not given.

    Raises:
        SettingsError: the folder holds something that is no demo.
        PlatformError: a stage failed.
    """
    began = time.monotonic()
    world = world or World.demo()
    settings = prepare(folder.absolute())
    run_range = DayRange(world.days.last + ONE_DAY, world.days.last + days * ONE_DAY)
    console().print(f"Simulating a marketplace: {world.days} below {folder} ...")
    built = build(world, folder)
    console().print(f"{built.users:,} users, {built.jobs:,} jobs, {built.events:,} events.")
    run_and_react(settings, folder, run_range)
    with open_session(settings) as session:
        write_truth_evaluation(session, folder, run_range)
        show_end(session, folder, run_range, time.monotonic() - began)


def prepare(folder: Path) -> Settings:
    """Create an empty demo folder with its settings file.

    Raises:
        SettingsError: the folder holds something that is no demo.
    """
    new_folder(folder, MARKER, "demo")
    text = resources.files("conversion_platform.demo").joinpath(CONFIG_NAME).read_text("utf-8")
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
    return load_settings(folder / CONFIG_NAME)


def run_and_react(settings: Settings, folder: Path, days: DayRange) -> None:
    """Run each day, then simulate the reactions to that day's messages."""
    with JobBars().shown() as bars:
        for day in days:
            run_days(settings, DayRange.of(day), bars)
            reactions = advance(folder, day, delivered_texts(settings, day))
            hand_in_replies(settings, reactions.replies)


def delivered_texts(settings: Settings, day: date) -> pa.Table:
    """Return the day's delivered messages with the columns that the simulator reads."""
    from conversion_platform.messaging import SENT_MESSAGES

    with open_session(settings, reading=True) as session:
        return session.con.sql(
            f"""SELECT message_id, user_id, job_id, delivered_at
            FROM {session.lake.select(SENT_MESSAGES, DayRange.of(day))}
            WHERE delivered_at IS NOT NULL ORDER BY message_id"""
        ).to_arrow_table()


def hand_in_replies(settings: Settings, replies: tuple[Reply, ...]) -> None:
    """Give the simulated replies to the sandbox provider."""
    from conversion_platform.messaging import open_provider

    with closing(open_provider(settings)) as provider:
        phones = {text.message_id: text.phone for text in provider.outbox()}
        for reply in replies:
            provider.receive_reply(
                phones[reply.message_id], reply.body, reply.at, f"reply-{reply.message_id}"
            )


def write_truth_evaluation(session: Session, folder: Path, days: DayRange) -> None:
    """Evaluate the days' champions by the truth: on all open jobs of a metro, not only those shown.

    The days are those that the platform ran: no training used them.
    """
    from conversion_platform.demo.judging import scored_truth, truth_evaluation

    scored = scored_truth(session, folder, days)
    session.lake.write_json(TRUTH_KEY, truth_evaluation(session, scored, days))


def show_end(session: Session, folder: Path, days: DayRange, seconds: float) -> None:
    """Print the last screen."""
    from conversion_platform.demo.screen import last_screen

    console().print(last_screen(session, folder, days, seconds))
