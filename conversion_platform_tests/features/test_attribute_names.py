"""An attribute may have any name: it stays apart from the columns that the queries make."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
    build_features,
    feature_spec,
)
from conversion_platform.lake import Session, open_session
from conversion_platform.marketplace import (
    CONTRACTS,
    infer_attributes,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings
from conversion_platform_tests.preflight.world import (
    LAST,
    SOURCES,
    START,
    write_settings,
    write_source,
    write_world,
)
from conversion_platform_tests.snapshots import keep

DAY = LAST + ONE_DAY
TABLES = (USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES)


def names_in_queries() -> list[str]:
    """Every name that the SQL of this package gives to a column."""
    found: set[str] = set()
    for file in files("conversion_platform.features.sql").iterdir():
        if file.name.endswith(".sql"):
            found |= set(re.findall(r"\bAS ([a-z]\w+)", file.read_text(encoding="utf-8")))
    return sorted(found | {"user_code", "job_code", "pay_cents", "day", "as_of", "ends", "id"})


def built(settings: Settings) -> list[list[tuple[Any, ...]]]:
    """Build the features of a day, and return the columns that every installation has."""
    with open_session(settings) as session:
        load_users(session)
        load_jobs(session)
        infer_attributes(session)
        keep(session)
        load_events(session, DayRange(START, LAST))
        build_features(session, DayRange.of(DAY))
        return [_rows(session, table) for table in TABLES]


def _rows(session: Session, table: Any) -> list[tuple[Any, ...]]:
    columns = ", ".join(column.name for column in table.columns)
    query = f"SELECT {columns} FROM {session.lake.select(table)} ORDER BY ALL"
    rows: list[tuple[Any, ...]] = session.con.execute(query).fetchall()
    return rows


def test_no_attribute_takes_the_place_of_what_is_counted(tmp_path: Path) -> None:
    plain = write_world(tmp_path / "plain")
    odd = write_world(tmp_path / "odd")
    names = names_in_queries()
    assert {"impressions_7d", "user_clicks_1d", "click_rate", "job_code"} <= set(names)
    changes = {}
    for source, contract in (("users", CONTRACTS[0]), ("jobs", CONTRACTS[1])):
        taken = {column.name for column in contract.columns}
        own = [name for name in names if name not in taken]
        values = ", ".join(f'1000 + ascii(shift) + {n} AS "{name}"' for n, name in enumerate(own))
        write_source(odd, source, f"SELECT *, {values} FROM ({SOURCES[source]})")
        changes[f"sources.{source}.attributes"] = own
    write_settings(odd, changes)
    assert built(load_settings(odd / CONFIG_NAME)) == built(load_settings(plain / CONFIG_NAME))


def test_every_attribute_gets_a_feature_with_a_name_of_its_own(tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    further = ["id", "tenure_days", "attribute_tenure_days", "clicks_7d"]
    values = ", ".join(f"{10 + n} + ascii(shift) AS {name}" for n, name in enumerate(further))
    write_source(folder, "users", f"SELECT *, {values} FROM ({SOURCES['users']})")
    settings = load_settings(write_settings(folder, {"sources.users.attributes": further}))
    with open_session(settings) as session:
        load_users(session)
        load_jobs(session)
        infer_attributes(session)
        keep(session)
        names = feature_spec(session).names(level="user")
        assert len(names) == len(set(names))
        assert {"user_attribute_id", "user_attribute_clicks_7d"} <= set(names)
        load_events(session, DayRange(START, LAST))
        build_features(session, DayRange.of(DAY))
        (row,) = session.con.execute(
            "SELECT DISTINCT user_attribute_tenure_days - user_attribute_clicks_7d, "
            "user_attribute_tenure_days_ - user_attribute_clicks_7d "
            f"FROM {session.lake.select(USER_FEATURES)}"
        ).fetchall()
    assert row == (-1.0, -2.0)
