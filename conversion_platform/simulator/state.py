"""What a day hands to the next one. Kept below `truth/`, never below `source/`."""

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
from conversion_platform.simulator.rows import Events, read_arrays, write_table
from conversion_platform.simulator.streams import Floats, Ints
from conversion_platform.simulator.world import World

KEPT_STATES = 3


@dataclass(frozen=True)
class Applied:
    """Pairs that have applied, and the number of the day on which they decided to."""

    user: Ints
    job: Ints
    day: Ints


@dataclass(frozen=True)
class Texted:
    """Texts of the last days: to whom, and the number of the day."""

    user: Ints
    day: Ints


@dataclass(frozen=True)
class State:
    """The moving parts at the end of a day.

    Attributes:
        pending: Events that have happened or will, and are not recorded yet.
        popularity: Recent clicks by job number (they fade).
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
    """Writes the world and the measured strength of its drifts."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / "truth/world.json").write_text(world.to_json())
    measured = json.dumps([dataclasses.asdict(effect) for effect in effects], indent=1)
    (folder / "truth/drift.json").write_text(measured)


def load_world(folder: Path) -> tuple[World, tuple[Effect, ...]]:
    """The world that was built in a folder, and its measured drifts.

    Raises:
        SourceError: if none was.
    """
    file = folder / "truth/world.json"
    if not file.exists():
        raise SourceError(f"{folder} holds no simulated world.", "Build one there first.")
    effects = json.loads((folder / "truth/drift.json").read_text())
    return World.from_json(file.read_text()), tuple(Effect(**effect) for effect in effects)


def save_state(folder: Path, day: date, state: State) -> None:
    """Writes the state at the end of `day`, and forgets those of long ago."""
    import pyarrow as pa

    place = _place(folder, day)
    jobs = ("popularity", "openings_left", "closed_at")
    write_table(pa.table({name: getattr(state, name) for name in jobs}), place / "jobs.parquet")
    for name in ("pending", "applied", "texted"):
        part = getattr(state, name)
        write_table(pa.table(vars(part)), place / f"{name}.parquet")
    # Written last: a state without it was never finished.
    (place / "complete").write_text(day.isoformat())
    for old in sorted((folder / "truth/state").glob("dt=*"))[:-KEPT_STATES]:
        shutil.rmtree(old)


def load_state(folder: Path, day: date) -> State:
    """The state at the end of `day`.

    Raises:
        SourceError: if `day` has not been published, or lies too far back.
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
    """The last published day.

    Raises:
        SourceError: if there is no world in `folder`.
    """
    complete = sorted((folder / "truth/state").glob("dt=*/complete"))
    if not complete:
        raise SourceError(f"{folder} holds no simulated world.", "Build one there first.")
    return date.fromisoformat(complete[-1].read_text())


def grown(state: State, more: Ints, closings: Ints) -> State:
    """The state with newly opened jobs: their openings and natural closing times."""
    return dataclasses.replace(
        state,
        popularity=np.concatenate([state.popularity, np.zeros(len(more))]),
        openings_left=np.concatenate([state.openings_left, more]),
        closed_at=np.concatenate([state.closed_at, closings]),
    )


def _place(folder: Path, day: date) -> Path:
    return folder / f"truth/state/dt={day.isoformat()}"
