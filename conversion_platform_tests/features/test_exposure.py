"""What our own messages cause is counted apart: it moves no other feature."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
    build_features,
    feature_spec,
    pair_query,
)
from conversion_platform.lake import Session
from conversion_platform_tests.features.world import (
    Row,
    World,
    at,
    configured,
    event,
    fill,
    message,
    random_world,
    rows_of,
)

FIRST = date(2026, 1, 20)
DAY = date(2026, 3, 1)
DAYS = DayRange(DAY, DAY + ONE_DAY)
HISTORY = DayRange(FIRST, DAYS.last)
TEXT_COUNTS = "user_text_clicks_28d, user_text_conversions_28d"
KINDS = ("click", "application", "impression", "hire")


def everything(folder: Path, world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each feature table and of all pairs, without what is counted of messages.

    Effects learn from messages too: which jobs are answered, and how many messages tire.
    """
    folder.mkdir()
    lake, settings = configured(folder, start=FIRST)
    with lake.connect() as con:
        session = Session(settings, lake, con)
        fill(session, world, HISTORY)
        build_features(session, DAYS)
        pairs = (
            f"(SELECT u.dt, u.user_id, j.job_id FROM {lake.select(USER_FEATURES, DAYS)} AS u "
            f"JOIN {lake.select(JOB_FEATURES, DAYS)} AS j USING (dt))"
        )
        queries = {
            "pairs": f"({pair_query(session, feature_spec(session), pairs, DAYS)})",
            "categories": lake.select(USER_CATEGORY_FEATURES, DAYS),
        }
        organic = "COLUMNS(lambda name: NOT regexp_matches(name, 'text|effect|slope|expected'))"
        return {
            name: con.execute(f"SELECT {organic} FROM {query} ORDER BY ALL").fetchall()
            for name, query in queries.items()
        }


def test_messages_and_what_they_cause_move_no_other_feature(tmp_path: Path) -> None:
    world = random_world(3, HISTORY, users=6, jobs=5, events=600)
    more = [
        event(50_000 + n, f"u{n % 6}", f"j{n % 5}", KINDS[n % 4], at(day, n % 24), channel="text")
        for day in HISTORY
        for n in range((day - FIRST).days * 20, (day - FIRST).days * 20 + 20)
    ]
    sent = [message(n, f"u{n % 6}", day, at(day, 10)) for n, day in enumerate(HISTORY)]
    flooded = World(world.users, world.jobs, world.events + more, sent)
    before = everything(tmp_path / "before", world)
    assert everything(tmp_path / "after", flooded) == before
    assert all(len(rows) > 10 for rows in before.values())


def one_user(folder: Path, events: list[Row], more: str = "", columns: str = TEXT_COUNTS) -> Row:
    """The features of u0, who clicks and applies, on each day."""
    world = World(
        users=[{"user_id": "u0", "created_at": at(FIRST, 0)}],
        jobs=[{"job_id": "j0", "opened_at": at(FIRST, 0)}],
        events=events,
    )
    rows = rows_of(configured(folder, more, FIRST), world, DAYS, USER_FEATURES, f"dt, {columns}")
    return {row[0]: row[1:] for row in rows}


def test_clicks_and_conversions_through_messages_count_for_28_days(tmp_path: Path) -> None:
    far, near = DAY - timedelta(days=28), DAY - ONE_DAY
    events = [
        event(1, "u0", "j0", "click", at(far, 0), channel="text"),
        event(2, "u0", "j0", "click", at(far, -0.01), channel="text"),
        event(3, "u0", "j0", "application", at(near, 23.99), channel="text"),
        event(4, "u0", "j0", "application", at(DAY, 0), channel="text"),
        event(5, "u0", "j0", "click", at(near, 5), channel="web"),
    ]
    assert one_user(tmp_path, events) == {DAY: (1, 1), DAYS.last: (0, 2)}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [('["text"]', (1, 2)), ('["sms", "push"]', (2, 1)), ("[]", (0, 3))],
)
def test_the_settings_say_which_channels_are_ours(
    channels: str, expected: tuple[int, int], tmp_path: Path
) -> None:
    events = [
        event(number, "u0", "j0", "click", at(DAY - ONE_DAY, number), channel=channel)
        for number, channel in enumerate(("text", "sms", "push"))
    ]
    columns = "user_text_clicks_28d, user_clicks_28d"
    found = one_user(tmp_path, events, f"[events]\ntext_channels = {channels}\n", columns)
    assert found[DAY] == expected


def received(folder: Path, messages: list[Row], more: str = "") -> Row:
    """Messages that u0 received within 7 and 28 days, by day."""
    world = World(
        users=[{"user_id": "u0", "created_at": at(FIRST, 0)}],
        jobs=[{"job_id": "j0", "opened_at": at(FIRST, 0)}],
        messages=messages,
    )
    columns = "dt, user_texts_7d, user_texts_28d"
    rows = rows_of(configured(folder, more, FIRST), world, DAYS, USER_FEATURES, columns)
    return {row[0]: row[1:] for row in rows}


def test_a_lake_without_messages_counts_none(tmp_path: Path) -> None:
    assert received(tmp_path, []) == {DAY: (0, 0), DAYS.last: (0, 0)}


@pytest.mark.parametrize(("more", "counted"), [("", 0), ("[features]\nreplayed_texts = true\n", 1)])
def test_messages_of_the_replay_clock_count_only_where_somebody_reacts_to_them(
    more: str, counted: int, tmp_path: Path
) -> None:
    messages = [message(1, "u0", DAY - ONE_DAY, at(DAY, -1))]
    found = received(tmp_path, messages, f'clock = "replay"\n{more}')
    assert found == {DAY: (counted, counted), DAYS.last: (counted, counted)}


def test_messages_count_from_the_morning_after_their_delivery(tmp_path: Path) -> None:
    messages = [
        message(1, "u0", DAY - timedelta(days=7), at(DAY - timedelta(days=7), 0)),
        message(2, "u0", DAY - timedelta(days=28), at(DAY - timedelta(days=28), 0)),
        message(3, "u0", DAY - timedelta(days=29), at(DAY - timedelta(days=28), -0.01)),
        message(4, "u0", DAY - ONE_DAY, at(DAY, -0.01)),
        message(5, "u0", DAY - ONE_DAY, at(DAY, 0)),
        message(6, "u0", DAY - timedelta(days=31), at(DAY - timedelta(days=28), 3)),
        message(7, "u0", DAY - ONE_DAY, None),
        message(8, "u1", DAY - ONE_DAY, at(DAY, -1)),
    ]
    assert received(tmp_path, messages) == {DAY: (2, 4), DAYS.last: (2, 3)}


def test_a_day_counts_the_same_messages_alone_and_in_a_range(tmp_path: Path) -> None:
    world = random_world(8, HISTORY, users=5, jobs=3, events=50, messages=80)
    long = DayRange(DAY - timedelta(days=20), DAYS.last)  # longer than what is prepared at once
    setting = configured(tmp_path, start=FIRST)
    columns = "dt, user_id, user_texts_7d, user_texts_28d"
    ranged = rows_of(setting, world, long, USER_FEATURES, columns)
    alone = rows_of(setting, world, DayRange.of(DAY), USER_FEATURES, columns)
    assert [row for row in ranged if row[0] == DAY] == alone
    assert any(row[3] for row in alone)
