"""Rows are told apart by a complete key."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Column, KeyQuality, Session, Table, key_quality

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake

DAY = date(2026, 3, 8)
PEOPLE = Table(
    "people",
    "People and their towns.",
    (Column("name", "VARCHAR", "name"), Column("town", "VARCHAR", "town")),
    key=("name", "town"),
)


def written(session: Session, values: str, day: date = DAY) -> None:
    session.lake.write(
        session.con, PEOPLE, f"SELECT * FROM (VALUES {values}) AS v(name, town)", day
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("('a', 'x'), ('a', 'y'), ('b', 'x')", KeyQuality(3, 0, 0)),
        ("('a', 'x'), ('a', 'x'), ('a', 'x')", KeyQuality(3, 0, 2)),
        ("('a', 'x'), ('a', NULL)", KeyQuality(2, 1, 0)),
    ],
)
def test_repeated_and_incomplete_keys_are_counted(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, values: str, expected: KeyQuality
) -> None:
    written(session, values)
    assert key_quality(con, lake, PEOPLE, DayRange.of(DAY)) == expected


def test_the_same_key_on_two_days_is_no_repetition(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    written(session, "('a', 'x')")
    written(session, "('a', 'x')", DAY + ONE_DAY)
    assert key_quality(con, lake, PEOPLE).holds


def test_only_the_days_asked_for_are_looked_at(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    written(session, "('a', 'x'), ('a', 'x')")
    written(session, "('a', 'x')", DAY + ONE_DAY)
    assert not key_quality(con, lake, PEOPLE, DayRange.of(DAY)).holds
    assert key_quality(con, lake, PEOPLE, DayRange.of(DAY + ONE_DAY)).rows == 1
