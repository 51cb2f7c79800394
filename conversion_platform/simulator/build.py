"""Publishes a simulated marketplace: first its history, then one day at a time.

`source/` is what a marketplace would export; `truth/` is hidden from it. A file
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
from conversion_platform.simulator import event_arrays, state
from conversion_platform.simulator.drift import Effect
from conversion_platform.simulator.engine import Day, simulate_day
from conversion_platform.simulator.event_arrays import write_table
from conversion_platform.simulator.reactions import Reply, Text, texts_of
from conversion_platform.simulator.response import Truth
from conversion_platform.simulator.snapshots import hidden_jobs, hidden_users, write_snapshots
from conversion_platform.simulator.state import Applied, State, Texted
from conversion_platform.simulator.world import World
from conversion_platform.simulator.world_on_day import rules_on, truth_until, with_new_jobs

if TYPE_CHECKING:
    import pyarrow

Progress = Callable[[date, int], None]


@dataclass(frozen=True)
class Built:
    """The output of `build`: the folder of the source tables, the days, and rows by table."""

    source: Path
    days: DayRange
    users: int
    jobs: int
    events: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Reactions:
    """The events and replies of a published day.

    Attributes:
        day: The day that was published.
        published: Events that its source file holds, of all channels.
        events: Events of channel `text` among them, with the contract's column names.
        replies: Replies to messages, in the order of the messages.
    """

    day: date
    published: int
    events: pyarrow.Table
    replies: tuple[Reply, ...]


def build(world: World, folder: Path, progress: Progress | None = None) -> Built:
    """Write a world's history below `folder`, replacing an earlier world.

    Args:
        world: What to simulate.
        folder: Folder for `source/` (users.parquet, jobs.parquet, events/dt=/) and `truth/`.
        progress: Called with each finished day and its number of published events.

    Raises:
        SettingsError: the folder has a `source/` that no simulation made.
    """
    if (folder / "source").exists() and not (folder / "truth").exists():
        raise SettingsError(
            f"{folder / 'source'} exists and was not made by a simulation: it would be replaced.",
            "Name another folder.",
        )
    for part in ("source", "truth"):
        shutil.rmtree(folder / part, ignore_errors=True)
    history = _History(folder, world)
    for day in world.days:
        count = history.publish(day)
        if progress is not None:
            progress(day, count)
    return history.finished()


def advance(folder: Path, day: date, texts: pyarrow.Table | Iterable[Text]) -> Reactions:
    """Publish one more day, with the reactions to the messages that were delivered on it.

    Publishing the last day once more, with the same texts, gives the same bytes.

    Args:
        folder: Where `build` wrote.
        day: The day after the last published one (or that one again).
        texts: Delivered messages: a table with, or tuples of, (message_id, user_id, job_id,
            delivered_at). Delayed reactions are published on later days.

    Raises:
        SourceError: no world exists, the day is not the next one, or a message names a user or
            job that does not exist.
    """
    _check_next(folder, day)
    world, effects = state.load_world(folder)
    truth = truth_until(world, effects, day)
    before = with_new_jobs(truth, state.load_state(folder, day - ONE_DAY))
    simulated = simulate_day(
        truth, before, day, rules_on(world, effects, day), texts_of(texts, truth)
    )
    _write_day(folder, day, before, simulated)
    _write_whole(folder, truth, simulated.state, day)
    ours = simulated.published.where(simulated.published.channel == event_arrays.TEXT)
    return Reactions(
        day, len(simulated.published), event_arrays.events_table(ours), simulated.replies
    )


class _History:
    """The state while a history is written: the last day's state and the measured drifts."""

    def __init__(self, folder: Path, world: World) -> None:
        self._folder, self._world = folder, world
        self._state = _empty_state()
        self._effects: tuple[Effect, ...] = ()
        self._events = 0
        state.save_world(folder, world, self._effects)

    @property
    def _truth(self) -> Truth:
        return truth_until(self._world, self._effects, self._world.days.last)

    def publish(self, day: date) -> int:
        truth = self._truth
        rules = rules_on(self._world, self._effects, day)
        before = with_new_jobs(truth, self._state)
        simulated = simulate_day(truth, before, day, rules, texts_of((), truth))
        _write_day(self._folder, day, before, simulated)
        self._state = simulated.state
        self._events += len(simulated.published)
        self._measure_drifts(day)
        return len(simulated.published)

    def _measure_drifts(self, day: date) -> None:
        """Measure the drifts that begin on the next day, or after the history."""
        from conversion_platform.simulator.drift_calibration import measure_effect

        last = day == self._world.days.last
        for drift in self._world.drifts[len(self._effects) :]:
            if drift.day == day + ONE_DAY or last:
                _write_whole(self._folder, self._truth, self._state, day)
                effect = measure_effect(self._folder, drift, day)
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
        pending=event_arrays.no_events(),
        applied=Applied(nothing, nothing, nothing),
        texted=Texted(nothing, nothing),
        popularity=np.zeros(0),
        openings_left=nothing,
        closed_at=nothing,
    )


def _write_day(folder: Path, day: date, before: State, simulated: Day) -> None:
    """Write a day's event file, and to the truth its visitors and open jobs."""
    import pyarrow as pa

    name = f"dt={day.isoformat()}"
    write_table(
        event_arrays.events_table(simulated.published),
        folder / f"source/events/{name}/events.parquet",
    )
    board = {"job": simulated.board, "popularity": simulated.popularity}
    write_table(pa.table(board), folder / f"truth/days/{name}/board.parquet")
    texts = np.bincount(before.texted.user, minlength=int(simulated.visitors.max(initial=0)) + 1)
    came = {"user": simulated.visitors, "texts": texts[simulated.visitors]}
    write_table(pa.table(came), folder / f"truth/days/{name}/visitors.parquet")


def _write_whole(folder: Path, truth: Truth, now: State, day: date) -> None:
    """Write the tables that are not by day, and the state last."""
    write_snapshots(folder, truth, now, day)
    write_table(hidden_users(truth), folder / "truth/users.parquet")
    write_table(hidden_jobs(truth), folder / "truth/jobs.parquet")
    state.save_state(folder, day, now)
