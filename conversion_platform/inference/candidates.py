"""Who may get a job today, and which jobs: eligible users x open candidate jobs.

Everything is as of the day's start in the platform's time zone: events count once they have
both happened and been recorded before it. `is_open`, `is_present` and `known_before` are macros of
lake/point_in_time.sql.

What is missing never excludes. With `predictions.candidates = "auto"` a pair is matched by
region if both sides have one; else by distance if both have coordinates; else it is a
candidate. With "region" and "distance" a pair in which either side lacks it is a candidate.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.lake import Session, instant, listed
from conversion_platform.marketplace import EVENTS, JOBS_HISTORY, USERS_HISTORY, as_of, by_text

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

POPULARITY_DAYS = 28

_NEAR = """coalesce(
    distance_km(u.latitude, u.longitude, j.latitude, j.longitude) <= {limit}, true)"""


def eligible_users_query(session: Session, day: date) -> str:
    """Return SQL for the eligible users of `day`: user_id, region, latitude, longitude.

    Eligible is who was created before the day, has not left, and joined or has an event
    within `predictions.active_days` before it.
    """
    start = _instant(day, session.settings)
    lately = DayRange.before(day, session.settings.predictions.active_days)
    since = _instant(lately.first, session.settings)
    active = _known_events(session, day, lately)
    return f"""
        SELECT user_id, region, latitude, longitude
        FROM {as_of(session.lake, USERS_HISTORY, day)}
        WHERE is_present(created_at, left_at, {start})
            AND (created_at >= {since} OR user_id IN (SELECT user_id FROM {active}))"""


def open_jobs_query(session: Session, day: date) -> str:
    """Return SQL for the jobs open when `day` starts, most popular first.

    Columns: job_id, region, latitude, longitude, popularity_rank (1 = most organic clicks and
    conversions in the 28 days before, as known at the day's start; ties go by job_id).
    """
    start = _instant(day, session.settings)
    counted = session.settings.events.click_types + session.settings.events.conversion_types
    responses = f"""
        SELECT job_id, count(*) AS responses
        FROM {_known_events(session, day, DayRange.before(day, POPULARITY_DAYS))}
        WHERE event_type IN ({listed(counted)}) AND NOT {by_text(session.settings)}
        GROUP BY job_id"""
    return f"""
        SELECT job_id, region, latitude, longitude,
            row_number() OVER (ORDER BY coalesce(responses, 0) DESC, job_id) AS popularity_rank
        FROM {as_of(session.lake, JOBS_HISTORY, day)} LEFT JOIN ({responses}) USING (job_id)
        WHERE is_open(opened_at, closed_at, {start})"""


def pairs_query(settings: Settings, users: str, jobs: str, day: date) -> str:
    """Return SQL for the candidate pairs between two relations: user_id, job_id, dt.

    Args:
        settings: The rule (`predictions.candidates`) and the cap (`max_candidates`).
        users: A relation with the columns of `eligible_users_query`.
        jobs: A relation with the columns of `open_jobs_query`.
        day: Becomes `dt`.
    """
    matched = " UNION ALL ".join(
        f"SELECT u.user_id, j.job_id, j.popularity_rank FROM {users} u JOIN {jobs} j ON {condition}"
        for condition in _conditions(settings)
    )
    return f"""
        SELECT user_id, job_id, DATE '{day.isoformat()}' AS dt FROM ({matched})
        QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY popularity_rank)
            <= {settings.predictions.max_candidates}"""


def candidate_query(session: Session, day: date) -> str:
    """Return SQL for all candidate pairs of `day`: user_id, job_id, dt."""
    return f"""
        WITH eligible_users AS ({eligible_users_query(session, day)}),
        open_jobs AS ({open_jobs_query(session, day)})
        {pairs_query(session.settings, "eligible_users", "open_jobs", day)}"""


def _conditions(settings: Settings) -> list[str]:
    """Join conditions that are disjoint and together make the rule.

    One for each case rather than one with OR: equality of regions is then a hash join.
    """
    near = _NEAR.format(limit=settings.features.max_distance_km)
    rule = settings.predictions.candidates
    if rule in ("all", "distance"):
        return ["true" if rule == "all" else near]
    other = near if rule == "auto" else "true"
    return [
        "u.region = j.region",
        f"u.region IS NULL AND {other}",
        f"u.region IS NOT NULL AND j.region IS NULL AND {other}",
    ]


def _known_events(session: Session, day: date, days: DayRange) -> str:
    """Return SQL of the events of `days` that were known when `day` started."""
    return (
        f"(SELECT user_id, job_id, event_type, channel FROM {session.lake.select(EVENTS, days)} "
        f"WHERE known_before(occurred_at, recorded_at, {_instant(day, session.settings)}))"
    )


def _instant(day: date, settings: Settings) -> str:
    return instant(day, settings.platform.time_zone)
