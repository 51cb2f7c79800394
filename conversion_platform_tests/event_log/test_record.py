"""What the stages wrote becomes events, each once, without personal data."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.catalog import attach_views
from conversion_platform.days import DayRange
from conversion_platform.event_log import EVENT_TYPES, record
from conversion_platform.lake import Lake, LocalStorage, Session
from conversion_platform.marketplace import USERS_HISTORY
from conversion_platform.marketplace.history import fold_snapshots
from conversion_platform.settings import Settings
from conversion_platform.training.registry.pointers import POINTERS, Pointer, add_pointer
from conversion_platform_tests.event_log.small_lake import DAY, fill, fill_people
from conversion_platform_tests.marketplace.history.world import day, keep, opened

if TYPE_CHECKING:
    import duckdb

DAYS = DayRange.of(DAY)
RUN_TIME = datetime(2026, 3, 2, 11, tzinfo=UTC)  # 06:00 in New York


def record_all(session: Session, days: DayRange = DAYS) -> dict[str, int]:
    return {kind.name: record(session, kind.name, days).new for kind in EVENT_TYPES}


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


@pytest.fixture
def con(
    settings: Settings, lake: Lake, con: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyConnection:
    fill(Session(settings, lake, con))
    fill_people(Session(settings, lake, con))
    for pointer in (
        Pointer(1, "v0", date(2026, 2, 23), "First."),
        Pointer(2, "v1", DAY, "It's better.", "Ann", previous="v0"),
    ):
        add_pointer(lake, POINTERS, pointer)
    return con


def test_everything_of_a_day_is_logged_once(session: Session, lake: Lake) -> None:
    first = record_all(session)
    assert first == {
        "snapshot": 0,
        "prediction_batch": 1,
        "assignment": 2,
        "message_state": 2,
        "reply": 1,
        "outcome": 3,
        "model_promotion": 1,
    }
    before = {key: lake.storage.read(key) for key in lake.storage.list("event_log")}
    assert set(record_all(session).values()) == {0}
    assert {key: lake.storage.read(key) for key in lake.storage.list("event_log")} == before


def test_a_prediction_batch_says_how_much_by_what_and_from_which_bytes(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    record_all(session)
    fill(session, version="'v2'")
    assert record_all(session)["prediction_batch"] == 1
    attach_views(session)
    found = rows(
        con,
        "SELECT model_version, users, rows, occurred_at, length(fingerprint), recorded_at "
        "FROM log_prediction_batch ORDER BY model_version",
    )
    assert found == [("v1", 2, 3, RUN_TIME, 64, None), ("v2", 2, 3, RUN_TIME, 64, None)]
    assert rows(con, "SELECT count(DISTINCT fingerprint) FROM log_prediction_batch") == [(2,)]


def test_an_assignment_that_was_made_anew_stands_beside_the_first(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    record_all(session)
    fill(session, version="'v2'")
    assert record_all(session)["assignment"] == 1
    attach_views(session)
    found = rows(con, "SELECT model_version FROM log_assignment WHERE user_id = 'u1' ORDER BY 1")
    assert found == [("v1",), ("v2",)]


def test_the_holdout_is_logged_as_such(session: Session, con: duckdb.DuckDBPyConnection) -> None:
    record_all(session)
    attach_views(session)
    assert rows(con, "SELECT user_id FROM log_assignment WHERE arm = 'holdout'") == [("u2",)]
    found = rows(con, "SELECT user_id, kind, dt, occurred_at FROM log_outcome ORDER BY ALL")
    assert found == [
        ("u1", "click", DAY, datetime(2026, 3, 2, 15, 10, tzinfo=UTC)),
        ("u1", "opt_out", DAY, datetime(2026, 3, 2, 16, tzinfo=UTC)),
        ("u2", "conversion_any", DAY, datetime(2026, 3, 4, 1, tzinfo=UTC)),
    ]


def test_a_promotion_names_the_champion_before(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    record(session, "model_promotion", DAYS.widened(before=30))
    attach_views(session)
    found = rows(con, "SELECT dt, number, previous_version, reason FROM log_model_promotion")
    assert sorted(found)[1] == (DAY, 2, "v0", "It's better.")
    assert sorted(found)[0][2] is None


def test_days_that_have_not_run_add_nothing(session: Session) -> None:
    days = DayRange.of(DAY).widened(before=-1, after=5)
    assert set(record_all(session, days).values()) == {0}


def test_an_empty_lake_adds_nothing(tmp_path: Path, settings: Settings) -> None:
    lake = Lake(LocalStorage(tmp_path / "empty"))
    with lake.connect() as con:
        assert set(record_all(Session(settings, lake, con)).values()) == {0}
    assert lake.storage.list("") == []


def test_the_log_holds_no_personal_data(session: Session, con: duckdb.DuckDBPyConnection) -> None:
    record_all(session)
    attach_views(session)
    for kind in EVENT_TYPES:
        text = str(rows(con, f"SELECT * FROM {kind.view}"))
        assert "+1512" not in text
        assert "Zelda" not in text


def test_the_time_of_logging_is_kept_where_it_is_given(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    now = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)
    record(session, "reply", DAYS, recorded_at=now)
    attach_views(session)
    assert rows(con, "SELECT recorded_at FROM log_reply") == [(now,)]


def _logged(session: Session, days: DayRange) -> list[tuple[Any, ...]]:
    """The snapshots in the log, and whether the digest is that of the file that is there."""
    record(session, "snapshot", days)
    attach_views(session)
    lake = session.lake
    files = {
        (one, hashlib.sha256(lake.storage.read(lake.key(USERS_HISTORY, one))).hexdigest())
        for one in lake.days(USERS_HISTORY)
    }
    found = rows(session.con, "SELECT dt, rows, gone, fingerprint FROM log_snapshot ORDER BY ALL")
    return [(dt, new, gone, (dt, digest) in files) for dt, new, gone, digest in found]


def test_each_snapshot_that_is_written_is_logged_with_its_digest(tmp_path: Path) -> None:
    first, second, third = (day(number) for number in range(3))
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        keep(session, 1, {"a": "y"})
        keep(session, 2, {"a": "y"})
        before = [(first, 1, 0, True), (second, 1, 0, True), (third, 0, 0, True)]
        assert _logged(session, DayRange(first, third)) == before
        keep(session, 1, {"a": "x"}, refresh=True)
        logged = _logged(session, DayRange(first, second))
        assert sorted(logged) == sorted(
            [
                (first, 1, 0, True),
                (second, 0, 0, True),  # what the snapshot has now: no change
                (second, 1, 0, False),
                (third, 0, 0, False),
                (third, 1, 0, True),  # whole, so that the one before it could be replaced
            ]
        )
        fold_snapshots(session, USERS_HISTORY, second)
        assert (second, 1, 0, True) in _logged(session, DayRange.of(third))
