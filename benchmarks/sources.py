"""Our checked load of events beside what DuckDB alone takes to copy the same files to Parquet.

The world has 100,000 users, 5,000 jobs and 20 million events of 60 days, once as CSV and once as
Parquet, in 20 files each. Our side does what the first run does: it casts and checks each value,
looks up users and jobs, finds duplicates, and writes a sorted partition for each day and one of
its rejected rows. DuckDB's side is one `COPY` of `read_csv` (whose types it detects) or of
`read_parquet` with its default options. Each runs in a process of its own with the same threads,
three times in turn; the seconds are those of the work of its fastest run, without the start of
Python.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402

from benchmarks.harness import Bound, Measured, conduct, run_child, world_folder  # noqa: E402
from conversion_platform.days import DayRange  # noqa: E402
from conversion_platform.lake import open_session  # noqa: E402
from conversion_platform.marketplace import (  # noqa: E402
    capture_both,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.settings import CONFIG_NAME, load_settings  # noqa: E402

FIRST_DAY = date(2026, 1, 1)
THREADS = 2
ROUNDS = 3


@dataclass(frozen=True)
class Size:
    """How much there is to load."""

    events: int
    users: int
    jobs: int
    days: int
    files: int

    @property
    def name(self) -> str:
        return f"sources-{self.events}"


FULL = Size(events=20_000_000, users=100_000, jobs=5_000, days=60, files=20)
QUICK = Size(events=1_000_000, users=20_000, jobs=2_000, days=30, files=4)


def main() -> None:
    """Run both sides of both formats, or print the run that is kept."""
    conduct("sources", __doc__ or "", measured, bounds)


def bounds(_: Mapping[str, Any], quick: bool) -> list[Bound]:
    """Return what is asked; what a load costs beside its rows weighs more at the small size."""
    most = 4.5 if quick else 3
    return [
        Bound("csv_vs_duckdb", most=most),
        Bound("parquet_vs_duckdb", most=most),
        Bound("peak_gib", most=4),
    ]


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures of both formats."""
    size = QUICK if quick else FULL
    world = world_folder(size.name, Path(__file__))
    make_world(world, size)
    csv, parquet = (run_sides(kind, world, size) for kind in ("csv", "parquet"))
    return {
        "csv_vs_duckdb": _ratio(csv),
        "parquet_vs_duckdb": _ratio(parquet),
        "rows_per_s_csv": size.events / csv["ours"].answer["seconds"],
        "rows_per_s_parquet": size.events / parquet["ours"].answer["seconds"],
        "peak_gib": max(csv["ours"].peak_gib, parquet["ours"].peak_gib),
        "csv_seconds": csv["ours"].answer["seconds"],
        "csv_duckdb_seconds": csv["duckdb"].answer["seconds"],
        "parquet_seconds": parquet["ours"].answer["seconds"],
        "parquet_duckdb_seconds": parquet["duckdb"].answer["seconds"],
        "duckdb_peak_gib": max(csv["duckdb"].peak_gib, parquet["duckdb"].peak_gib),
        "accepted": csv["ours"].answer["accepted"],
        "rejected": csv["ours"].answer["rejected"],
        "events": size.events,
    }


def _ratio(sides: Mapping[str, Measured]) -> float:
    return float(sides["ours"].answer["seconds"] / sides["duckdb"].answer["seconds"])


def run_sides(kind: str, world: Path, size: Size) -> dict[str, Measured]:
    """Both sides load the files of one kind in turn; the fastest run of each counts."""
    rounds = [
        {side: run_side(side, kind, world, size) for side in ("ours", "duckdb")}
        for _ in range(ROUNDS)
    ]
    return {
        side: min((one[side] for one in rounds), key=lambda run: float(run.answer["seconds"]))
        for side in ("ours", "duckdb")
    }


def run_side(side: str, kind: str, world: Path, size: Size) -> Measured:
    """One side loads the files of one kind in a process of its own."""
    with TemporaryDirectory(dir=world) as scratch:
        return run_child(Path(__file__), side, kind, str(world), scratch, str(size.days))


def make_world(folder: Path, size: Size) -> None:
    """Write the sources once; a finished world is used again."""
    done = folder / "done"
    if done.exists():
        return
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        _write(con, _users(size), folder / "users.parquet")
        _write(con, _jobs(size), folder / "jobs.parquet")
        for kind in ("csv", "parquet"):
            for number in range(size.files):
                rows = _events(size, number) if kind == "csv" else _typed(_events(size, number))
                _write(con, rows, folder / kind / f"part-{number:03d}.{kind}")
    done.touch()


def _write(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    form = "FORMAT csv, HEADER" if target.suffix == ".csv" else "FORMAT parquet"
    con.execute(f"COPY ({query}) TO '{target}' ({form})")


def _users(size: Size) -> str:
    return (
        "SELECT 'u' || i AS user_id, '2025-12-01T00:00:00Z' AS created_at "
        f"FROM range({size.users}) t(i)"
    )


def _jobs(size: Size) -> str:
    return (
        "SELECT 'j' || i AS job_id, '2025-12-01T00:00:00Z' AS opened_at "
        f"FROM range({size.jobs}) t(i)"
    )


def _events(size: Size, number: int) -> str:
    """Return SQL of one file: a share of the days' events.

    One in 10,000 is of an unknown user, and one in 5,000 repeats the id of the row before.
    """
    rows = size.events // size.files
    seconds = size.days * 86_400
    return f"""
        WITH drawn AS (
            SELECT {number * rows} + i AS n, hash({number * rows} + i) AS h FROM range({rows}) t(i)
        ), timed AS (
            SELECT *, TIMESTAMPTZ '{FIRST_DAY} 05:00:00+00'
                + to_seconds(({number * rows} + (n - {number * rows})) * {seconds} // {size.events})
                AS moment FROM drawn
        )
        SELECT printf('e%09d', n - if(n % 5000 = 11, 1, 0)) AS event_id,
            if(n % 10000 = 7, 'nobody', 'u' || (h % {size.users})) AS user_id,
            'j' || ((h // 1000003) % {size.jobs}) AS job_id,
            CASE WHEN h % 50 = 0 THEN 'application' WHEN h % 10 = 0 THEN 'click'
                ELSE 'impression' END AS event_type,
            strftime(moment, '%Y-%m-%dT%H:%M:%SZ') AS occurred_at,
            strftime(moment + to_seconds(h % 60), '%Y-%m-%dT%H:%M:%SZ') AS recorded_at,
            (h // 7) % 10 AS position,
            if(h % 3 = 0, 'app', 'web') AS channel
        FROM timed"""


def _typed(rows: str) -> str:
    """Return SQL of rows whose times are times, as a Parquet export has them."""
    return (
        "SELECT * REPLACE (occurred_at::TIMESTAMPTZ AS occurred_at, "
        f"recorded_at::TIMESTAMPTZ AS recorded_at) FROM ({rows})"
    )


def load(kind: str, world: Path, scratch: Path, days: int) -> dict[str, Any]:
    """Load users, jobs and all events of one kind of files into a lake of its own."""
    file = scratch / CONFIG_NAME
    file.write_text(
        f'[platform]\nstart_date = {FIRST_DAY}\nthreads = {THREADS}\nmemory_limit = "3GB"\n'
        f'[sources.users]\npath = "{world}/users.parquet"\n'
        f'[sources.jobs]\npath = "{world}/jobs.parquet"\n'
        f'[sources.events]\npath = "{world}/{kind}"\n'
    )
    with open_session(load_settings(file)) as session:
        load_users(session)
        load_jobs(session)
        loaded_days = DayRange(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
        capture_both(session, loaded_days)
        start = time.perf_counter()
        loaded = load_events(session, loaded_days)
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "accepted": loaded.accepted_rows,
        "rejected": loaded.rejected_rows,
    }


def bare(kind: str, world: Path, scratch: Path) -> dict[str, Any]:
    """Copy the same files to one Parquet file with DuckDB alone."""
    with duckdb.connect() as con:
        con.execute(f"SET threads = {THREADS}")
        start = time.perf_counter()
        con.execute(
            f"COPY (SELECT * FROM read_{kind}('{world}/{kind}/*.{kind}')) "
            f"TO '{scratch}/out.parquet' (FORMAT parquet)"
        )
        return {"seconds": time.perf_counter() - start}


def _child(side: str, kind: str, world: str, scratch: str, days: str) -> None:
    if side == "ours":
        print(json.dumps(load(kind, Path(world), Path(scratch), int(days))))
    else:
        print(json.dumps(bare(kind, Path(world), Path(scratch))))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("ours", "duckdb"):
        _child(*sys.argv[1:])
    else:
        main()
