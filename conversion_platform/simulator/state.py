"""The state at the end of a day. Stored below `truth/`, never below `source/`."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from conversion_platform.errors import SourceError
from conversion_platform.simulator.drift import Effect
from conversion_platform.simulator.event_arrays import Events, read_arrays, write_table
from conversion_platform.simulator.randomness import Floats, Ints
from conversion_platform.simulator.world import World

KEPT_STATES = 3


@dataclass(frozen=True)
class Applied:
    """Pairs that have applied, and the number of the day of the decision."""

    user: Ints
    job: Ints
    day: Ints


@dataclass(frozen=True)
class Texted:
    """Messages of the last days: user and number of the day."""

    user: Ints
    day: Ints


@dataclass(frozen=True)
class State:
    """The state at the end of a day.

    Attributes:
        pending: Events that are not recorded yet; some have not occurred yet.
        popularity: Recent clicks by job number, with exponential decay.
        openings_left: By job number.
        closed_at: By job number: when it closes, as far as is known (microseconds).
    """

    pending: Events
    applied: Applied
    texted: Texted
    popularity: Floats
    openings_left: Ints
    closed_at: Ints


def save_world(folder: Path, world: World, effects: tuple[Effect, ...]) -> None:
    """Write the world and the measured strength of its drifts."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / "truth/world.json").write_text(world.to_json())
    measured = json.dumps([dataclasses.asdict(effect) for effect in effects], indent=1)
    (folder / "truth/drift.json").write_text(measured)


def load_world(folder: Path) -> tuple[World, tuple[Effect, ...]]:
    """Return the world that was built in a folder, and its measured drifts.

    Raises:
        SourceError: no world was built there.
    """
    file = folder / "truth/world.json"
    if not file.exists():
        raise SourceError(f"{folder} contains no simulated world.", "Build one there first.")
    effects = json.loads((folder / "truth/drift.json").read_text())
    return World.from_json(file.read_text()), tuple(Effect(**effect) for effect in effects)


def save_state(folder: Path, day: date, state: State) -> None:
    """Write the state at the end of `day`, and remove old ones."""
    import pyarrow as pa

    place = _place(folder, day)
    jobs = ("popularity", "openings_left", "closed_at")
    write_table(pa.table({name: getattr(state, name) for name in jobs}), place / "jobs.parquet")
    for name in ("pending", "applied", "texted"):
        part = getattr(state, name)
        write_table(pa.table(vars(part)), place / f"{name}.parquet")
    # Written last: without it the state is incomplete.
    (place / "complete").write_text(day.isoformat())
    for old in sorted((folder / "truth/state").glob("dt=*"))[:-KEPT_STATES]:
        shutil.rmtree(old)


def load_state(folder: Path, day: date) -> State:
    """Return the state at the end of `day`.

    Raises:
        SourceError: `day` has not been published, or its state has been removed.
    """
    place = _place(folder, day)
    if not (place / "complete").exists():
        raise SourceError(
            f"The simulated world in {folder} has no state of {day}.",
            f"Days are published in order; ask for one of the last {KEPT_STATES} days or the next.",
        )
    return State(
        pending=Events(**read_arrays(place / "pending.parquet")),
        applied=Applied(**read_arrays(place / "applied.parquet")),
        texted=Texted(**read_arrays(place / "texted.parquet")),
        **read_arrays(place / "jobs.parquet"),
    )


def last_day(folder: Path) -> date:
    """Return the last published day.

    Raises:
        SourceError: `folder` contains no world.
    """
    complete = sorted((folder / "truth/state").glob("dt=*/complete"))
    if not complete:
        raise SourceError(f"{folder} contains no simulated world.", "Build one there first.")
    return date.fromisoformat(complete[-1].read_text())


def with_jobs(state: State, more: Ints, closings: Ints) -> State:
    """Return the state with newly opened jobs: their openings and natural closing times."""
    return dataclasses.replace(
        state,
        popularity=np.concatenate([state.popularity, np.zeros(len(more))]),
        openings_left=np.concatenate([state.openings_left, more]),
        closed_at=np.concatenate([state.closed_at, closings]),
    )


def _place(folder: Path, day: date) -> Path:
    return folder / f"truth/state/dt={day.isoformat()}"
