from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SettingsError
from conversion_platform.features import USER_FEATURES, build_features, feature_spec, pair_query
from conversion_platform.features.custom import custom_files, run_custom_files
from conversion_platform.features.sources import attach_sources
from conversion_platform.lake import Lake, Session, open_lake, open_storage
from conversion_platform.marketplace import USERS_CONTACTS, USERS_HISTORY, shown_as_of
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.features.world import World, at, event, fill
from conversion_platform_tests.servers import S3Server

FIRST = date(2026, 2, 1)
DAY = date(2026, 2, 4)
Install = Callable[[dict[str, str]], tuple[Lake, Settings]]

CLICKS = """-- level: user
SELECT d.dt, e.user_id, count(*) AS evening_clicks
FROM days AS d
JOIN events AS e ON e.known_at < d.as_of AND e.event_type = 'click'
GROUP BY ALL;
"""


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def installed(files: dict[str, str]) -> tuple[Lake, Settings]:
        file = tmp_path / "conversion_platform.toml"
        file.write_text('[platform]\nstart_date = 2026-02-01\n[features]\nfolder = "custom"\n')
        (tmp_path / "custom").mkdir()
        for name, text in files.items():
            (tmp_path / "custom" / name).write_text(text)
        settings = load_settings(file)
        lake = open_lake(settings)
        world = World(
            users=[{"user_id": f"u{n}", "created_at": at(FIRST, 0)} for n in range(2)],
            jobs=[{"job_id": "j0", "opened_at": at(FIRST, 0), "pay": 12.5}],
            events=[
                event(1, "u0", "j0", "click", at(FIRST, 20)),
                event(2, "u0", "j0", "click", at(date(2026, 2, 2), 20)),
            ],
        )
        with lake.connect() as con:
            fill(Session(settings, lake, con), world, DayRange(FIRST, DAY))
        return lake, settings

    return installed


def test_a_file_adds_its_columns_to_its_level_and_to_pairs(install: Install) -> None:
    jobs = "-- level: job\nSELECT dt, job_id, pay * 2 AS double_pay, pay > 5 AS well_paid "
    lake, settings = install({"clicks.sql": CLICKS, "pay.sql": f"{jobs} FROM days, jobs"})
    days = DayRange(date(2026, 2, 2), DAY)
    with lake.connect() as con:
        build_features(Session(settings, lake, con), days)
        spec = feature_spec(Session(settings, lake, con))
        pairs = (
            "(SELECT 'u0' AS user_id, 'j0' AS job_id, DATE '2026-02-02' + n::INTEGER AS dt "
            "FROM range(3) AS r (n))"
        )
        query = pair_query(Session(settings, lake, con), spec, pairs, days)
        found = con.execute(
            f"SELECT evening_clicks, double_pay, well_paid FROM ({query}) ORDER BY dt"
        ).fetchall()
    assert {"evening_clicks", "double_pay", "well_paid"} <= set(spec.names("numeric"))
    assert found == [(1.0, 25.0, 1.0), (2.0, 25.0, 1.0), (2.0, 25.0, 1.0)]


def test_a_custom_file_gives_a_day_the_same_bytes_alone_and_in_a_range(install: Install) -> None:
    lake, settings = install({"clicks.sql": CLICKS})
    key = f"user_features/dt={DAY}/data.parquet"
    with lake.connect() as con:
        build_features(Session(settings, lake, con), DayRange(date(2026, 2, 2), DAY))
    in_range = lake.storage.read(key)
    with lake.connect() as con:
        build_features(Session(settings, lake, con), DayRange.of(DAY))
    assert lake.storage.read(key) == in_range


def test_the_views_for_custom_files_are_gone_when_the_features_are_built(install: Install) -> None:
    lake, settings = install({"clicks.sql": CLICKS})
    with lake.connect() as con:
        build_features(Session(settings, lake, con), DayRange.of(DAY))
        views = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert not {name for (name,) in views} & {"users", "jobs", "events", "days"}


WRONG = {
    "without a level": ("SELECT 1", "does not say what its rows are"),
    "with a level that is not one": ("-- level: pair\nSELECT 1", "does not say what its rows are"),
    "with a typing error": ("-- level: user\nSELEC 1", "wrong.sql fails"),
    "with a column that is not there": (
        "-- level: user\nSELECT dt, user_id, height AS x FROM days, users",
        "wrong.sql fails: .*height",
    ),
    "without dt": ("-- level: user\nSELECT user_id, 1 AS x FROM users", "no column `dt`"),
    "without its id": ("-- level: job\nSELECT dt, 1 AS x FROM days", "no column `job_id`"),
    "with a text": (
        "-- level: user\nSELECT dt, user_id, shift AS x FROM days, users",
        "`x` is VARCHAR, not a number",
    ),
    "with a name that is taken": (
        "-- level: user\nSELECT dt, user_id, 1 AS user_clicks_7d FROM days, users",
        "there is a feature of that name",
    ),
    "with a name that needs quotes": (
        '-- level: user\nSELECT dt, user_id, 1 AS "My Feature" FROM days, users',
        "cannot be a feature's name",
    ),
    "without a feature": ("-- level: user\nSELECT dt, user_id FROM days, users", "no feature"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_the_specification_refuses_a_file(text: str, message: str, install: Install) -> None:
    lake, settings = install({"wrong.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match=message) as raised:
        feature_spec(Session(settings, lake, con))
    assert "wrong.sql" in raised.value.problem


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_building_refuses_a_file_and_writes_nothing(
    text: str, message: str, install: Install
) -> None:
    lake, settings = install({"wrong.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match=message):
        build_features(Session(settings, lake, con), DayRange.of(DAY))
    assert lake.storage.list("user_features") == []


def test_two_rows_for_one_user_and_day_are_refused(install: Install) -> None:
    text = "-- level: user\nSELECT dt, user_id, 1 AS x FROM days, users, range(2)"
    lake, settings = install({"twice.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match="2 rows for dt 2026-02-04"):
        build_features(Session(settings, lake, con), DayRange.of(DAY))


def test_an_infinite_value_is_refused_with_its_column_and_user(install: Install) -> None:
    text = "-- level: user\nSELECT dt, user_id, 1.0::DOUBLE / 0 AS x FROM days, users"
    lake, settings = install({"ratio.sql": text})
    wanted = r"ratio\.sql: the column `x` is infinite for dt 2026-02-04 and user_id 'u0'"
    with lake.connect() as con, pytest.raises(SettingsError, match=wanted) as raised:
        build_features(Session(settings, lake, con), DayRange.of(DAY))
    assert "nullif" in raised.value.remedy


def test_an_error_while_running_names_the_file(install: Install) -> None:
    text = (
        "-- level: user\nSELECT dt, user_id, CAST('a' || user_id AS INTEGER) AS x FROM days, users"
    )
    lake, settings = install({"casts.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match=r"casts\.sql fails"):
        build_features(Session(settings, lake, con), DayRange.of(DAY))


@pytest.mark.parametrize("column", ["latitude", "longitude", "phone", "postal_code"])
def test_a_personal_column_of_users_is_no_column_for_a_file(column: str, install: Install) -> None:
    text = f"-- level: user\nSELECT dt, user_id, u.{column} AS where_a FROM days, users AS u"
    lake, settings = install({"places.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match=column) as raised:
        build_features(Session(settings, lake, con), DayRange.of(DAY))
    assert f"`{column}` of users is personal" in raised.value.remedy
    assert lake.storage.list("user_features") == []


def test_what_files_and_cohorts_see_of_users_has_no_column_that_is_flagged_personal(
    install: Install,
) -> None:
    lake, _ = install({})
    with lake.connect() as con:
        seen = con.sql(f"FROM {shown_as_of(lake, USERS_HISTORY, DAY)} LIMIT 0").columns
    kept = {column.name: column.personal for column in USERS_HISTORY.columns}
    assert True in kept.values()
    assert not [name for name in seen if kept[name]]
    assert {"user_id", "region", "desired_pay"} <= set(seen)


FILES = {
    "of a personal table": "read_parquet('{lake}/personal/users_contacts/data.parquet')",
    "by its name alone": "'{lake}/personal/users_contacts/data.parquet'",
    "of the history": "read_parquet('{lake}/personal/users_history/*/data.parquet')",
    "of a source": "read_csv('{lake}/../source.csv')",
    "as text": "read_text('{lake}/../source.csv')",
    "by a listing": "glob('{lake}/personal/**')",
    "of another table": "read_parquet('{lake}/attributes/data.parquet')",
}


@pytest.mark.parametrize("relation", FILES.values(), ids=FILES)
def test_a_file_that_opens_a_file_is_refused(
    relation: str, tmp_path: Path, install: Install
) -> None:
    (tmp_path / "source.csv").write_text("user_id,phone\nu0,+12125550142\n")
    lake, settings = install({})
    read = relation.format(lake=lake.storage.root)
    text = f"-- level: user\nSELECT dt, 'u0' AS user_id, count(*) AS n FROM days, {read} GROUP BY 1"
    (tmp_path / "custom/contacts.sql").write_text(text)
    with lake.connect() as con:
        session = Session(settings, lake, con)
        for refused in (
            lambda: feature_spec(session),
            lambda: run_custom_files(session, custom_files(settings), DayRange.of(DAY)),
        ):
            with pytest.raises(SettingsError, match=r"contacts\.sql opens a file") as raised:
                refused()
            assert "days, events, users, jobs" in raised.value.remedy


@pytest.mark.parametrize("table", ["feature_users", "users_contacts", "users_history"])
def test_a_file_sees_no_other_table_of_the_run(table: str, install: Install) -> None:
    text = f"-- level: user\nSELECT dt, user_id, 1 AS x FROM days, {table}"
    lake, settings = install({"others.sql": text})
    with lake.connect() as con:
        session = Session(settings, lake, con)
        attach_sources(session, DayRange.of(DAY))
        lake.view(con, USERS_CONTACTS)
        files = custom_files(settings)
        with pytest.raises(SettingsError, match=f"{table} does not exist"):
            run_custom_files(session, files, DayRange.of(DAY))


def test_a_file_does_not_see_what_another_returned(install: Install) -> None:
    earlier = "-- level: user\nSELECT dt, user_id, 1 AS x FROM days, users"
    lake, settings = install({"a.sql": earlier, "b.sql": earlier})
    first, second = custom_files(settings)
    second.path.write_text(f"-- level: user\nSELECT dt, user_id, x + 1 AS y FROM {first.table}")
    with lake.connect() as con:
        session = Session(settings, lake, con)
        with pytest.raises(SettingsError, match=rf"{first.table} does not exist") as raised:
            run_custom_files(session, custom_files(settings), DayRange.of(DAY))
        assert "b.sql" in str(raised.value)


def test_on_s3_a_file_reads_its_views_and_opens_no_file(install: Install, s3: S3Server) -> None:
    _, settings = install({"clicks.sql": CLICKS})
    lake = Lake(open_storage(f"s3://{s3.new_bucket()}/lake", s3.files()))
    root = lake.storage.root
    with lake.connect() as con:
        session = Session(settings, lake, con)
        world = World(
            users=[{"user_id": "u0", "created_at": at(FIRST, 0)}],
            jobs=[{"job_id": "j0", "opened_at": at(FIRST, 0)}],
            events=[event(1, "u0", "j0", "click", at(FIRST, 20))],
        )
        fill(session, world, DayRange(FIRST, DAY))
        build_features(session, DayRange.of(DAY))
        built = f"SELECT evening_clicks FROM {lake.select(USER_FEATURES)}"
        assert con.execute(built).fetchall() == [(1.0,)]
        contacts = f"'{root}/personal/users_contacts/data.parquet'"
        text = f"-- level: user\nSELECT dt, user_id, 1 AS x FROM days, {contacts}"
        (settings.base / "custom/clicks.sql").write_text(text)
        with pytest.raises(SettingsError, match=r"clicks\.sql opens a file"):
            feature_spec(session)


def test_the_place_of_a_job_can_be_a_feature(install: Install) -> None:
    text = "-- level: job\nSELECT dt, job_id, latitude AS north FROM days, jobs"
    lake, settings = install({"place.sql": text})
    with lake.connect() as con:
        assert "north" in feature_spec(Session(settings, lake, con)).names("numeric")


@pytest.mark.parametrize("cell", ["user_id || 'Zq'", "user_id || chr(10) || 'Zq'"])
@pytest.mark.parametrize(
    "failing", ["({})::INTEGER", "error({})::INTEGER", "year(strptime({}, '%Y'))"]
)
def test_a_value_over_which_a_file_fails_is_not_shown(
    install: Install, failing: str, cell: str
) -> None:
    text = f"-- level: user\nSELECT dt, user_id, {failing.format(cell)} AS x FROM days, users"
    lake, settings = install({"casts.sql": text})
    with lake.connect() as con, pytest.raises(SettingsError, match=r"casts\.sql fails") as raised:
        build_features(Session(settings, lake, con), DayRange.of(DAY))
    assert not re.search("Zq|u0", str(raised.value))


def test_a_file_whose_name_is_no_identifier_is_refused(install: Install) -> None:
    lake, settings = install({"My Clicks.sql": CLICKS})
    with lake.connect() as con, pytest.raises(SettingsError, match="cannot be used in SQL"):
        feature_spec(Session(settings, lake, con))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, install: Install) -> None:
    lake, settings = install({})
    (tmp_path / "custom").rmdir()
    with lake.connect() as con, pytest.raises(SettingsError, match=r"features\.folder"):
        build_features(Session(settings, lake, con), DayRange.of(DAY))
