from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange, day_of, day_start
from conversion_platform.errors import NotReadyError
from conversion_platform.features import build_features, check_point_in_time
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.features.world import (
    ZONE,
    Row,
    World,
    event,
    fill,
    fill_events,
    random_world,
)
from conversion_platform_tests.sessions import in_session

HISTORY = DayRange(date(2026, 2, 10), date(2026, 3, 12))
DAY = date(2026, 3, 8)
AROUND = DayRange(date(2026, 3, 5), date(2026, 3, 12))
TABLES = ("user_features", "job_features", "user_category_features")


def installation(folder: Path, custom: str | None = None) -> tuple[Lake, Settings, World]:
    file = folder / "conversion_platform.toml"
    features = '[features]\nfolder = "custom"\n' if custom else ""
    file.write_text(f"[platform]\nstart_date = 2026-02-10\n{features}")
    if custom:
        (folder / "custom").mkdir()
        (folder / "custom" / "mine.sql").write_text(custom)
    settings = load_settings(file)
    lake = open_lake(settings)
    world = random_world(11, HISTORY, users=8, jobs=6, events=700, messages=40)
    with lake.connect() as con:
        fill(Session(settings, lake, con), world, HISTORY)
    return lake, settings, world


def test_altering_the_future_moves_no_feature_of_the_day(tmp_path: Path) -> None:
    _lake, settings, _ = installation(tmp_path)
    found = in_session(settings, check_point_in_time, DAY)
    assert found.holds, found.render()
    assert found.compared["user_features"] > 3
    assert found.compared["pair_features"] > 20
    assert "No feature of 2026-03-08 looks ahead" in found.render()


def test_an_end_at_the_midnight_that_begins_the_day_is_no_future(tmp_path: Path) -> None:
    lake, settings, world = installation(tmp_path)
    users = [{**user, "left_at": AS_OF} for user in world.users[:2]] + world.users[2:]
    jobs = [{**job, "closed_at": AS_OF} for job in world.jobs[:2]] + world.jobs[2:]
    with lake.connect() as con:
        fill(Session(settings, lake, con), World(users, jobs, world.events), HISTORY)
    found = in_session(settings, check_point_in_time, DAY)
    assert found.holds, found.render()


def test_the_check_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    lake, settings, _ = installation(tmp_path)
    before = {key: lake.storage.read(key) for key in lake.storage.list(".")}
    in_session(settings, check_point_in_time, DAY)
    assert {key: lake.storage.read(key) for key in lake.storage.list(".")} == before


def test_the_check_works_on_the_last_day_there_is(tmp_path: Path) -> None:
    _lake, settings, _ = installation(tmp_path)
    assert in_session(settings, check_point_in_time, HISTORY.last + timedelta(days=1)).holds


LEAKY = {
    "that counts the events of every day it can see": """-- level: user
        SELECT d.dt, e.user_id, count(*) AS mine
        FROM days AS d CROSS JOIN events AS e GROUP BY ALL""",
    "that goes by the time an event occurred, and not by when it was known": """-- level: user
        SELECT d.dt, e.user_id, count(*) AS mine
        FROM days AS d JOIN events AS e ON e.occurred_at < d.as_of GROUP BY ALL""",
    "that looks at when a job will close": """-- level: job
        SELECT d.dt, j.job_id, date_diff('day', d.as_of, j.closed_at) AS mine
        FROM days AS d CROSS JOIN jobs AS j""",
}


@pytest.mark.parametrize("sql", LEAKY.values(), ids=LEAKY)
def test_the_check_catches_a_file(sql: str, tmp_path: Path) -> None:
    _lake, settings, _ = installation(tmp_path, sql)
    found = in_session(settings, check_point_in_time, DAY)
    assert not found.holds
    assert {one.column for one in found.changed} == {"mine"}
    assert "mine changed in" in found.render()


def test_the_check_passes_a_file_that_keeps_to_the_rule(tmp_path: Path) -> None:
    _lake, settings, _ = installation(
        tmp_path,
        """-- level: user
        SELECT d.dt, e.user_id, count(*) AS mine
        FROM days AS d JOIN events AS e ON e.known_at < d.as_of GROUP BY ALL""",
    )
    assert in_session(settings, check_point_in_time, DAY).holds


def test_without_anything_to_compare_the_check_says_so(tmp_path: Path) -> None:
    lake, settings, world = installation(tmp_path)
    with lake.connect() as con:
        fill(Session(settings, lake, con), World(users=[], jobs=world.jobs), HISTORY)
    with pytest.raises(NotReadyError, match=r"nothing to compare on 2026-03-08: .* no user at all"):
        in_session(settings, check_point_in_time, DAY)


def test_where_every_job_has_closed_or_none_has_opened_the_check_says_which_and_when(
    tmp_path: Path,
) -> None:
    lake, settings, world = installation(tmp_path)
    early, late = (day_start(day, ZONE) for day in (date(2025, 12, 1), date(2026, 6, 1)))

    def refusal(opened: datetime, closed: datetime | None) -> str:
        jobs = [{**job, "opened_at": opened, "closed_at": closed} for job in world.jobs]
        with lake.connect() as con:
            fill(Session(settings, lake, con), World(users=world.users, jobs=jobs), HISTORY)
        with pytest.raises(NotReadyError) as caught:
            in_session(settings, check_point_in_time, DAY)
        return str(caught.value)

    closed = refusal(early, early + timedelta(days=3))
    assert "every job that had opened had closed by then, the last on 2025-12-03" in closed
    assert "Choose a day up to 2025-12-03" in closed
    assert "no job had opened by then; the first did on 2026-06-01" in refusal(late, None)


def test_a_day_before_the_platforms_first_is_refused(tmp_path: Path) -> None:
    _lake, settings, _ = installation(tmp_path)
    with pytest.raises(NotReadyError, match=r"2026-02-09 is before platform.start_date = 2026-02"):
        in_session(settings, check_point_in_time, date(2026, 2, 9))


class Edited:
    """An installation whose events tests may rewrite, with the features of the day as it was."""

    def __init__(self, folder: Path) -> None:
        self.lake, self.settings, self.world = installation(folder)
        self.before = self.features_after(self.world.events)

    def features_after(self, events: list[Row]) -> dict[str, bytes]:
        days = DayRange(DAY, DAY + timedelta(days=2))
        with self.lake.connect() as con:
            self._write(con, events)
            build_features(Session(self.settings, self.lake, con), days)
        return {t: self.lake.storage.read(f"{t}/dt={DAY}/data.parquet") for t in TABLES}

    def _write(self, con: duckdb.DuckDBPyConnection, events: list[Row]) -> None:
        around = [row for row in events if day_of(row["occurred_at"], ZONE) in AROUND]
        fill_events(Session(self.settings, self.lake, con), around, AROUND)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    yield Edited(tmp_path_factory.mktemp("edited"))


AS_OF = day_start(DAY, ZONE)
SECONDS_BEFORE = int((AS_OF - day_start(AROUND.first, ZONE)).total_seconds())
SECONDS_AFTER = 3 * 86400

new_in_the_future = st.builds(
    lambda number, user, job, kind, occurred, late: event(
        90_000 + number,
        f"u{user}",
        f"j{job}",
        kind,
        AS_OF + timedelta(seconds=occurred),
        AS_OF + timedelta(seconds=max(occurred, 0) + late),
    ),
    st.integers(0, 9_999),
    st.integers(0, 7),
    st.integers(0, 5),
    st.sampled_from(["impression", "click", "application", "hire"]),
    st.integers(-SECONDS_BEFORE, SECONDS_AFTER),
    st.integers(0, 86400),
)


def _is_known(row: Row) -> bool:
    return bool(max(row["occurred_at"], row["recorded_at"]) < AS_OF)


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deleted=st.sets(st.integers(0, 499)),
    moved=st.dictionaries(st.integers(0, 499), st.integers(0, 5)),
    added=st.lists(new_in_the_future, max_size=40, unique_by=lambda row: row["event_id"]),
)
def test_no_edit_of_what_became_known_later_changes_a_byte_of_the_day(
    edited: Edited, deleted: set[int], moved: dict[int, int], added: list[Row]
) -> None:
    events = []
    for number, row in enumerate(edited.world.events):
        if _is_known(row):
            events.append(row)
        elif number not in deleted:
            events.append({**row, "job_id": f"j{moved[number]}"} if number in moved else row)
    assert edited.features_after([*events, *added]) == edited.before


@hypothesis_settings(max_examples=6, deadline=None)
@given(
    seconds=st.integers(0, SECONDS_BEFORE - 1),
    kind=st.sampled_from(["impression", "click", "application"]),
)
def test_an_event_before_the_day_does_change_its_features(
    edited: Edited, seconds: int, kind: str
) -> None:
    user = next(
        u["user_id"]
        for u in edited.world.users
        if u["created_at"] < day_start(HISTORY.first, ZONE)
        and (u["left_at"] is None or u["left_at"] >= AS_OF)
    )
    when = AS_OF - timedelta(seconds=seconds, microseconds=1)
    after = edited.features_after([*edited.world.events, event(99_999, user, "j0", kind, when)])
    assert after["user_features"] != edited.before["user_features"]
