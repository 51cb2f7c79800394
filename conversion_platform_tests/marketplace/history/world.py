"""Users as a source shows them on some days, and what a day should see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from conversion_platform.days import DayRange
from conversion_platform.lake import Session, open_session
from conversion_platform.marketplace import (
    USERS,
    USERS_HISTORY,
    Captured,
    as_of,
    capture,
    ever_known,
)
from conversion_platform.marketplace.history import USERS_VERSIONS
from conversion_platform.marketplace.history.reading import known_spans
from conversion_platform.settings import load_settings
from conversion_platform_tests.inference.marketplace import rows_query

Regions = Mapping[str, str]
"""Region of each user."""
Told = Mapping[str, list[tuple[int, str]]]
"""Versions of each user: the number of the day from whose start on it holds, and the region."""
START = date(2026, 3, 1)
JOINED = datetime(2026, 2, 1, tzinfo=UTC)


def day(number: int) -> date:
    """Day 0 is START."""
    return START + timedelta(days=number)


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """A session on an empty lake, in UTC."""
    file = folder / "conversion_platform.toml"
    file.write_text('[platform]\ntime_zone = "UTC"\n')
    with open_session(load_settings(file)) as session:
        yield session


def show(session: Session, users: Regions, told: Told | None = None) -> None:
    """Let the source show these users, and the versions that it tells of some of them."""
    told = told or {}
    joined = {user: _moment(dated[0][0]) for user, dated in told.items()}
    rows = [
        {"user_id": user, "region": users[user], "created_at": joined.get(user, JOINED)}
        for user in users
    ]
    session.lake.write(session.con, USERS, rows_query(USERS, rows))
    versions = [
        {
            "user_id": user,
            "region": region,
            "created_at": joined[user],
            "told_at": _moment(number),
        }
        for user, dated in told.items()
        for number, region in dated
    ]
    session.lake.write(session.con, USERS_VERSIONS, rows_query(USERS_VERSIONS, versions))


def _moment(number: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)


def keep(
    session: Session, number: int, users: Regions, told: Told | None = None, refresh: bool = False
) -> Captured:
    """Capture a day on which the source shows these users."""
    show(session, users, told)
    return capture(session, USERS_HISTORY, DayRange.of(day(number)), refresh)


def seen(session: Session, number: int) -> dict[str, str]:
    """The users that a day sees."""
    rows = session.con.execute(
        f"SELECT user_id, region FROM {as_of(session.lake, USERS_HISTORY, day(number))}"
    ).fetchall()
    assert len({user for user, _ in rows}) == len(rows)
    return dict(rows)


def files(session: Session) -> dict[str, bytes]:
    """The bytes of every snapshot."""
    storage = session.lake.storage
    return {key: storage.read(key) for key in storage.list(USERS_HISTORY.name)}


def known(session: Session, numbers: range) -> set[tuple[str, int]]:
    """The users that were ever captured, and those of the days with whose events they count."""
    ever = ever_known(session.lake, USERS_HISTORY)
    spans = known_spans(session.lake, USERS_HISTORY, f"(SELECT user_id FROM {ever})")
    rows = session.con.execute(
        f"SELECT user_id, _cp_known_from, _cp_known_until FROM {spans}"
    ).fetchall()
    return {
        (user, number)
        for user, first, end in rows
        for number in numbers
        if first <= day(number) < end
    }
