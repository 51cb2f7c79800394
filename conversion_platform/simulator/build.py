"""Publishing a simulated marketplace: its history at once, then one day at a time.

`source/` is what a marketplace would export; `truth/` is what nobody in it knows. A file
`source/events/dt=D/events.parquet` holds what was *recorded* on day D, so an event that is
recorded late is in the file of a later day than the one on which it occurred, and no file
changes once it is published.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import SettingsError, SourceError
from conversion_platform.simulator import rows, state
from conversion_platform.simulator.drift import Effect
from conversion_platform.simulator.engine import Day, live
from conversion_platform.simulator.reactions import Reply, Text, texts_of
from conversion_platform.simulator.response import Truth
from conversion_platform.simulator.rows import write_table
from conversion_platform.simulator.snapshots import hidden_jobs, hidden_users, write_snapshots
from conversion_platform.simulator.state import Applied, State, Texted
from conversion_platform.simulator.universe import rules_on, universe, with_new_jobs
from conversion_platform.simulator.world import World

if TYPE_CHECKING:
    import pyarrow

Progress = Callable[[date, int], None]


@dataclass(frozen=True)
class Built:
    """What `build` wrote: the folder of the source tables, the days, and rows by table."""

    source: Path
    days: DayRange
    users: int
    jobs: int
    events: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Reactions:
    """What a day brought.

    Attributes:
        day: The day that was published.
        published: Events that its source file holds, of all channels.
        events: Those of channel `text` among them, under the contract's column names.
        replies: Texts that people sent back, in order of the messages they answer.
    """

    day: date
    published: int
    events: pyarrow.Table
    replies: tuple[Reply, ...]


def build(world: World, folder: Path, progress: Progress | None = None) -> Built:
    """Writes a world's history below `folder`, in place of whatever world was there.

    Args:
        world: What to simulate.
        folder: Gets `source/` (users.parquet, jobs.parquet, events/dt=/) and `truth/`.
        progress: Told each finished day and the number of events it published.

    Raises:
        SettingsError: the folder has a `source/` that no simulation made.
    """
    if (folder / "source").exists() and not (folder / "truth").exists():
        raise SettingsError(
            f"{folder / 'source'} is there, and no simulation made it: it would be replaced.",
            "Name another folder.",
        )
    for part in ("source", "truth"):
        shutil.rmtree(folder / part, ignore_errors=True)
    history = _History(folder, world)
    for day in world.days:
        count = history.live_through(day)
        if progress is not None:
            progress(day, count)
    return history.finished()


def advance(folder: Path, day: date, texts: pyarrow.Table | Iterable[Text]) -> Reactions:
    """Publishes one more day, with the reactions to the texts that were delivered on it.

    Publishing the last day once more, with the same texts, gives the same bytes.

    Args:
        folder: Where `build` wrote.
        day: The day after the last published one (or that one again).
        texts: Delivered texts: a table with, or tuples of, (message_id, user_id, job_id,
            delivered_at). Delayed reactions are published on later days.

    Raises:
        SourceError: there is no world, the day is not the next one, or a text names a user or
            job that does not exist.
    """
    _check_next(folder, day)
    world, effects = state.load_world(folder)
    truth = universe(world, effects, day)
    before = with_new_jobs(truth, state.load_state(folder, day - ONE_DAY))
    lived = live(truth, before, day, rules_on(world, effects, day), texts_of(texts, truth))
    _write_day(folder, day, before, lived)
    _write_whole(folder, truth, lived.state, day)
    ours = lived.published.where(lived.published.channel == rows.TEXT)
    return Reactions(day, len(lived.published), rows.events_table(ours), lived.replies)


class _History:
    """The run of a history: what moves from day to day, and the drifts measured so far."""

    def __init__(self, folder: Path, world: World) -> None:
        self._folder, self._world = folder, world
        self._state = _empty_state()
        self._effects: tuple[Effect, ...] = ()
        self._events = 0
        state.save_world(folder, world, self._effects)

    @property
    def _truth(self) -> Truth:
        return universe(self._world, self._effects, self._world.days.last)

    def live_through(self, day: date) -> int:
        truth = self._truth
        rules = rules_on(self._world, self._effects, day)
        before = with_new_jobs(truth, self._state)
        lived = live(truth, before, day, rules, texts_of((), truth))
        _write_day(self._folder, day, before, lived)
        self._state = lived.state
        self._events += len(lived.published)
        self._measure_drifts(day)
        return len(lived.published)

    def _measure_drifts(self, day: date) -> None:
        """Measures the drifts that begin tomorrow, or lie beyond the history."""
        from conversion_platform.simulator.calibration import measured

        last = day == self._world.days.last
        for drift in self._world.drifts[len(self._effects) :]:
            if drift.day == day + ONE_DAY or last:
                _write_whole(self._folder, self._truth, self._state, day)
                effect = measured(self._folder, drift, day)
                self._effects = (*self._effects, effect)
                state.save_world(self._folder, self._world, self._effects)

    def finished(self) -> Built:
        world, truth = self._world, self._truth
        _write_whole(self._folder, truth, self._state, world.days.last)
        return Built(
            source=self._folder / "source",
            days=world.days,
            users=len(truth.users),
            jobs=len(truth.jobs),
            events=self._events,
            effects=self._effects,
        )


def _check_next(folder: Path, day: date) -> None:
    last = state.last_day(folder)
    if day not in (last, last + ONE_DAY):
        raise SourceError(
            f"The simulated world in {folder} is published up to {last}; {day} is not next.",
            f"Advance {last + ONE_DAY} next: days are published in order.",
        )


def _empty_state() -> State:
    nothing = np.zeros(0, np.int64)
    return State(
        pending=rows.no_events(),
        applied=Applied(nothing, nothing, nothing),
        texted=Texted(nothing, nothing),
        popularity=np.zeros(0),
        openings_left=nothing,
        closed_at=nothing,
    )


def _write_day(folder: Path, day: date, before: State, lived: Day) -> None:
    """Writes a day's event file, and beside the truth who came and what was on the board."""
    import pyarrow as pa

    name = f"dt={day.isoformat()}"
    write_table(rows.events_table(lived.published), folder / f"source/events/{name}/events.parquet")
    board = {"job": lived.board, "popularity": lived.popularity}
    write_table(pa.table(board), folder / f"truth/days/{name}/board.parquet")
    texts = np.bincount(before.texted.user, minlength=int(lived.visitors.max(initial=0)) + 1)
    came = {"user": lived.visitors, "texts": texts[lived.visitors]}
    write_table(pa.table(came), folder / f"truth/days/{name}/visitors.parquet")


def _write_whole(folder: Path, truth: Truth, now: State, day: date) -> None:
    """Writes the tables that are not by day, and last of all the state."""
    write_snapshots(folder, truth, now, day)
    write_table(hidden_users(truth), folder / "truth/users.parquet")
    write_table(hidden_jobs(truth), folder / "truth/jobs.parquet")
    state.save_state(folder, day, now)
