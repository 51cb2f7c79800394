"""Runs jobs in this process through the same instance that the pages show.

What belongs here: what `conversion-platform run` and `demo` need of Dagster. What does not:
what a job does, or how a person is told (cli.py).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread

import dagster as dg
from dagster._core.instance.ref import InstanceRef  # has no public name

from conversion_platform.days import ONE_DAY, DayRange, day_of, require_started
from conversion_platform.definitions import build_defs
from conversion_platform.defs.resources import Platform
from conversion_platform.errors import NotReadyError, PlatformError
from conversion_platform.interrupts import is_interrupt
from conversion_platform.lake import Lake
from conversion_platform.settings import Settings

POLL_SECONDS = 1.0  # a look costs some 20 ms of the time of the run that is looked at
REMEDY = "\n  What to do: "
# What steps print goes to the terminal anyway; the processes that copy it to Dagster's pages would
# answer Ctrl-C with tracebacks of their own.
NO_CAPTURE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
HOME_VARIABLE = "DAGSTER_HOME"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"

INSTANCE_SETTINGS = """\
# Dagster's own settings for this installation (docs/operations.md).
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1 # a lake has one writer
run_monitoring:
  enabled: true
"""

_STEP_EVENTS = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "finished",
    dg.DagsterEventType.STEP_FAILURE: "failed",
}


@dataclass(frozen=True)
class Step:
    """One job over a range of days."""

    job: str
    days: DayRange
    why: str


@dataclass(frozen=True)
class Progress:
    """How far one job is.

    Attributes:
        step: The job and its days.
        names: Its steps, by the order in which they finished, then those that remain.
        finished: Steps that are done.
        running: The step under way, if any.
        share: Work done, 0 to 1, weighted by how long each step took last time.
    """

    step: Step
    names: tuple[str, ...]
    finished: tuple[str, ...] = ()
    running: str | None = None
    share: float = 0.0


Watcher = Callable[[Progress], None]


@dataclass(frozen=True)
class Finished:
    """The end of one job."""

    step: Step
    run_id: str
    success: bool
    failed_checks: tuple[str, ...] = field(default=())


def dagster_home(settings: Settings) -> Path:
    """The instance's folder: DAGSTER_HOME, else `dagster_home` beside the settings file.

    A folder without dagster.yaml gets one.
    """
    home = Path(os.environ.get(HOME_VARIABLE) or settings.base / "dagster_home").absolute()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    return home


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this installation; DAGSTER_HOME names it meanwhile."""
    home = dagster_home(settings)
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(home)
    try:
        reference = InstanceRef.from_dir(str(home), overrides=NO_CAPTURE)
        with dg.DagsterInstance.from_ref(reference) as instance:
            yield instance
    finally:
        os.environ.pop(HOME_VARIABLE)
        if before is not None:
            os.environ[HOME_VARIABLE] = before


def plan(lake: Lake, settings: Settings, days: DayRange) -> list[Step]:
    """What has to run so that `days` are done: what they look back to, and a first champion.

    Raises:
        NotReadyError: `days` start before the platform's first day, or end after today.
        TrainingError: there is no champion for them, and no day has matured for one.
    """
    from conversion_platform.training import champion

    require_started(days.first, settings.platform.start_date)
    today = day_of(datetime.now(UTC), settings.platform.time_zone)
    if settings.platform.clock == "wall" and days.last > today:
        raise NotReadyError(
            f"{days.last} lies in the future: today is {today} in {settings.platform.time_zone}.",
            "Ask for a day up to today; the schedule runs each day in its morning.",
        )
    learn = champion(lake, days.first) is None
    past = days_without_features(lake, settings, days.first, learn)
    events = days_without_events(lake, settings, past.first if past else days.first, learn)
    steps = []
    if events:
        steps.append(Step("sources", events, "the events that features look back to"))
    if past:
        steps.append(Step("history", past, "checked tables and features to learn from"))
    if learn:
        steps.append(Step("train", DayRange.of(days.first), "a champion for these days"))
    return [*steps, Step("daily", days, "the day" if len(days) == 1 else "the days")]


def days_without_features(
    lake: Lake, settings: Settings, day: date, learn: bool
) -> DayRange | None:
    """Days before `day` to build features for: all to learn from, else those that runs left out.

    What is to be learned from is built anew until there is a champion: after a first run that
    failed, the source has probably been mended.
    """
    from conversion_platform.features import USER_FEATURES
    from conversion_platform.training import training_days

    have = set() if learn else set(lake.days(USER_FEATURES))
    first = training_days(settings, day).first if learn else min(have, default=day)
    return up_to(day, (one for one in days_before(day, first) if one not in have))


def days_without_events(lake: Lake, settings: Settings, day: date, learn: bool) -> DayRange | None:
    """Days to load events of that the features of `day` look back to: all of them to learn from."""
    from conversion_platform.features.catalogue import HISTORY_DAYS
    from conversion_platform.features.sources import event_days
    from conversion_platform.marketplace import EVENTS

    have = set() if learn else set(lake.days(EVENTS))
    looked_back_to = event_days(settings, DayRange.of(day), HISTORY_DAYS)
    first = max(looked_back_to.first, settings.platform.start_date)
    return up_to(day, (one for one in days_before(day, first) if one not in have))


def days_before(day: date, first: date) -> list[date]:
    """The days from `first` to the one before `day`."""
    return list(DayRange(first, day - ONE_DAY)) if first < day else []


def up_to(day: date, missing: Iterator[date]) -> DayRange | None:
    """From the first of the missing days to the one before `day`."""
    first = next(missing, None)
    return DayRange(first, day - ONE_DAY) if first else None


def execute(
    instance: dg.DagsterInstance, settings: Settings, step: Step, watch: Watcher
) -> Finished:
    """Runs one job in this process.

    Args:
        instance: Where the run is recorded.
        settings: Those in force.
        step: The job and its days.
        watch: Called whenever the progress changes, from another thread.

    Raises:
        PlatformError: what an asset raised, with the name of the asset in front.
        KeyboardInterrupt: the person stopped it; the run is marked as failed.
    """
    platform = Platform(settings_file=str(settings.file or ""))
    job = build_defs(settings, platform).resolve_job_def(step.job)
    run_id = str(uuid.uuid4())
    names = tuple(node.name for node in job.graph.node_defs)
    with watched(instance, run_id, step, names, expected_seconds(instance, step.job), watch):
        result = job.execute_in_process(
            run_config=QUIET,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            partition_key=one_day(step.days),
            tags=range_tags(step.days),
        )
    if not result.success:
        raise failure_of(result)
    failed = tuple(
        _named(evaluation)
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed
    )
    return Finished(step, run_id, True, failed)


def _named(evaluation: dg.AssetCheckEvaluation) -> str:
    name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
    return f"{name} ({evaluation.description})" if evaluation.description else name


def one_day(days: DayRange) -> str | None:
    """The partition key of a run for one day; a range has none."""
    return days.first.isoformat() if len(days) == 1 else None


def range_tags(days: DayRange) -> dict[str, str]:
    """The tags that make one run of a range of days."""
    if len(days) == 1:
        return {}
    return {RANGE_START: days.first.isoformat(), RANGE_END: days.last.isoformat()}


def failure_of(result: dg.ExecuteInProcessResult) -> BaseException:
    """The error that ended a run, as a message for a person."""
    broken = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.blocking and not evaluation.passed
        if evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    if broken:
        return error_of_check(broken[0])
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            return error_of_step(event)
    return PlatformError(
        f"Run {result.run_id} did not finish.", "Look at the run's log on Dagster's pages."
    )


def error_of_check(failed: dg.AssetCheckEvaluation) -> PlatformError:
    """The error for a check that lets nothing be made of what it looked at."""
    facts = {name: value.value for name, value in failed.metadata.items()}
    return PlatformError(
        f"Asset `{failed.asset_key.to_user_string()}` failed its check `{failed.check_name}`: "
        f"{failed.description or facts}",
        "Nothing was made of it. Mend what the check names (`conversion-platform check-sources` "
        "says what is rejected, `conversion-platform sql` shows rows), then run the days again.",
    )


def error_of_step(event: dg.DagsterEvent) -> BaseException:
    """The error of a failed step; one of ours keeps its own words."""
    chain = [event.step_failure_data.error]
    while chain[-1] is not None:
        chain.append(chain[-1].cause)
    errors = [error for error in chain if error is not None]
    if any(is_interrupt(error.cls_name, error.message) for error in errors):
        return KeyboardInterrupt()
    ours = [error for error in errors if REMEDY in error.message]
    # What stands behind one of ours (DuckDB's word, boto3's) is for the page; else the root.
    message = next((error.message for error in ours or errors[::-1]), "no message").strip()
    problem, found, remedy = message.partition(REMEDY)
    if not found:
        remedy = "Look at the run's log on Dagster's pages; if this is a defect, report it."
    else:
        problem = problem.partition(": ")[2] or problem
    return PlatformError(f"Asset `{event.step_key}` failed: {problem.strip()}", remedy.strip())


def expected_seconds(instance: dg.DagsterInstance, job: str) -> dict[str, float]:
    """How long each step of a job took in its last successful run; empty the first time."""
    wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    runs = instance.get_runs(wanted, limit=1)
    if not runs:
        return {}
    return {
        stats.step_key: max(stats.end_time - stats.start_time, 0.05)
        for stats in instance.get_run_step_stats(runs[0].run_id)
        if stats.start_time and stats.end_time
    }


@contextmanager
def watched(
    instance: dg.DagsterInstance,
    run_id: str,
    step: Step,
    names: tuple[str, ...],
    seconds: dict[str, float],
    watch: Watcher,
) -> Iterator[None]:
    """Reads the run's events beside it and tells the watcher how far it is."""
    done = Event()
    thread = Thread(
        target=follow, args=(instance, run_id, step, names, seconds, watch, done), daemon=True
    )
    watch(Progress(step, names))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def follow(
    instance: dg.DagsterInstance,
    run_id: str,
    step: Step,
    names: tuple[str, ...],
    seconds: dict[str, float],
    watch: Watcher,
    done: Event,
) -> None:
    """Tells the watcher each change until the run is over."""
    seen: tuple[tuple[str, ...], str | None] = ((), None)
    while True:
        last = done.wait(POLL_SECONDS)
        state = finished_and_running(instance, run_id)
        if state != seen:
            seen = state
            watch(Progress(step, names, *state, share_done(names, state[0], seconds)))
        if last:
            return


def finished_and_running(
    instance: dg.DagsterInstance, run_id: str
) -> tuple[tuple[str, ...], str | None]:
    """The steps that are done, and the one under way."""
    finished: list[str] = []
    running = None
    for entry in instance.all_logs(run_id, of_type=set(_STEP_EVENTS)):
        event = entry.dagster_event
        if event is None or event.step_key is None:
            continue
        if _STEP_EVENTS[event.event_type] == "started":
            running = event.step_key
        else:
            finished.append(event.step_key)
            running = None
    return tuple(finished), running


def share_done(
    names: tuple[str, ...], finished: tuple[str, ...], seconds: dict[str, float]
) -> float:
    """The share of the work that is behind us."""
    usual = sum(seconds.values()) / len(seconds) if seconds else 1.0
    weights = {name: seconds.get(name, usual) for name in names}
    total = sum(weights.values())
    return sum(weights.get(name, usual) for name in finished) / total if total else 0.0


def last_run_day(instance: dg.DagsterInstance) -> date | None:
    """The last day of the newest successful daily run."""
    wanted = dg.RunsFilter(job_name="daily", statuses=[dg.DagsterRunStatus.SUCCESS])
    for run in instance.get_runs(wanted, limit=1):
        key = run.tags.get(RANGE_END) or run.tags.get("dagster/partition")
        return date.fromisoformat(key) if key else None
    return None
