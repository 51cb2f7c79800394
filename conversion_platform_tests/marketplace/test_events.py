"""Events: every row of a range is accepted or kept with its reason, once, whatever the range."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.lake import Session, open_lake
from conversion_platform.marketplace import (
    EVENTS,
    REASONS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
    REJECTED_EVENTS_VALUES,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import DAYS, World, write_parquet
from conversion_platform_tests.snapshots import keep

COLUMNS = ["event_id", "user_id", "job_id", "event_type", "occurred_at", "recorded_at", "position"]
GOOD = {
    "event_id": "'good'",
    "user_id": "'1'",
    "job_id": "'10'",
    "event_type": "'click'",
    "occurred_at": "'2026-01-03T15:00:00Z'",
}


def _events(*rows: dict[str, str]) -> str:
    return world.values(COLUMNS, [{**GOOD, **row} for row in rows])


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"user_id": "'99'"}, "unknown_user"),
        ({"job_id": "'99'"}, "unknown_job"),
        ({"user_id": "NULL"}, "missing_id"),
        ({"job_id": "''"}, "missing_id"),
        ({"event_type": "NULL"}, "missing_event_type"),
        ({"event_type": "'17'"}, "number_where_text_belongs"),
        ({"occurred_at": "NULL"}, "missing_time"),
        ({"occurred_at": "'noon'"}, "not_a_time"),
        ({"occurred_at": "'2026-01-03 15:00:00'"}, "time_without_zone"),
        ({"event_id": "'good'"}, "duplicate_id"),
    ],
)
def test_an_event_that_breaks_the_contract_is_kept_with_its_reason(
    tmp_path: Path, columns: dict[str, str], reason: str
) -> None:
    assert reason in REASONS
    built = World(tmp_path).fill(events=_events({}, {"event_id": "'bad'", **columns}))
    _, _, loaded = built.load()
    assert loaded.rejects == {reason: 1}
    assert (loaded.read_rows, loaded.accepted_rows) == (2, 1)
    kept = [
        row
        for table in (REJECTED_EVENTS, REJECTED_EVENTS_UNDATED)
        for row in built.rows(table, "reason, source, row_number")
    ]
    assert kept == [(reason, "source/events/all.parquet", 2)]
    assert built.rows(EVENTS, "event_id") == [("good",)]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"recorded_at": "'noon'"}, "not_a_time"),
        ({"recorded_at": "'9999-12-31T00:00:00Z'"}, "not_a_time"),
        ({"position": "'first'"}, "not_a_number"),
        ({"position": "'1.5'"}, "not_a_number"),
        ({"position": "'-1'"}, "out_of_range"),
    ],
)
def test_an_optional_cell_of_an_event_that_cannot_be_read_is_missing_and_counted(
    tmp_path: Path, columns: dict[str, str], reason: str
) -> None:
    built = World(tmp_path).fill(events=_events({}, {"event_id": "'odd'", **columns}))
    _, _, loaded = built.load()
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 2)
    ((column, found, rows),) = [(one.column, one.reason, one.rows) for one in loaded.unread]
    assert (found, rows) == (reason, 1)
    assert column in columns
    assert built.rows(EVENTS, "recorded_at = occurred_at, position") == [(True, None)] * 2


def test_a_number_that_the_settings_name_as_an_event_type_is_one(tmp_path: Path) -> None:
    built = World(tmp_path, '[events]\nconversion_types = ["17"]\n')
    _, _, loaded = built.fill(events=_events({"event_type": "'17'"})).load()
    assert loaded.rejects == {}


@pytest.mark.parametrize(("key", "entities"), [("user_id", world.USERS), ("job_id", world.JOBS)])
@pytest.mark.parametrize(("number", "accepted"), [(6, 1), (7, 0)])
def test_a_day_that_runs_again_has_the_events_of_whom_its_runs_on_time_knew(
    tmp_path: Path, key: str, entities: str, number: int, accepted: int
) -> None:
    """By default the runs of day 3 to day 6 write the events of day 3."""
    built = World(tmp_path).fill(events=_events({key: "'99'"}))
    built.load(DayRange(date(2026, 1, 1), date(2026, 1, number - 1)))
    file = tmp_path / f"source/{key[:-3]}s.parquet"
    newcomer = f"(SELECT * REPLACE ('99' AS {key}) FROM ({entities}) LIMIT 1)"
    write_parquet(f"FROM ({entities}) UNION ALL BY NAME {newcomer}", file)
    built.load(DayRange.of(date(2026, 1, number)))
    _, _, again = built.load(DayRange.of(date(2026, 1, 3)))
    assert (again.accepted_rows, again.rejected_rows) == (accepted, 1 - accepted)
    assert again.rejects == ({} if accepted else {f"unknown_{key[:-3]}": 1})


def test_of_copies_the_one_recorded_first_stays_even_from_another_file(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=_events({"recorded_at": "'2026-01-04T15:00:00Z'"}))
    write_parquet(
        _events({"recorded_at": "'2026-01-03T16:00:00Z'"}),
        tmp_path / "source/events/later.parquet",
    )
    built.load()
    assert built.rows(EVENTS, "recorded_at") == [(datetime(2026, 1, 3, 16, tzinfo=UTC),)]
    assert built.rows(REJECTED_EVENTS, "source, detail") == [("source/events/all.parquet", "good")]


def test_copies_are_told_whichever_way_their_days_are_written(tmp_path: Path) -> None:
    built = World(tmp_path, '[sources.events]\npath = "events"\ndate_format = "%Y-%d-%m %H:%M"\n')
    built.toml += 'time_zone = "UTC"\n'
    built.fill()
    line = "b,1,10,click,2026-03-01 15:00\n"  # the third of January
    (tmp_path / "events").mkdir()
    (tmp_path / "events/all.csv").write_text(
        f"event_id,user_id,job_id,event_type,occurred_at\n{line}{line}"
    )
    _, _, loaded = built.load()
    assert (loaded.accepted_rows, loaded.rejects) == (1, {"duplicate_id": 1})


def test_a_good_copy_is_not_lost_to_a_bad_one(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=_events({"user_id": "'99'"}, {}))
    _, _, loaded = built.load()
    assert loaded.rejects == {"unknown_user": 1}
    assert loaded.accepted_rows == 1


def test_without_event_ids_equal_rows_are_one_event_and_others_are_not(tmp_path: Path) -> None:
    columns = COLUMNS[1:]
    rows = [{**GOOD, "position": "1"}, {**GOOD, "position": "1"}, {**GOOD, "position": "2"}]
    _, _, loaded = World(tmp_path).fill(events=world.values(columns, rows)).load()
    assert loaded.rejects == {"duplicate_id": 1}
    assert loaded.accepted_rows == 2


def test_the_day_of_an_event_is_the_local_one(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=_events({"occurred_at": "'2026-01-03T04:59:59Z'"}))
    built.load()
    assert built.rows(EVENTS, "dt") == [(date(2026, 1, 2),)]


def test_what_the_source_does_not_say_is_filled_as_documented(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=_events({}))
    built.load()
    assert built.rows(EVENTS, "recorded_at = occurred_at, position, channel") == [
        (True, None, None)
    ]


def test_a_late_event_reaches_its_day_within_the_late_days_and_is_reported_beyond(
    tmp_path: Path,
) -> None:
    late = {"occurred_at": "'2026-01-02T15:00:00Z'", "recorded_at": "'2026-01-06T15:00:00Z'"}
    for late_days, accepted in ((4, 1), (3, 0)):
        built = World(tmp_path, f"[events]\nlate_days = {late_days}\n").fill(events=_events(late))
        _, _, loaded = built.load(DayRange.of(date(2026, 1, 6)))
        assert loaded.accepted_rows == accepted
        assert loaded.rejects == ({} if accepted else {"too_late": 1})
        assert loaded.read_rows == 1
    assert built.rows(REJECTED_EVENTS, "dt") == [(date(2026, 1, 6),)]


def test_a_late_event_in_the_folder_of_the_day_it_came_reaches_its_own_day(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    (tmp_path / "source/events/all.parquet").unlink()
    write_parquet(_events({}), tmp_path / "source/events/dt=2026-01-05/a.parquet")
    _, _, loaded = built.load(DayRange.of(date(2026, 1, 3)))
    assert (loaded.accepted_rows, loaded.rejects) == (1, {})
    _, _, loaded = built.load(DayRange.of(date(2026, 1, 5)))
    assert (loaded.accepted_rows, loaded.rejects) == (1, {})


def test_daily_runs_that_see_late_events_come_in_leave_what_a_rebuild_leaves(
    tmp_path: Path,
) -> None:
    """Folders by day of coming; each morning's run finds those of the days before it only."""
    days = DayRange(date(2026, 1, 2), date(2026, 1, 12))
    daily, rebuilt = (World(tmp_path / name).fill() for name in ("daily", "rebuilt"))
    for built in (daily, rebuilt):
        (built.folder / "source/events/all.parquet").unlink()
    for came in days:
        _write_what_came(rebuilt.folder, came)
    for morning in days:
        if morning > days.first:
            _write_what_came(daily.folder, morning - ONE_DAY)
            daily.load(DayRange.of(morning))
    rebuilt.load(days)
    settled = DayRange(days.first, days.last - 4 * ONE_DAY)
    for table, columns, kinds in (
        (EVENTS, "dt, split_part(event_id, '+', 2), event_id", {"0", "1", "2"}),
        (REJECTED_EVENTS, "dt, reason, source", {"too_late"}),
    ):
        found, wanted = (
            [row for row in built.rows(table, columns) if row[0] in settled]
            for built in (daily, rebuilt)
        )
        assert found == wanted
        assert {kind for _, kind, _ in found} == kinds


def _write_what_came(folder: Path, came: date) -> None:
    """One event for each lateness of 0 to 3 days, recorded in the evening of `came`."""
    late = [
        {
            "event_id": f"'{came}+{days}'",
            "occurred_at": f"'{came - days * ONE_DAY}T15:00:00Z'",
            "recorded_at": f"'{came}T23:00:00Z'",
        }
        for days in range(4)
    ]
    write_parquet(_events(*late), folder / f"source/events/dt={came}/a.parquet")


def test_an_event_in_a_folder_before_its_day_is_rejected_there_and_nowhere_else(
    tmp_path: Path,
) -> None:
    built = World(tmp_path, "[events]\nlate_days = 0\n").fill()
    (tmp_path / "source/events/all.parquet").unlink()
    write_parquet(_events({}), tmp_path / "source/events/dt=2026-01-01/a.parquet")
    _, _, loaded = built.load(DayRange.of(date(2026, 1, 1)))
    assert loaded.rejects == {"wrong_folder": 1}
    _, _, loaded = built.load(DayRange.of(date(2026, 1, 3)))
    assert loaded.read_rows == 0


def test_a_reject_without_a_time_goes_to_the_day_of_its_folder_or_of_its_record(
    tmp_path: Path,
) -> None:
    built = World(tmp_path).fill(
        events=_events({"occurred_at": "NULL", "recorded_at": "'2026-01-03T15:00:00Z'"})
    )
    built.load()
    assert built.rows(REJECTED_EVENTS, "dt") == [(date(2026, 1, 3),)]
    folder = tmp_path / "source/events/dt=2026-01-02"
    folder.mkdir()
    (tmp_path / "source/events/all.parquet").rename(folder / "a.parquet")
    built.load()
    assert built.rows(REJECTED_EVENTS, "dt") == [(date(2026, 1, 2),)]


def test_rejects_that_say_no_day_are_kept_once_whatever_days_run(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=_events({}, {"event_id": "'bad'", "occurred_at": "NULL"}))
    for day in (date(2026, 1, 23), date(2026, 1, 4)):
        _, _, loaded = built.load(DayRange.of(day))
        assert loaded.rejects == {"missing_time": 1}
        assert built.rows(REJECTED_EVENTS_UNDATED, "reason, row_number") == [("missing_time", 2)]
    assert built.rows(REJECTED_EVENTS) == []


def test_rejects_that_say_no_day_are_a_share_of_the_source_and_not_of_the_days_that_run(
    tmp_path: Path,
) -> None:
    old = [{"event_id": f"'{n}'", "occurred_at": "'2026-01-12T15:00:00Z'"} for n in range(90)]
    undated = [{"event_id": f"'u{n}'", "occurred_at": "NULL"} for n in range(9)]
    built = World(tmp_path).fill(events=_events({}, *old, *undated))
    _, _, loaded = built.load()
    assert (loaded.accepted_rows, loaded.rejected_rows, loaded.read_rows) == (1, 9, 10)
    assert loaded.dated_share == 0
    assert loaded.reject_share == loaded.undated_share == 9 / 100


SAME_EVENT = (
    "user_id,job_id,event_type,occurred_at,position\n",
    "1,10,click,2026-01-03T15:00:00Z,1\n",
    " 1 ,10.0,click,2026-01-03 10:00:00-05:00,1.0\n",
    "1,10,click , 2026-01-03 15:00:00.000 UTC,1\n",
)


def test_an_event_written_in_several_ways_is_one_event(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    events = tmp_path / "source/events"
    (events / "all.parquet").unlink()
    (events / "all.csv").write_text("".join(SAME_EVENT))
    _, _, loaded = built.load()
    assert (loaded.accepted_rows, loaded.rejects) == (1, {"duplicate_id": 2})
    as_csv = built.rows(EVENTS, "event_id")
    (events / "all.csv").unlink()
    query = (
        "SELECT 1 AS user_id, 10.0::DOUBLE AS job_id, 'click' AS event_type, "
        "TIMESTAMPTZ '2026-01-03 15:00:00+00' AS occurred_at, 1::TINYINT AS position"
    )
    write_parquet(query, events / "all.parquet")
    built.load()
    assert built.rows(EVENTS, "event_id") == as_csv


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_an_event_that_lies_in_two_folders_is_one_event(tmp_path: Path, extension: str) -> None:
    built = World(tmp_path).fill()
    events = tmp_path / "source/events"
    (events / "all.parquet").unlink()
    query = f"SELECT * EXCLUDE (event_id) FROM ({_events({})})"
    for day in ("2026-01-03", "2026-01-04"):
        world.write(query, events / f"dt={day}" / f"a.{extension}")
    _, _, loaded = built.load()
    assert (loaded.accepted_rows, loaded.rejects) == (1, {"duplicate_id": 1})


def test_a_file_has_the_events_by_user_and_time(tmp_path: Path) -> None:
    cases = [("c", "10", 9), ("a", "2", 8), ("d", "10", 7), ("b", "2", 9)]
    rows = [
        {
            "event_id": f"'{name}'",
            "user_id": f"'{user}'",
            "occurred_at": f"'2026-01-03T{hour:02}:00:00Z'",
        }
        for name, user, hour in cases
    ]
    users = "SELECT unnest(['2', '10']) AS user_id"
    built = World(tmp_path).fill(users=users, events=_events(*rows))
    built.load()
    with duckdb.connect() as con:
        file = f"{tmp_path}/lake/events/dt=2026-01-03/data.parquet"
        found = con.execute(f"SELECT event_id FROM '{file}'").fetchall()
    assert found == [("d",), ("c",), ("a",), ("b",)]


def test_events_need_users_and_jobs_first(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    with built.session() as session, pytest.raises(NotReadyError, match="users"):
        load_events(session, DAYS)


def test_one_run_for_a_range_leaves_the_same_bytes_as_a_run_for_each_day(tmp_path: Path) -> None:
    query = (
        "SELECT 'e' || (i % 90) AS event_id, i % 3 AS user_id, 10 AS job_id, "
        "'click' AS event_type, "
        "TIMESTAMPTZ '2026-01-02 12:00:00+00' + to_hours((i % 90)::INT) AS occurred_at, "
        "occurred_at + to_minutes(i::INT) AS recorded_at FROM range(100) t(i)"
    )
    built = World(tmp_path).fill(events=query)
    built.load(DayRange(date(2026, 1, 4), date(2026, 1, 6)))
    whole = _bytes(tmp_path)
    shutil.rmtree(tmp_path / "lake")
    for day in DayRange(date(2026, 1, 4), date(2026, 1, 6)):
        built.load(DayRange.of(day))
    assert _bytes(tmp_path) == whole


def _bytes(folder: Path) -> dict[str, bytes]:
    """Every file but snapshots, of which each run of a day leaves one."""
    lake = folder / "lake"
    files = {str(file.relative_to(lake)): file for file in lake.rglob("*.parquet")}
    return {name: file.read_bytes() for name, file in files.items() if "_history/" not in name}


ROW = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(["NULL", "'a'", "'b'", "'c'"]),
        "user_id": st.sampled_from(["'1'", "'2'", "'99'", "NULL", "'1.0'"]),
        "job_id": st.sampled_from(["'10'", "'20'", "'99'", "''"]),
        "event_type": st.sampled_from(["'click'", "'impression'", "NULL", "'5'"]),
        "occurred_at": st.one_of(
            st.sampled_from(["NULL", "'x'", "'2026-01-03 10:00'", "'1800-01-01T00:00:00Z'"]),
            st.integers(0, 5).map(lambda day: f"'{date(2026, 1, 1) + timedelta(day)}T15:00:00Z'"),
        ),
        "recorded_at": st.sampled_from(
            ["NULL", "'2026-01-04T15:00:00Z'", "'2026-01-08T15:00:00Z'"]
        ),
        "position": st.sampled_from(["NULL", "'0'", "'-2'", "'one'"]),
    }
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=25))
def test_accepted_and_rejected_rows_are_the_rows_read_each_exactly_once(
    rows: list[dict[str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        numbered = [{**row, "line": str(place)} for place, row in enumerate(rows)]
        query = world.values([*COLUMNS, "line"], numbered)
        built = World(Path(folder), "[events]\nlate_days = 0\n").fill(events=query)
        lake = open_lake(built.settings)
        with lake.connect() as con:
            load_users(Session(built.settings, lake, con))
            load_jobs(Session(built.settings, lake, con))
            keep(Session(built.settings, lake, con))
            loaded = load_events(
                Session(built.settings, lake, con), DayRange(date(2025, 12, 31), date(2026, 1, 8))
            )
            kept = con.execute(
                "SELECT count(*), count(DISTINCT row_json->>'line') FROM ("
                f"SELECT row_json FROM {lake.select(REJECTED_EVENTS_VALUES)} UNION ALL "
                f"SELECT row_json FROM {lake.select(REJECTED_EVENTS_UNDATED_VALUES)})"
            ).fetchone()
            ids = con.execute(
                f"SELECT count(*), count(DISTINCT event_id) FROM {lake.select(EVENTS)}"
            ).fetchone()
    assert loaded.read_rows == len(rows)
    assert loaded.accepted_rows + loaded.rejected_rows == len(rows)
    assert kept == (loaded.rejected_rows, loaded.rejected_rows)
    assert ids == (loaded.accepted_rows, loaded.accepted_rows)
    assert set(loaded.rejects) <= set(REASONS)
    assert set(loaded.examples) == set(loaded.rejects)
