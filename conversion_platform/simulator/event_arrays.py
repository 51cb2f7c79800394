"""Events as arrays, and their conversion to the Parquet file of a day."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conversion_platform.simulator.randomness import Flags, Ints

if TYPE_CHECKING:
    import pyarrow

IMPRESSION, CLICK, APPLICATION, HIRE, NO_SHOW = range(5)
TYPES = ("impression", "click", "application", "hire", "no_show")
RECRUITER, TEXT = range(2)
CHANNELS = ("recruiter", "text")
NO_POSITION = -1
SECOND = 1_000_000
HOUR = 3600 * SECOND


@dataclass(frozen=True)
class Events:
    """Events as parallel arrays. Times are microseconds since 1970 (UTC)."""

    number: Ints
    user: Ints
    job: Ints
    type: Ints
    occurred: Ints
    recorded: Ints
    position: Ints
    channel: Ints

    def __len__(self) -> int:
        return len(self.number)

    def where(self, chosen: Flags | Ints) -> Events:
        """Return the events that a mask or an index chooses."""
        return Events(**{name: getattr(self, name)[chosen] for name in NAMES})


NAMES = tuple(field.name for field in dataclasses.fields(Events))


def no_events() -> Events:
    """Return an empty set of events."""
    return Events(**{name: np.zeros(0, np.int64) for name in NAMES})


def concatenate_events(parts: list[Events]) -> Events:
    """Return the events of all parts, in order."""
    return Events(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in NAMES}
    )


def new_events(
    user: Ints, job: Ints, kind: int, occurred: Ints, position: Ints | int, channel: int
) -> Events:
    """Return events of one kind, recorded as they occur; they are numbered when published."""
    count = len(user)
    return Events(
        number=np.zeros(count, np.int64),
        user=user.astype(np.int64),
        job=job.astype(np.int64),
        type=np.full(count, kind),
        occurred=occurred.astype(np.int64),
        recorded=occurred.astype(np.int64),
        position=np.broadcast_to(np.asarray(position, np.int64), (count,)),
        channel=np.full(count, channel),
    )


def sorted_by_record(events: Events) -> Events:
    """Sort events in the order of their recording."""
    return events.where(np.lexsort((events.number, events.recorded)))


def labels(numbers: Any, letter: str, width: int) -> pyarrow.Array:
    """Return ids such as `u0000012` for an array of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return pc.binary_join_element_wise(letter, digits, "")


def user_ids(numbers: Any) -> pyarrow.Array:
    """Return the ids of users by number."""
    return labels(numbers, "u", 7)


def job_ids(numbers: Any) -> pyarrow.Array:
    """Return the ids of jobs by number."""
    return labels(numbers, "j", 6)


def timestamps(micros: Any, known: Flags | None = None) -> pyarrow.Array:
    """Return UTC timestamps of microseconds since 1970; NULL where not `known`."""
    import pyarrow as pa

    mask = None if known is None else ~known
    return pa.array(micros, pa.int64(), mask=mask).cast(pa.timestamp("us", tz="UTC"))


def name_array(choices: Any, names: tuple[str, ...]) -> pyarrow.Array:
    """Return the names of an array of choices."""
    import pyarrow as pa

    return pa.array(names).take(pa.array(choices))


def events_table(events: Events) -> pyarrow.Table:
    """Return the events with the contract's column names."""
    import pyarrow as pa

    return pa.table(
        {
            "event_id": labels(events.number, "e", 12),
            "user_id": user_ids(events.user),
            "job_id": job_ids(events.job),
            "event_type": name_array(events.type, TYPES),
            "occurred_at": timestamps(events.occurred),
            "recorded_at": timestamps(events.recorded),
            "position": pa.array(events.position, pa.int32(), mask=events.position == NO_POSITION),
            "channel": name_array(events.channel, CHANNELS),
        }
    )


def write_table(table: pyarrow.Table, path: Path) -> None:
    """Write Parquet to a temporary file and rename it: a reader sees the old or the new one."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    pq.write_table(table, aside, compression="zstd", version="2.6", row_group_size=1 << 20)
    aside.replace(path)


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the columns of a Parquet file as numpy arrays."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    return {name: table[name].to_numpy() for name in table.column_names}
