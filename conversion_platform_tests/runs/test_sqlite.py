"""Rows of a run are written with few syncs of the disk, and are all there."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.pool import NullPool

from conversion_platform.runs.sqlite import fewer_syncs

NORMAL, FULL = 1, 2


@pytest.fixture
def engine(tmp_path: Path) -> sqlalchemy.Engine:
    """A database with a journal, opened anew for each statement, as Dagster does."""
    made = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/rows.db", poolclass=NullPool)
    with made.begin() as connection:
        connection.execute(sqlalchemy.text("PRAGMA journal_mode = WAL"))
        connection.execute(sqlalchemy.text("CREATE TABLE one (number INTEGER)"))
    return made


def synchronous(engine: sqlalchemy.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sqlalchemy.text("PRAGMA synchronous")).scalar_one())


def insert(engine: sqlalchemy.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO one VALUES (1)"))


def test_the_journal_is_folded_away_once_and_not_with_each_row(
    engine: sqlalchemy.Engine, tmp_path: Path
) -> None:
    journal = tmp_path / "rows.db-wal"
    with fewer_syncs():
        for _ in range(3):
            insert(engine)
            assert journal.exists()
        assert synchronous(engine) == NORMAL
    assert not journal.exists()
    assert synchronous(engine) == FULL
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM one")).scalar_one() == 3


def test_a_database_without_a_journal_stays_as_it_is(tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/plain.db", poolclass=NullPool)
    with fewer_syncs():
        assert synchronous(engine) == FULL
