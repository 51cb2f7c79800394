"""A view for every table and log type, typed, and without personal data by default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from conversion_platform.catalog import attach_views, catalog
from conversion_platform.catalog.personal import PERSONAL_NAMES
from conversion_platform.days import DayRange
from conversion_platform.event_log import EVENT_TYPES, record
from conversion_platform.lake import Session
from conversion_platform_tests.event_log.small_lake import DAY, PHONE, fill, fill_people

if TYPE_CHECKING:
    import duckdb


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
    for view in ("users", "rejected_users"):
        text = str(con.execute(f"SELECT * FROM {view}").fetchall())
        assert PHONE not in text
        assert "elda" not in text
    attach_views(session, personal=True)
    assert PHONE in str(con.execute("SELECT * FROM users").fetchall())


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "first_name",
        "user_name",
        "fullname",
        "home_phone",
        "phone2",
        "mobile_number",
        "email",
        "e_mail",
        "dob",
        "ssn",
        "email_address",
        "street_address",
        "zip",
        "zip_code",
        "home_lat",
        "date_of_birth",
        "last_name_1",
    ],
)
def test_attributes_that_name_or_place_a_person_are_hidden(name: str) -> None:
    assert re.search(PERSONAL_NAMES, name)


@pytest.mark.parametrize(
    "name",
    [
        "years_of_experience",
        "state",
        "region",
        "shift",
        "rating",
        "platform",
        "late_shows",
        "template",
        "relation",
        "named_skill_count",
        "latest_login",
        "wage",
    ],
)
def test_other_attributes_are_shown(name: str) -> None:
    assert not re.search(PERSONAL_NAMES, name)


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
