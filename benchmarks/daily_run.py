"""How long a day's run takes, how much memory it needs, and how both grow with the users.

Builds marketplaces of 10,000 and 100,000 users (2,000 open jobs, 125 candidates a user) from
source files, and runs the day's chain of each in a process of its own. `--quick` takes 500
and 5,000 users; `seconds_10k` and `seconds_100k` are then those of the smaller sizes.

    seconds_10k, seconds_100k   wall time of the day's run, start of the process to its end
    peak_gib                    highest resident memory of the larger run
    growth                      time a user at the larger size / at the smaller (1 = linear,
                                below 1: the fixed cost of a start weighs less)
    growth_cpu                  the same for CPU time, which a busy machine disturbs less
    seconds_STAGE               where the larger run spends its time
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conversion_platform.lake import Session

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks import harness  # noqa: E402
from benchmarks._daily_world import DAY, HISTORY, fit_model, write_sources  # noqa: E402
from conversion_platform.days import DayRange  # noqa: E402

SIZES, QUICK_SIZES = (10_000, 100_000), (500, 5_000)


def main() -> None:
    """Run it, or print the run that is kept."""
    harness.conduct("daily_run", __doc__ or "", measured, bounds)


def bounds(_: Mapping[str, Any], quick: bool) -> list[harness.Bound]:
    """Return what is asked of the full size; the quick one is smaller by twenty."""
    return [harness.Bound("peak_gib", most=2 if quick else 4)]


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures of both sizes."""
    small, large = QUICK_SIZES if quick else SIZES
    runs = {users: _measured(users) for users in (small, large)}
    first, last = runs[small], runs[large]
    answer = last.answer
    return {
        "seconds_10k": first.seconds,
        "seconds_100k": last.seconds,
        "peak_gib": last.peak_gib,
        "peak_gib_10k": first.peak_gib,
        "growth": (last.seconds / large) / (first.seconds / small),
        "growth_cpu": (answer["cpu_seconds"] / large) / (first.answer["cpu_seconds"] / small),
        "users_small": small,
        "users_large": large,
        **{f"seconds_{stage}": seconds for stage, seconds in answer["stages"].items()},
        **{name: value for name, value in answer.items() if name != "stages"},
    }


def _measured(users: int) -> harness.Measured:
    """One marketplace: built in a child, its day run in another, removed afterwards."""
    folder = harness.scratch_folder(f"daily-{users}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        harness.run_child(HERE, "prepare", str(folder), str(users))
        return harness.run_child(HERE, "run", str(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, users: int) -> dict[str, Any]:
    """Everything that a platform has on the morning of the day: history, features, a model."""
    from conversion_platform.features import build_features
    from conversion_platform.lake import open_session
    from conversion_platform.marketplace import (
        capture_both,
        infer_attributes,
        load_events,
        load_jobs,
        load_users,
    )
    from conversion_platform.marketplace.tables import EVENTS
    from conversion_platform.training import promote

    settings = write_sources(folder, users)
    with open_session(settings) as session:
        load_users(session)
        load_jobs(session)
        capture_both(session, HISTORY)
        infer_attributes(session)
        load_events(session, HISTORY)
        build_features(session, DayRange.of(HISTORY.last))
        session.lake.view(session.con, EVENTS, HISTORY, "events")
        version = fit_model(session)
        promote(session.lake, version, DAY, "benchmark")
    return {"version": version}


def run(folder: Path) -> dict[str, Any]:
    """The day's chain, stage by stage."""
    from conversion_platform.lake import open_lake
    from conversion_platform.settings import load_settings

    settings = load_settings(folder / "conversion_platform.toml")
    lake = open_lake(settings)
    clock = _Clock()
    counts: dict[str, Any] = {}
    for stage in STAGES:
        with clock.stage(stage.__name__.strip("_")), lake.connect() as con:
            counts.update(stage(Session(settings, lake, con)))
    return {"stages": clock.seconds, "cpu_seconds": time.process_time(), **counts}


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def _sources(session: Session) -> dict[str, Any]:
    from conversion_platform.marketplace import (
        capture_both,
        infer_attributes,
        load_events,
        load_jobs,
        load_users,
    )

    load_users(session)
    load_jobs(session)
    capture_both(session, DayRange.of(DAY))
    infer_attributes(session)
    return {"events_read": load_events(session, DayRange.of(DAY)).read_rows}


def _features(session: Session) -> dict[str, Any]:
    from conversion_platform.features import build_features

    build_features(session, DayRange.of(DAY))
    return {}


def _predictions(session: Session) -> dict[str, Any]:
    from conversion_platform.inference import predict_days
    from conversion_platform.training import champion

    (day,) = predict_days(session, DayRange.of(DAY), champion(session.lake))
    least = day.scored_pairs / max(1, day.users_with_predictions)
    return {
        "scored_pairs": day.scored_pairs,
        "candidates_a_user": least,
        "open_jobs": day.open_jobs,
    }


def _assignments(session: Session) -> dict[str, Any]:
    from conversion_platform.applications.job_of_the_day import assign_days

    (day,) = assign_days(session, DayRange.of(DAY))
    return {"assigned": day.rows}


def _messages(session: Session) -> dict[str, Any]:
    from conversion_platform.messaging import (
        open_ledger,
        open_provider,
        plan_messages,
        replay_day,
        snapshot,
    )

    ledger, provider = open_ledger(session.settings), open_provider(session.settings)
    plan_messages(session, ledger, DAY)
    sent = replay_day(ledger, provider, session.settings, DAY)
    snapshot(session, ledger, DayRange.of(DAY))
    return {"sent": sent.sent}


def _outcomes(session: Session) -> dict[str, Any]:
    from conversion_platform.messaging import measure_outcomes, open_ledger

    measure_outcomes(session, open_ledger(session.settings), DayRange.of(DAY), DAY)
    return {}


def _log(session: Session) -> dict[str, Any]:
    from conversion_platform.event_log import EVENT_TYPES, record

    days = DayRange.of(DAY)
    new = [record(session, kind.name, days).new for kind in EVENT_TYPES]
    return {"logged": sum(new)}


def _metrics(session: Session) -> dict[str, Any]:
    from conversion_platform.metrics import compute_metrics, metrics_plot

    compute_metrics(session, DayRange.of(DAY))
    metrics_plot(session, DayRange.of(DAY))
    return {}


STAGES = (
    _sources,
    _features,
    _predictions,
    _assignments,
    _messages,
    _outcomes,
    _log,
    _metrics,
)
STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "prepare": lambda folder, users: prepare(Path(folder), int(users)),
    "run": lambda folder: run(Path(folder)),
}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in STEPS:
        print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
