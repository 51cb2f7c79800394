"""A view for every table and log type, typed, and without personal data by default."""

from __future__ import annotations

import duckdb
import pytest

from conversion_platform.catalog import attach_views, catalog, personal_columns, viewed_tables
from conversion_platform.days import DayRange
from conversion_platform.event_log import EVENT_TYPES, record
from conversion_platform.lake import Session
from conversion_platform_tests.event_log.small_lake import DAY, PHONE, fill, fill_people


def columns(con: duckdb.DuckDBPyConnection, view: str) -> list[tuple[str, str]]:
    described = con.execute(f"DESCRIBE {view}").fetchall()
    return [(row[0], row[1]) for row in described]


def test_an_empty_lake_has_every_view_of_the_catalog_with_its_columns(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    names = attach_views(session, personal=True)
    assert names == [*(entry.name for entry in catalog()), "event_log"]
    for entry in catalog():
        found = dict(columns(con, entry.name))
        assert set(found) == {column.name for column in entry.columns}, entry.name
        assert con.execute(f'SELECT count(*) FROM "{entry.name}"').fetchall() == [(0,)]


def test_types_are_the_same_with_and_without_files(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    attach_views(session)
    empty = {kind.name: set(columns(con, kind.view)) for kind in EVENT_TYPES}
    fill(session)
    for kind in EVENT_TYPES:
        record(session, kind.name, DayRange.of(DAY))
    attach_views(session)
    assert {kind.name: set(columns(con, kind.view)) for kind in EVENT_TYPES} == empty


def test_the_event_log_view_holds_every_event_with_what_they_share(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    fill(session)
    for kind in EVENT_TYPES:
        record(session, kind.name, DayRange.of(DAY))
    attach_views(session)
    found = con.execute(
        "SELECT event_type, user_id, job_id, detail FROM event_log "
        "WHERE event_type != 'prediction_batch' ORDER BY ALL"
    ).fetchall()
    assert found == [
        ("assignment", "u1", "j1", "treatment"),
        ("assignment", "u2", "j1", "holdout"),
        ("message_state", "u1", "j1", "planned"),
        ("message_state", "u1", "j1", "sent"),
        ("outcome", "u1", "j1", "click"),
        ("outcome", "u1", "j1", "opt_out"),
        ("outcome", "u2", "j1", "conversion_any"),
        ("reply", "u1", None, "stop"),
    ]
    assert con.execute("SELECT count(*) FROM event_log").fetchall() == [(9,)]


def test_personal_data_is_hidden_unless_asked_for(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    fill_people(session)
    attach_views(session)
    shown = dict(columns(con, "users"))
    hidden = {"phone", "latitude", "longitude", "postal_code", "first_name", "email_address"}
    assert not hidden & set(shown)
    assert {"user_id", "state", "years_of_experience"} <= set(shown)
    views = [entry.name for entry in catalog() if entry.kind == "table" and not entry.personal]
    for view in views:
        text = str(con.execute(f"SELECT * FROM {view}").fetchall())
        assert PHONE not in text
        assert "elda" not in text
    with pytest.raises(duckdb.CatalogException):
        con.execute("SELECT * FROM users_contacts")
    attach_views(session, personal=True)
    assert PHONE in str(con.execute("SELECT * FROM users_contacts").fetchall())


def test_a_personal_column_is_declared_in_personal_tables_alone() -> None:
    assert set(personal_columns()) >= {"phone", "postal_code", "consent_text", "detail", "row_json"}
    for table in viewed_tables():
        assert not any(column.personal for column in table.columns if table.name != "jobs")


def test_the_local_day_of_a_moment_is_at_hand(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    attach_views(session)
    query = "SELECT local_day(TIMESTAMPTZ '2026-03-03 03:00:00+00')"
    assert con.execute(query).fetchall() == [(DAY,)]


def test_every_table_and_column_is_described() -> None:
    entries = catalog()
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.description.endswith(".")
        assert all(column.description for column in entry.columns), entry.name
