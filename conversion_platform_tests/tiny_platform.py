"""A small platform that has lived a day: built once, and copied for tests that change it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import LAKE_ID_KEY, LOG_ID_KEY, Lake, Session, open_lake
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings
from conversion_platform.simulator import World, build

if TYPE_CHECKING:
    from conversion_platform.runs.bars import Progress
    from conversion_platform.runs.execution import Finished

FIRST = date(2026, 1, 5)
LIVED = date(2026, 1, 25)
"""The last day that the platform has run; its source has three more."""
NEXT = date(2026, 1, 26)
THEN = date(2026, 1, 27)

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run config without Dagster's log on the terminal."""

TOML = """\
[platform]
start_date = 2026-01-05
clock = "replay"
[sources.users]
path = "source/users.parquet"
attributes = ["experience_years", "has_car", "referral", "about"]
[sources.jobs]
path = "source/jobs.parquet"
attributes = ["is_remote", "urgent", "rating"]
[training]
train_days = 8
validation_days = 3
test_days = 3
trees = 30
[job_of_the_day]
holdout_share = 0.2
[cohorts.looking]
where = "user_clicks_7d > 0"
priority = 1
send_time = 11:00:00
[cohorts.quiet]
priority = 2
size = 100
send_time = 17:30:00
[messaging.sandbox]
stop_share = 0.02
[schedule]
enabled = false
"""


class NoBars:
    """Takes in progress and shows nothing."""

    def watch(self, progress: Progress) -> None:
        pass

    def warn(self, failed_checks: tuple[str, ...]) -> None:
        pass


def silent(progress: Progress) -> None:
    """A watcher that shows nothing."""


def settings_in(folder: Path) -> Settings:
    """The settings of the platform in `folder`."""
    return load_settings(folder / CONFIG_NAME)


def lake_in(folder: Path) -> Lake:
    """The lake of the platform in `folder`."""
    return open_lake(settings_in(folder))


def run(folder: Path, first: date, last: date | None = None) -> Lake:
    """`conversion-platform run` without its screens."""
    from conversion_platform.runs import run_days

    run_days(settings_in(folder), DayRange(first, last or first), NoBars())  # type: ignore[arg-type]
    return lake_in(folder)


def run_job(folder: Path, job: str, first: date, last: date | None = None) -> Finished:
    """Runs one job over the days."""
    from conversion_platform.runs.execution import execute
    from conversion_platform.runs.instance import open_instance
    from conversion_platform.runs.planning import PlannedJob

    settings = settings_in(folder)
    with open_instance(settings) as instance:
        return execute(
            instance, settings, PlannedJob(job, DayRange(first, last or first), ""), silent
        )


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query over the lake's tables and the log."""
    from conversion_platform.catalog import attach_views

    lake = lake_in(folder)
    with lake.connect() as con:
        attach_views(Session(settings_in(folder), lake, con))
        found: list[tuple[Any, ...]] = con.sql(query).fetchall()
    return found


def digests(folder: Path, below: str = "lake") -> dict[str, str]:
    """sha256 of every file below a part of the folder, but for the id that each lake draws."""
    root = folder / below
    files = {file.relative_to(root).as_posix(): file for file in sorted(root.rglob("*"))}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in files.items()
        if file.is_file() and name not in (LAKE_ID_KEY, LOG_ID_KEY)
    }


def differences(left: Path, right: Path) -> list[str]:
    """The files of two lakes that are not the same bytes, each with what is different in it."""
    ours, theirs = digests(left), digests(right)
    return [
        f"{name}: {_difference(left / 'lake' / name, right / 'lake' / name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]


def _difference(left: Path, right: Path) -> str:
    if not (left.exists() and right.exists()):
        return f"only in {left if left.exists() else right}"
    if left.suffix != ".parquet":
        return "other bytes"
    with duckdb.connect() as con:
        found = [
            con.sql(
                f"SELECT * FROM '{one}' EXCEPT ALL SELECT * FROM '{other}' ORDER BY ALL LIMIT 5"
            ).fetchall()
            for one, other in ((left, right), (right, left))
        ]
    sizes = f"{left.stat().st_size} and {right.stat().st_size} bytes"
    return f"{found[0]} became {found[1]}" if any(found) else f"the same rows in {sizes}"


def edit(folder: Path, old: str, new: str) -> None:
    """Changes the settings file."""
    file = folder / CONFIG_NAME
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def rewrite(source: Path, query: str) -> None:
    """Replaces a source file by a query over it (as `source`)."""
    staged = source.with_suffix(".new")
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW source AS FROM '{source}'")
        con.execute(f"COPY ({query}) TO '{staged}' (FORMAT parquet)")
    staged.rename(source)


def make(folder: Path) -> None:
    """History, a champion, and one day."""
    unrun(folder)
    run(folder, LIVED)


def unrun(folder: Path) -> None:
    """Source tables and settings; nothing has run."""
    folder.mkdir(parents=True)
    build(World.tiny(history_days=(THEN - FIRST).days + 2), folder)
    (folder / CONFIG_NAME).write_text(TOML, "utf-8")


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform after its first day, the same for all workers: to be read, not changed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "lived"
    with alone(shared / "lived.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture
def platform(lived: Path, tmp_path: Path) -> Path:
    """A copy of it for one test to change."""
    return shutil.copytree(lived, tmp_path / "platform")


CopyOf = Callable[[str], Path]


@pytest.fixture
def copies(lived: Path, tmp_path: Path) -> CopyOf:
    """Makes further copies by name."""
    return lambda name: shutil.copytree(lived, tmp_path / name)
