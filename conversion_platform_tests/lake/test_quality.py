"""Rows are told apart by a complete key."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Column, KeyQuality, Session, Table, key_quality, schema_quality

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


LIMITED = Table(
    "limited",
    "",
    (Column("id", "VARCHAR", ""), Column("share", "DOUBLE", "", low=0, high=1)),
    ("id",),
)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 'a' AS id, 0.5::DOUBLE AS share", "every column is as declared"),
        ("SELECT 'a' AS id, NULL::DOUBLE AS share", "every column is as declared"),
        ("SELECT 'a' AS id", "no column share"),
        ("SELECT 'a' AS id, '0.5' AS share", "share is VARCHAR"),
        ("SELECT 'a' AS id, 1.5::DOUBLE AS share", "1 values of share lie outside of its range"),
        ("SELECT 'a' AS id, -0.1::DOUBLE AS share", "1 values of share lie outside of its range"),
    ],
)
def test_a_file_that_is_not_as_declared_is_told(
    con: duckdb.DuckDBPyConnection, lake: Lake, query: str, told: str
) -> None:
    lake.write(con, LIMITED, query, DAY)
    found = schema_quality(con, lake, LIMITED, DayRange.of(DAY))
    assert (str(found), found.holds) == (told, told.startswith("every"))
