from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.features import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
    FeatureSpec,
    build_features,
    feature_spec,
    pair_query,
)
from conversion_platform.lake import Lake, Session
from conversion_platform.marketplace.tables import EVENTS
from conversion_platform.settings import Settings
from conversion_platform_tests.features.world import (
    World,
    at,
    configured,
    event,
    fill,
    random_world,
    rows_of,
)
from conversion_platform_tests.sessions import in_session

HISTORY = DayRange(date(2026, 2, 1), date(2026, 3, 20))
# Longer than one stretch, so that a day's place within it is seen not to matter.
DAYS = DayRange(date(2026, 2, 27), date(2026, 3, 18))
TABLES = (USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES)


def files_of(lake: Lake, days: DayRange) -> dict[str, bytes]:
    keys = [lake.key(table, day) for table in TABLES for day in days]
    return {key: lake.storage.read(key) for key in keys}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Settings]]:
    lake, settings = configured(tmp_path_factory.mktemp("built"))
    world = random_world(7, HISTORY, users=9, jobs=7, events=700)
    with lake.connect() as con:
        fill(Session(settings, lake, con), world, HISTORY)
        build_features(Session(settings, lake, con), DAYS)
    yield lake, settings


def test_the_same_days_twice_give_the_same_bytes(built: tuple[Lake, Settings]) -> None:
    lake, settings = built
    before = files_of(lake, DAYS)
    with lake.connect() as con:
        build_features(Session(settings, lake, con), DAYS)
    assert files_of(lake, DAYS) == before


def test_a_range_gives_the_same_bytes_as_its_days_one_by_one(
    built: tuple[Lake, Settings],
) -> None:
    lake, settings = built
    before = files_of(lake, DAYS)
    for day in (DAYS.first, date(2026, 3, 8), date(2026, 3, 9), date(2026, 3, 14), DAYS.last):
        with lake.connect() as con:
            build_features(Session(settings, lake, con), DayRange.of(day))
    assert files_of(lake, DAYS) == before


def test_a_user_first_seen_later_in_a_range_is_unseen_before(tmp_path: Path) -> None:
    lake, settings = configured(tmp_path)
    first = HISTORY.first
    days = DayRange(first + timedelta(days=1), first + timedelta(days=3))
    world = World(
        users=[{"user_id": f"u{n}", "created_at": at(first, 0)} for n in range(2)],
        jobs=[
            {
                "job_id": f"j{n}",
                "opened_at": at(first, 0),
                "employer_id": f"e{n}",
                "category": f"c{n}",
            }
            for n in range(2)
        ],
        events=[
            event(1, "u0", "j0", "impression", at(first, 9)),
            event(2, "u0", "j0", "click", at(first, 9)),
            event(3, "u1", "j1", "impression", at(days.first, 9)),
        ],
    )
    with lake.connect() as con:
        fill(Session(settings, lake, con), world, DayRange(first, days.last))
        build_features(Session(settings, lake, con), days)
        in_range = files_of(lake, DayRange.of(days.first))
        build_features(Session(settings, lake, con), DayRange.of(days.first))
        seen = con.execute(
            "SELECT job_employer_click_rate_28d, job_category_click_rate_90d, "
            "job_category_action_share_90d "
            f"FROM {lake.select(JOB_FEATURES, DayRange.of(days.first))} ORDER BY job_id"
        ).fetchall()
    assert files_of(lake, DayRange.of(days.first)) == in_range
    assert seen == [(1.0, 1.0, 1.0), (1.0, 1.0, 0.0)]


def test_every_row_is_written_once_and_in_the_order_of_its_key(
    built: tuple[Lake, Settings],
) -> None:
    lake, _ = built
    with lake.connect() as con:
        for table in TABLES:
            keys = ", ".join(table.key)
            for day in (DAYS.first, DAYS.last):
                rows = con.execute(
                    f"SELECT {keys} FROM {lake.select(table, DayRange.of(day))}"
                ).fetchall()
                assert rows == sorted(set(rows)) and rows


def test_the_files_have_the_columns_that_tables_and_specification_declare(
    built: tuple[Lake, Settings],
) -> None:
    lake, settings = built
    with lake.connect() as con:
        spec = feature_spec(Session(settings, lake, con))
        for table, level in ((USER_FEATURES, "user"), (JOB_FEATURES, "job")):
            rows = con.execute(f"DESCRIBE {lake.select(table, DAYS)}").fetchall()
            types = {row[0]: row[1] for row in rows}
            for column in table.columns:
                assert types.pop(column.name) == column.type, column.name
            further = set(types) - {"dt"}
            declared = {column.name for column in table.columns}
            expected = {f.name for f in spec.features if f.level == level} - declared
            assert further == expected


def test_pairs_keep_their_rows_and_columns_and_gain_every_feature(
    built: tuple[Lake, Settings],
) -> None:
    lake, settings = built
    with lake.connect() as con:
        spec = feature_spec(Session(settings, lake, con))
        con.execute(
            "CREATE TEMP VIEW shown AS SELECT user_id, job_id, dt, event_id, position FROM "
            f"{lake.select(EVENTS, DAYS)}"
        )
        query = pair_query(Session(settings, lake, con), spec, "shown", DAYS)
        types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {query}").fetchall()}
        ids = con.execute(f"SELECT event_id FROM ({query}) ORDER BY 1").fetchall()
        assert ids == con.execute("SELECT event_id FROM shown ORDER BY 1").fetchall()
    assert list(types)[:5] == ["user_id", "job_id", "dt", "event_id", "position"]
    assert set(list(types)[5:]) == set(spec.names())
    assert {types[name] for name in spec.names("numeric")} == {"FLOAT"}
    assert {types[name] for name in spec.names("categorical")} == {"VARCHAR"}


def test_a_pair_has_the_same_features_in_a_query_of_one_day_and_of_many(
    built: tuple[Lake, Settings],
) -> None:
    lake, settings = built
    day = DayRange.of(date(2026, 3, 9))
    with lake.connect() as con:
        session = Session(settings, lake, con)
        spec = feature_spec(session)
        pairs = f"(SELECT user_id, job_id, dt, event_id FROM {lake.select(EVENTS, day)})"
        one = con.execute(
            f"SELECT * FROM ({pair_query(session, spec, pairs, day)}) ORDER BY event_id"
        ).fetchall()
        many = con.execute(
            f"SELECT * FROM ({pair_query(session, spec, pairs, DAYS)}) ORDER BY event_id"
        ).fetchall()
    assert one == many and one


def test_a_smaller_specification_gives_fewer_columns(built: tuple[Lake, Settings]) -> None:
    lake, settings = built
    day = DayRange.of(DAYS.last)
    with lake.connect() as con:
        spec = feature_spec(Session(settings, lake, con))
        kept = ("user_clicks_7d", "job_age_days", "distance_km")
        small = FeatureSpec(tuple(f for f in spec.features if f.name in kept))
        pairs = f"(SELECT user_id, job_id, dt FROM {lake.select(EVENTS, day)})"
        query = pair_query(Session(settings, lake, con), small, pairs, day)
        names = [row[0] for row in con.execute(f"DESCRIBE {query}").fetchall()]
    assert names == ["user_id", "job_id", "dt", *kept]


def test_no_two_features_share_a_name(built: tuple[Lake, Settings]) -> None:
    lake, settings = built
    with lake.connect() as con:
        spec = feature_spec(Session(settings, lake, con))
    assert len(set(spec.names())) == len(spec.features)


def test_an_attribute_that_a_model_knows_and_the_lake_lost_is_missing(
    built: tuple[Lake, Settings],
) -> None:
    lake, settings = built
    day = DayRange.of(DAYS.last)
    with lake.connect() as con:
        spec = feature_spec(Session(settings, lake, con))
        feature = spec.features[0]
        gone = type(feature)("user_gone", "numeric", "user", "No longer there.")
        pairs = f"(SELECT user_id, job_id, dt FROM {lake.select(EVENTS, day)})"
        query = pair_query(
            Session(settings, lake, con), FeatureSpec((*spec.features, gone)), pairs, day
        )
        found = con.execute(f"SELECT count(*), count(user_gone) FROM ({query})").fetchone()
    assert found is not None and found[0] > 0 and found[1] == 0


LANGUAGES = ["en"] * 4 + ["es"] * 3 + ["fr"] * 2 + ["de"]


def _speakers(joined: date) -> list[dict[str, object]]:
    return [
        {"user_id": f"u{n}", "created_at": at(joined, -1), "language": language}
        for n, language in enumerate(LANGUAGES)
    ]


def _languages(session: Session, world: World, day: date) -> list[str]:
    fill(session, world, DayRange.of(date(2026, 2, 1)))
    build_features(session, DayRange.of(day))
    rows = session.con.execute(
        f"SELECT user_language FROM {session.lake.select(USER_FEATURES, DayRange.of(day))} "
        "WHERE user_id NOT LIKE 'later%' ORDER BY user_id"
    ).fetchall()
    return [row[0] for row in rows]


def test_rare_values_of_an_attribute_become_other(tmp_path: Path) -> None:
    _lake, settings = configured(tmp_path, "[features]\nmax_categories = 2\n")
    world = World(users=_speakers(date(2026, 2, 1)), jobs=[{"job_id": "j0"}])
    found = in_session(settings, _languages, world, date(2026, 2, 2))
    assert found == ["en"] * 4 + ["es"] * 3 + ["other"] * 3


def test_users_who_join_later_do_not_change_which_values_are_rare(tmp_path: Path) -> None:
    _lake, settings = configured(tmp_path, "[features]\nmax_categories = 2\n")
    later = [
        {"user_id": f"later{n}", "created_at": at(date(2026, 2, 9), 1), "language": "de"}
        for n in range(20)
    ]
    world = World(users=[*_speakers(date(2026, 2, 1)), *later], jobs=[{"job_id": "j0"}])
    found = in_session(settings, _languages, world, date(2026, 2, 2))
    assert found == ["en"] * 4 + ["es"] * 3 + ["other"] * 3


def test_where_nobody_logs_impressions_rates_are_per_event(tmp_path: Path) -> None:
    setting = configured(tmp_path, '[events]\nnegatives = "sampled"\n')
    day = date(2026, 2, 2)
    world = World(
        users=[{"user_id": "u0", "created_at": at(HISTORY.first, 0)}],
        jobs=[{"job_id": "j0", "opened_at": at(HISTORY.first, 0)}],
        events=[
            event(n, "u0", "j0", kind, at(HISTORY.first, n))
            for n, kind in enumerate(["click", "click", "click", "application"])
        ],
    )
    columns = "user_click_rate_28d, user_conversion_rate_28d, user_impressions_28d"
    rows = rows_of(setting, world, DayRange.of(day), USER_FEATURES, columns)
    assert rows == [(0.75, 0.25, 4)]


def test_the_first_day_of_all_has_features_without_any_event(tmp_path: Path) -> None:
    lake, settings = configured(tmp_path)
    world = World(
        users=[{"user_id": "u0", "created_at": at(HISTORY.first, -9)}],
        jobs=[{"job_id": "j0", "opened_at": at(HISTORY.first, -9)}],
    )
    with lake.connect() as con:
        fill(Session(settings, lake, con), world, DayRange.of(HISTORY.last))
        written = build_features(Session(settings, lake, con), DayRange.of(HISTORY.first))
        assert [(w.table, w.rows) for w in written] == [
            ("job_features", 1),
            ("response_effects", 64),
            ("user_category_features", 0),
            ("user_features", 1),
        ]
        spec = feature_spec(Session(settings, lake, con))
        pairs = f"(SELECT 'u0' AS user_id, 'j0' AS job_id, DATE '{HISTORY.first}' AS dt)"
        query = pair_query(Session(settings, lake, con), spec, pairs, DayRange.of(HISTORY.first))
        found = con.execute(
            f"SELECT user_clicks_28d, user_click_rate_28d FROM ({query})"
        ).fetchall()
    assert found == [(0.0, None)]


def test_features_before_the_sources_are_there_say_what_is_missing(tmp_path: Path) -> None:
    lake, settings = configured(tmp_path)
    with lake.connect() as con, pytest.raises(NotReadyError, match="users"):
        build_features(Session(settings, lake, con), DayRange.of(HISTORY.last))


def test_a_hole_in_the_events_is_named(tmp_path: Path) -> None:
    lake, settings = configured(tmp_path)
    with lake.connect() as con:
        fill(
            Session(settings, lake, con),
            World(),
            DayRange(HISTORY.first, HISTORY.first + timedelta(days=3)),
        )
        with pytest.raises(NotReadyError, match="2026-02-05"):
            build_features(Session(settings, lake, con), DayRange.of(date(2026, 2, 7)))


def test_pairs_of_a_day_without_features_name_the_day(built: tuple[Lake, Settings]) -> None:
    _lake, settings = built
    day = DAYS.last + timedelta(days=2)
    with pytest.raises(NotReadyError, match=day.isoformat()):
        in_session(settings, pair_query, FeatureSpec(()), "pairs", DayRange(DAYS.last, day))
