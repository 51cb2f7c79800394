"""A cohort that cannot be used is told before a day is run, with its name and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.applications.job_of_the_day import (
    MEMBERS,
    check_members,
    check_predicates,
)
from conversion_platform.applications.job_of_the_day.cohorts import predicate_nodes
from conversion_platform.applications.job_of_the_day.literals import check_literals
from conversion_platform.errors import Finding
from conversion_platform.lake import Session, open_session
from conversion_platform.marketplace import infer_attributes, load_jobs, load_users
from conversion_platform.marketplace.cell_patterns import is_name
from conversion_platform.marketplace.masking import STATES_LIKE_NAMES
from conversion_platform.messaging.rules import read_data
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.marketplace.world import write_parquet
from conversion_platform_tests.snapshots import keep

DAY = date(2026, 1, 5)
OWN = """-- level: user
SELECT d.dt, u.user_id, 1.0 AS mine FROM days AS d CROSS JOIN users AS u"""
USERS = """SELECT * FROM (VALUES
    (1, 'New York', 'day', 1, NULL), (2, 'Texas', 'night', 0, '12'), (3, 'Texas', 'day', 1, '7')
) AS u (user_id, state, shift, kids, zip)"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three users and a job, with further columns, and a custom feature."""
    folder = tmp_path_factory.mktemp("cohorts")
    (folder / "own").mkdir()
    (folder / "own/mine.sql").write_text(OWN)
    write_parquet(USERS, folder / "u.parquet")
    write_parquet("SELECT 1 AS job_id, TIMESTAMPTZ '2026-01-01' AS opened_at", folder / "j.parquet")
    write_parquet(
        "SELECT 1 AS user_id, 1 AS job_id, 'click' AS event_type, "
        "TIMESTAMPTZ '2026-01-02' AS occurred_at",
        folder / "e.parquet",
    )
    with open_session(cohort(folder, "true")) as session:
        load_users(session)
        load_jobs(session)
        infer_attributes(session)
        keep(session)
        yield session


def cohort(folder: Path, where: str) -> Settings:
    file = folder / "conversion_platform.toml"
    file.write_text(
        "[sources]\nusers = {path = 'u.parquet', attributes = ['kids', 'zip']}\n"
        "jobs = {path = 'j.parquet'}\n"
        "events = {path = 'e.parquet'}\n"
        f"[features]\nfolder = 'own'\n[cohorts.tested]\nwhere = '''{where}'''\n"
    )
    return load_settings(file)


def findings(loaded: Session, where: str) -> list[Finding]:
    settings = cohort(loaded.settings.base, where)
    found = check_predicates(loaded.con, settings)
    return found or check_members(Session(settings, loaded.lake, loaded.con), DAY)


@pytest.mark.parametrize(
    ("where", "members"),
    [
        ("true", 3),
        ("state = 'Texas' AND created_at < day - INTERVAL 3 DAY", 2),
        ("kids > 0", 2),
        ("shift IN ('day', 'night') AND NOT kids > 0", 1),
        ("coalesce(user_kids, 0) = 0 AND mine IS NULL AND user_clicks_7d IS NULL", 3),
        ("TRY_CAST(state AS INTEGER) IS NULL", 3),
    ],
)
def test_what_will_work_is_let_through_and_gives_the_members(
    loaded: Session, where: str, members: int
) -> None:
    assert findings(loaded, where) == []
    assert loaded.con.execute(f"SELECT count(*) FROM {MEMBERS}").fetchone() == (members,)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("user_clicks_7 > 0", 'Referenced column "user_clicks_7" not found'),
        ("kidz > 0", 'Referenced column "kidz" not found'),
        ("latitude > 40", "`latitude` of users is personal"),
        ("state >", "syntax error"),
        ("count(*) > 1", "aggregate"),
        ("day > 'soon'::DATE", "invalid date field format"),
        ("day > 'soon'::DATE + kidz", "not found"),
        ("CAST(state AS INTEGER) > 1", "Could not convert"),
        ("kids", "has to be true or false"),
        ("'yes'", "has to be true or false"),
        ("NULL", "has to be true or false"),
        ("shift = 1", "`shift` is text, and is compared with the number 1"),
        ("shift IN ('day', 2)", "`shift` is text, and is compared with the number 2"),
        ('state = "Texas"', '"Texas" in double quotes is the name of a column'),
        ("kids = 'many'", "Could not convert"),
    ],
)
def test_what_will_not_work_is_an_error_with_its_cohort(
    loaded: Session, where: str, why: str
) -> None:
    (found,) = [one for one in findings(loaded, where) if not one.warning]
    assert found.setting == "cohorts.tested.where"
    assert "cohort `tested`" in str(found.error)
    assert why.lower() in str(found.error).lower()


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("state = 'NY' OR kids = 1", "first: 'Texas', 'New York'"),
        ("state IN ('Texas', 'New Yorck')", "Did you mean 'New York'?"),
        ("'nihgt' = shift OR true", "Did you mean 'night'?"),
        ("kids > 5", "No user is in the cohort"),
    ],
)
def test_a_value_that_no_user_has_is_a_warning_with_the_values_that_there_are(
    loaded: Session, where: str, words: str
) -> None:
    (found,) = findings(loaded, where)
    assert found.warning
    assert words in str(found.error)


def test_a_value_of_an_attribute_is_not_shown(loaded: Session) -> None:
    told = " ".join(str(one.error) for one in findings(loaded, "zip = '13' OR true"))
    assert "which no user has" in told
    assert "'12'" not in told and "'7'" not in told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            ["day", "+1 212 555 0199", "zqs@planted.example", "Zqann Moved", "12 Planted Street"],
            "the most frequent first: 'day'. Others are not shown",
        ),
        (["Planted"], "the most frequent first: 'Planted'."),
        ([f"planted{n}" for n in range(24)], "the most frequent first: none. Others are not shown"),
        (["day", "zqs@planted.example"], "Did you mean 'day'?"),
    ],
    ids=["moved cells", "one value", "an identifier", "a near value"],
)
def test_of_the_values_of_a_column_none_is_listed_that_may_have_moved_there(
    loaded: Session, values: list[str], told: str
) -> None:
    query = "CREATE OR REPLACE TEMP TABLE people AS SELECT unnest(?::VARCHAR[]) AS shift"
    loaded.con.execute(query, [(values * 24)[:24]])
    where = "shift = 'dy'"
    nodes = predicate_nodes(loaded.con, where)
    found = check_literals(loaded.con, "tested", where, nodes, {"shift": "VARCHAR"}, "people")
    (warning,) = [str(one.error) for one in found]
    assert told in warning
    assert not re.search("0199|planted|Zq|Street", warning)


def test_every_state_of_two_words_is_known_to_be_no_name_of_a_person() -> None:
    names = {state["name"] for state in read_data("places.toml")["states"].values()}
    assert {name for name in names if is_name(name)} == STATES_LIKE_NAMES
