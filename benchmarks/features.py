"""Our features beside a careful pandas implementation of the same features.

Both sides read the same lake (100,000 users, 5,000 jobs, and 20 million events in a day and the 92
days that its features look back to) and do what a daily run does: user, job and user x category
features of the last day; the same joined to every impression of that day; all written as Parquet.
Ours have more: residual effects, brought forward from those of the day before, which a daily run
finds in the lake and this benchmark makes beforehand. `effects_seconds` is what they take of ours.
Each runs in a process of its own on the same cores. The seconds are those of the work, from the
first read to the last write: starting Python and importing either library, which a daily run does
once for all its steps, is in `*_with_start` only.
`max_abs_difference` is over all values; a value that only one side has makes it infinite.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conversion_platform.lake import Session

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._feature_world import FIRST_DAY, Size, make_world  # noqa: E402
from benchmarks.harness import Bound, Measured, conduct, run_child  # noqa: E402
from conversion_platform.days import DayRange  # noqa: E402
from conversion_platform.features.effects import RESPONSE_EFFECTS, build_effects  # noqa: E402
from conversion_platform.lake import Lake, LocalStorage  # noqa: E402
from conversion_platform.settings import Settings  # noqa: E402

FULL = Size(users=100_000, jobs=5_000, events=20_000_000, days=93)
# As many events a day and user, as many days.
QUICK = Size(users=50_000, jobs=2_500, events=10_000_000, days=93)
DAYS = 1
KEYS = {
    "user_features": ["user_id"],
    "job_features": ["job_id"],
    "user_category_features": ["user_id", "category"],
    "pair_features": [],
}


def main() -> None:
    """Run both sides, or print the run that is kept."""
    conduct("features", __doc__ or "", measured, bounds)


def bounds(_: Mapping[str, Any], quick: bool) -> list[Bound]:
    """Return what is asked of the full size; pandas loses less at half the size."""
    return [
        Bound("speedup_vs_pandas", least=7 if quick else 10),
        Bound("memory_vs_pandas", most=0.25),
        Bound("effects_over_the_rest", most=0.5 if quick else 0.4),
        Bound("max_abs_difference", most=1e-6),
    ]


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures of both sides."""
    size = QUICK if quick else FULL
    world = make_world(size)
    days = _days(size.days, DAYS)
    _make_effects(world, days.first - timedelta(days=1))
    with TemporaryDirectory() as scratch:
        ours = run_side("ours", world, scratch, size, DAYS)
        pandas = run_side("pandas", world, scratch, size, DAYS)
        difference, compared = _largest_difference(Path(scratch), days)
        effects = run_side("effects", world, scratch, size, DAYS).answer["seconds"]
    seconds, pandas_seconds = ours.answer["seconds"], pandas.answer["seconds"]
    return {
        "speedup_vs_pandas": pandas_seconds / seconds,
        "memory_vs_pandas": ours.peak_gib / pandas.peak_gib,
        "effects_over_the_rest": effects / (seconds - effects),
        "effects_seconds": effects,
        "max_abs_difference": difference,
        "values_compared": compared,
        "seconds": seconds,
        "pandas_seconds": pandas_seconds,
        "speedup_with_start": pandas.seconds / ours.seconds,
        "seconds_with_start": ours.seconds,
        "pandas_seconds_with_start": pandas.seconds,
        "peak_gib": ours.peak_gib,
        "pandas_peak_gib": pandas.peak_gib,
        "users": size.users,
        "jobs": size.jobs,
        "events": size.events,
        "days_built": DAYS,
    }


def run_side(side: str, world: Path, scratch: str, size: Size, days: int) -> Measured:
    """One side builds the last `days` days in a process of its own, below `scratch`/`side`."""
    out = f"{scratch}/{side}"
    return run_child(Path(__file__), side, str(world), out, str(size.days), str(days))


def _days(size_days: int, wanted: int) -> DayRange:
    """The last `wanted` days of a world of `size_days`."""
    last = FIRST_DAY + timedelta(days=size_days - 1)
    return DayRange(last - timedelta(days=wanted - 1), last)


def run_ours(world: Path, out: Path, days: DayRange) -> float:
    """`build_features` into a lake at `out`, then `pair_query` over each day's impressions.

    Returns:
        Seconds.
    """
    import duckdb  # noqa: F401

    from conversion_platform.features import build_features, feature_spec, pair_query
    from conversion_platform.marketplace.tables import EVENTS

    settings, lake = Settings(), _lake_of(world, out)
    (out / "pair_features").mkdir()
    start = time.perf_counter()
    with lake.connect() as con:
        build_features(Session(settings, lake, con), days)
        spec = feature_spec(Session(settings, lake, con))
        for day in days:
            one = DayRange.of(day)
            pairs = (
                f"(SELECT user_id, job_id, dt FROM {lake.select(EVENTS, one)} "
                "WHERE event_type = 'impression')"
            )
            query = pair_query(Session(settings, lake, con), spec, pairs, one)
            lake.copy_out(con, query, out / "pair_features" / f"{day.isoformat()}.parquet")
    return time.perf_counter() - start


def run_effects(world: Path, out: Path, days: DayRange) -> float:
    """The effects alone, with what is there of the day before.

    Returns:
        Seconds.
    """
    import duckdb  # noqa: F401

    settings, lake = Settings(), _lake_of(world, out)
    start = time.perf_counter()
    with lake.connect() as con:
        build_effects(Session(settings, lake, con), days)
    return time.perf_counter() - start


def _lake_of(world: Path, out: Path) -> Lake:
    """Return a lake at `out` with the tables of `world`; what is built does not go there."""
    out.mkdir()
    for table in world.iterdir():
        if table.name != RESPONSE_EFFECTS.name:
            (out / table.name).symlink_to(table)
    shutil.copytree(world / RESPONSE_EFFECTS.name, out / RESPONSE_EFFECTS.name)
    settings = Settings()
    return Lake(LocalStorage(out), settings.platform.threads, settings.platform.memory_limit)


def _make_effects(world: Path, day: date) -> None:
    """Build the effects of `day` in the world, from all events, where they are not there yet."""
    lake, settings = Lake(LocalStorage(world)), Settings()
    if day not in lake.days(RESPONSE_EFFECTS):
        with lake.connect() as con:
            build_effects(Session(settings, lake, con), DayRange.of(day))


def run_pandas(world: Path, out: Path, days: DayRange) -> float:
    """The same in pandas.

    Returns:
        Seconds.
    """
    import pyarrow.parquet  # noqa: F401

    from benchmarks._feature_pandas import PandasFeatures

    start = time.perf_counter()
    PandasFeatures(Lake(LocalStorage(world)), Settings(), days, out).run()
    return time.perf_counter() - start


def _largest_difference(folder: Path, days: DayRange) -> tuple[float, int]:
    largest, compared = 0.0, 0
    for table in KEYS:
        for day in days:
            ours = _file(folder / "ours" / table, day)
            theirs = _file(folder / "pandas" / table, day)
            found, cells = _difference(ours, theirs, KEYS[table])
            largest, compared = max(largest, found), compared + cells
    return largest, compared


def _file(folder: Path, day: date) -> Path:
    in_lake = folder / f"dt={day.isoformat()}" / "data.parquet"
    return in_lake if in_lake.exists() else folder / f"{day.isoformat()}.parquet"


def _difference(ours: Path, theirs: Path, keys: list[str]) -> tuple[float, int]:
    """Largest difference in any cell; a row, a text or a NULL on one side only is infinite.

    Pairs have no key (a job can be shown twice in a day), so both sides are put in order.
    """
    import numpy as np
    import pyarrow.parquet as pq

    left, right = (pq.read_table(f, partitioning=None).to_pandas() for f in (ours, theirs))
    names = [name for name in left.columns if name in set(right.columns)]
    missing = set(right.columns) - set(names)
    order = keys or ["user_id", "job_id"]
    left, right = (f.sort_values(order, ignore_index=True)[names] for f in (left, right))
    if missing or left.shape != right.shape:
        return float("inf"), 0
    largest = 0.0
    for name in names:
        a, b = left[name], right[name]
        if a.dtype.kind in "fib":
            x, y = a.to_numpy("float64"), b.to_numpy("float64")
            if not np.array_equal(np.isnan(x), np.isnan(y)):
                return float("inf"), 0
            largest = max(largest, float(np.nanmax(np.abs(x - y), initial=0.0)))
        elif not a.equals(b):
            return float("inf"), 0
    return largest, left.size


SIDES = {"ours": run_ours, "effects": run_effects, "pandas": run_pandas}

if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] in SIDES:
        side, world, out = SIDES[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
        print(json.dumps({"seconds": side(world, out, _days(int(sys.argv[4]), int(sys.argv[5])))}))
    else:
        main()
