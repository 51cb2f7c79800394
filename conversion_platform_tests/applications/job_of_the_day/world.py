"""A day's predictions by hand, as the job of the day finds them in the lake."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.features.tables import USER_FEATURES
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import Session
from conversion_platform.lake.sql import quoted
from conversion_platform.marketplace.tables import USERS
from conversion_platform_tests.inference.marketplace import LONG_AGO, Rows, rows_query
from conversion_platform_tests.snapshots import keep

if TYPE_CHECKING:
    from pathlib import Path

    from conversion_platform.settings import Settings

Ranked = dict[str, list[tuple[str, float]]]
"""user -> [(job, probability), ...], best first."""


def configured(tmp_path: Path, text: str) -> Settings:
    from conversion_platform.settings import load_settings

    file = tmp_path / "conversion_platform.toml"
    file.write_text(text)
    return load_settings(file)


def write_users(session: Session, users: Rows) -> None:
    rows = [{"created_at": LONG_AGO, **user} for user in users]
    session.lake.write(session.con, USERS, rows_query(USERS, rows))
    keep(session)


def write_features(session: Session, day: date, visits: dict[str, int]) -> None:
    """One feature a user, `visits`."""
    rows = " UNION ALL ".join(
        f"SELECT {quoted(user)} AS user_id, {number}::BIGINT AS visits"
        for user, number in visits.items()
    )
    session.lake.write(
        session.con, USER_FEATURES, rows or "SELECT '' AS user_id, 0 AS visits WHERE false", day
    )


def write_predictions(session: Session, day: date, ranked: Ranked) -> None:
    rows = [
        {
            "user_id": user,
            "job_id": job,
            "rank": rank,
            "score": probability,
            "probability": probability,
            "model_version": "v",
            "features_day": day,
        }
        for user, jobs in ranked.items()
        for rank, (job, probability) in enumerate(jobs, start=1)
    ]
    query = rows_query(DAILY_PREDICTIONS, rows)
    session.lake.write(session.con, DAILY_PREDICTIONS, f"SELECT * EXCLUDE (dt) FROM ({query})", day)


def write_day(
    session: Session,
    day: date,
    ranked: Ranked,
    users: Rows | None = None,
    visits: dict[str, int] | None = None,
) -> None:
    """Users, features and predictions of one day."""
    write_users(session, users or [{"user_id": user} for user in ranked])
    write_features(session, day, visits or dict.fromkeys(ranked, 0))
    write_predictions(session, day, ranked)


def assignments(session: Session, day: date) -> dict[str, dict[str, Any]]:
    """The day's assignments by user."""
    relation = session.con.sql(
        f"SELECT * FROM {session.lake.select(JOB_OF_THE_DAY, DayRange.of(day))}"
    )
    names = relation.columns
    rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    return {row["user_id"]: row for row in rows}
