"""Labels mature, nothing of the future gets in, and negatives are drawn by rule."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange, day_start
from conversion_platform.errors import NotReadyError, TrainingError
from conversion_platform.features import build_features
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.marketplace.tables import JOBS
from conversion_platform.settings import Settings
from conversion_platform.training import TRAINING_EXAMPLES, build_examples
from conversion_platform_tests.snapshots import keep
from conversion_platform_tests.training.examples import (
    DAY,
    DAYS,
    SHOWN,
    background,
    changed,
    interest,
    rows,
)
from conversion_platform_tests.training.world import (
    START,
    ZONE,
    Event,
    at,
    put_events,
    put_people,
)

if TYPE_CHECKING:
    import duckdb


def test_a_conversion_inside_the_window_is_a_positive_and_one_after_it_is_not(build: Any) -> None:
    shown = at(SHOWN, 12)
    found = build(
        [
            Event("u0001", "j0001", "impression", shown, position=2),
            Event("u0001", "j0001", "application", shown + timedelta(days=3, seconds=-1)),
            Event("u0002", "j0002", "impression", shown, position=0),
            Event("u0002", "j0002", "application", shown + timedelta(days=3)),
        ]
    )
    assert [(row["user_id"], row["converted"], row["position"]) for row in found] == [
        ("u0001", True, 2),
        ("u0002", False, 0),
    ]


def test_a_click_or_conversion_of_another_pair_or_before_the_impression_does_not_count(
    build: Any,
) -> None:
    shown = at(SHOWN, 12)
    found = build(
        [
            Event("u0001", "j0001", "impression", shown),
            Event("u0001", "j0002", "application", shown + timedelta(hours=1)),
            Event("u0002", "j0001", "click", shown + timedelta(hours=1)),
            Event("u0001", "j0001", "application", shown - timedelta(seconds=1)),
        ]
    )
    assert [(row["clicked"], row["converted"]) for row in found] == [(False, False)]


def test_the_same_pair_shown_twice_at_the_same_time_is_one_example(build: Any) -> None:
    shown = at(SHOWN, 12)
    twice = [Event("u0001", "j0001", "impression", shown, position=slot) for slot in (4, 1)]
    found = build([*twice, Event("u0001", "j0001", "impression", shown + timedelta(hours=1))])
    assert [row["position"] for row in found] == [1, None]
    assert {row["slate"] for row in found} == {"u0001|2026-01-08"}


def test_a_conversion_that_is_recorded_on_the_day_itself_is_not_known_yet(build: Any) -> None:
    shown = at(SHOWN, 12)
    late = Event("u0001", "j0001", "application", shown + timedelta(hours=1), recorded=at(DAY, 0))
    assert not build([Event("u0001", "j0001", "impression", shown), late])[0]["converted"]


def test_impressions_of_the_last_matured_day_get_in_and_of_the_next_day_do_not(
    build: Any,
) -> None:
    last = date(2026, 1, 11)
    found = build(
        [
            Event("u0001", "j0001", "impression", at(last, 23.99)),
            Event("u0002", "j0001", "impression", at(last, 24.0)),
        ]
    )
    assert [row["user_id"] for row in found] == ["u0001"]
    assert found[0]["split"] == "test"


moments = st.floats(0, 24 * len(DAYS) - 0.01)


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shown=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), moments, st.floats(0, 96)), max_size=30
    ),
    window=st.integers(1, 6),
)
def test_nothing_immature_and_nothing_of_the_future_ever_gets_in(
    build: Any,
    settings: Settings,
    shown: list[tuple[int, int, float, float]],
    window: int,
) -> None:
    events = [
        Event(f"u000{user}", f"j000{job}", kind, at(START, hour), at(START, hour + delay))
        for user, job, hour, delay in shown
        for kind in ("impression", "application")
    ]
    found = build(events, changed(settings, "events", attribution_window_days=window))
    start = day_start(DAY, ZONE)
    known = {
        (event.user, event.job, event.at)
        for event in events
        if event.kind == "impression"
        and event.at + timedelta(days=window) <= start
        and max(event.at, event.recorded or event.at) < start
    }
    assert {(row["user_id"], row["job_id"], row["shown_at"]) for row in found} == known
    for row in found:
        assert row["converted"]


def test_clocks_that_go_forward_do_not_let_an_unfinished_window_in(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings
) -> None:
    # 8 March 2026 has 23 hours, so three days after 23:30 on the 6th end at 00:30 on the 10th.
    put_people(session)
    days = DayRange(date(2026, 2, 20), date(2026, 3, 9))
    start = changed(settings, "platform", start_date=days.first)
    events = background(days)
    events += [
        Event("u0001", "j0001", "impression", at(date(2026, 3, 6), hour)) for hour in (1, 23.5)
    ]
    put_events(session, events, days)
    build_features(Session(start, lake, con), days)
    build_examples(Session(start, lake, con), date(2026, 3, 10))
    found = [row for row in rows(session, date(2026, 3, 10)) if row["user_id"] == "u0001"]
    assert [row["shown_at"] for row in found] == [at(date(2026, 3, 6), 1)]


def test_the_summary_counts_each_window_and_says_that_they_were_shortened(
    session: Session, day: date
) -> None:
    day = date(2026, 1, 13)
    summary = build_examples(session, day)
    assert [len(split.days) for split in summary.splits.values()] == [7, 1, 1]
    assert summary.rows == len(rows(session, day))
    assert all(split.positives > 0 for split in summary.splits.values())
    assert "shortened" in summary.notes[0]


def test_building_twice_gives_the_same_bytes(session: Session, lake: Lake, day: date) -> None:
    build_examples(session, day)
    first = lake.storage.read(lake.key(TRAINING_EXAMPLES, day))
    build_examples(session, day)
    assert lake.storage.read(lake.key(TRAINING_EXAMPLES, day)) == first


def test_above_the_limit_whole_slates_are_kept_by_hash(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    everything = rows(session, day)
    few = changed(settings, "training", max_examples=1000)
    summary = build_examples(Session(few, lake, con), day)
    kept = rows(session, day)
    slates = {row["slate"] for row in kept}
    assert kept == [row for row in everything if row["slate"] in slates]
    assert 700 < summary.splits["train"].rows < 1300
    assert any("train" in note for note in summary.notes)


def test_missing_features_are_named_with_the_command_to_run(session: Session) -> None:
    put_people(session)
    put_events(session, background(), DAYS)
    with pytest.raises(NotReadyError, match="user_features"):
        build_examples(session, DAY)


def test_a_source_without_impressions_is_told_about_sampled_negatives(
    session: Session, day: date
) -> None:
    put_events(session, [], DAYS)
    with pytest.raises(TrainingError, match="sampled"):
        build_examples(session, DAY)


def test_negatives_are_open_jobs_of_the_users_region_that_are_not_the_positive(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, sampled: Settings, day: date
) -> None:
    put_events(session, interest(), DAYS)
    build_examples(Session(sampled, lake, con), DAY)
    found = rows(session)
    clicks = {(event.user, event.job, event.at) for event in interest()}
    drawn = [row for row in found if (row["user_id"], row["job_id"], row["shown_at"]) not in clicks]
    assert len(drawn) == 4 * (len(found) - len(drawn))
    for row in drawn:
        assert int(row["user_id"][1:]) % 2 == int(row["job_id"][1:]) % 2
        assert row["position"] is None
    slates = {row["slate"] for row in found}
    assert all(sum(row["slate"] == slate for row in found) == 5 for slate in slates)
    assert {row["converted"] for row in found} == {True, False}


def test_jobs_that_open_or_close_during_the_day_are_drawn_only_while_open_on_both_ends(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, sampled: Settings, day: date
) -> None:
    # Half the jobs close on the 8th at noon, j0004 opens on the 9th at six; clicks start at ten.
    closes, opens = at(SHOWN, 12), at(date(2026, 1, 9), 6)
    closing = {f"j{number:04d}" for number in range(24) if number % 4 >= 2}
    changed_jobs = (
        f"SELECT * REPLACE (if(job_id IN {tuple(sorted(closing))}, TIMESTAMPTZ '{closes}', NULL) "
        f"AS closed_at, if(job_id = 'j0004', TIMESTAMPTZ '{opens}', opened_at) AS opened_at) "
        f"FROM {lake.select(JOBS)}"
    )
    con.execute(f"CREATE TEMP TABLE changed_jobs AS {changed_jobs}")
    lake.write(con, JOBS, "SELECT * FROM changed_jobs")
    keep(session)
    put_events(session, interest(), DAYS)
    build_examples(Session(sampled, lake, con), DAY)
    found = rows(session)
    clicks = {(event.user, event.job, event.at) for event in interest()}
    drawn = [row for row in found if (row["user_id"], row["job_id"], row["shown_at"]) not in clicks]
    before_noon = [row["shown_at"] for row in drawn if row["job_id"] in closing]
    late = [row["shown_at"] for row in found if row["job_id"] == "j0004"]
    assert before_noon and max(before_noon) < closes
    assert late and min(late) >= at(date(2026, 1, 10), 0)


def test_the_draw_of_negatives_is_the_same_each_time(
    session: Session,
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    lake: Lake,
    sampled: Settings,
    day: date,
) -> None:
    put_events(session, interest(), DAYS)
    build_examples(Session(sampled, lake, con), DAY)
    first = lake.storage.read(lake.key(TRAINING_EXAMPLES, DAY))
    other = open_lake(sampled)
    with other.connect() as fresh:
        fresh.execute("SET threads = 1")
        build_examples(Session(sampled, other, fresh), DAY)
    assert lake.storage.read(lake.key(TRAINING_EXAMPLES, DAY)) == first
