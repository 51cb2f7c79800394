"""All that ask what was known, who was present, or what was open get one answer.

Each rule stands here once in plain Python, and is compared with what features, candidates,
examples, assignment and outcomes make of the same rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY, assign_days
from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.features import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
    feature_spec,
    pair_query,
)
from conversion_platform.inference import candidate_query, open_jobs_query
from conversion_platform.lake import Session, Table
from conversion_platform.messaging import OUTCOMES, measure_outcomes, open_ledger
from conversion_platform.training import build_examples
from conversion_platform.training.tables import TRAINING_EXAMPLES
from conversion_platform_tests.point_in_time.world import (
    ALWAYS,
    QUIET,
    STEADY,
    WINDOW_DAYS,
    Boundary,
    Known,
    Stay,
    assign_all,
    lived,
)
from conversion_platform_tests.zones import ZONES, days_around_changes

Answer = Callable[[Session, Boundary], set[str]]


def is_known(one: Known, as_of: datetime) -> bool:
    return max(one.occurred, one.recorded) < as_of


def is_present(user: Stay, as_of: datetime) -> bool:
    return user.start < as_of and (user.end is None or user.end > as_of)


def joins_by_the_end(user: Stay, boundary: Boundary) -> bool:
    ends = day_start(boundary.day + ONE_DAY, boundary.zone)
    return user.start < ends and (user.end is None or user.end > boundary.as_of)


def is_open(job: Stay, as_of: datetime) -> bool:
    return job.start <= as_of and (job.end is None or job.end > as_of)


def column(session: Session, query: str) -> set[str]:
    return {row[0] for row in session.con.execute(query).fetchall()}


def of_day(session: Session, table: Table, day: date, select: str, where: str = "true") -> set[str]:
    source = session.lake.select(table, DayRange.of(day))
    return column(session, f"SELECT {select} FROM {source} WHERE {where}")


# Who has seen the event, told by its user's name.


def counted_for_the_user(session: Session, boundary: Boundary) -> set[str]:
    return of_day(session, USER_FEATURES, boundary.day, "user_id", "user_conversions_90d > 0")


def counted_for_the_job(session: Session, boundary: Boundary) -> set[str]:
    found = of_day(session, JOB_FEATURES, boundary.day, "job_id", "job_conversions_28d > 0")
    return {one.user for one in boundary.events if one.job in found}


def counted_for_the_pair(session: Session, boundary: Boundary) -> set[str]:
    pairs = " UNION ALL ".join(
        f"SELECT '{one.user}' AS user_id, '{one.job}' AS job_id, DATE '{boundary.day}' AS dt"
        for one in boundary.events
    )
    query = pair_query(session, feature_spec(session), f"({pairs})", DayRange.of(boundary.day))
    return column(session, f"SELECT user_id FROM ({query}) WHERE pair_conversions_28d > 0")


def counted_by_a_custom_feature(session: Session, boundary: Boundary) -> set[str]:
    return of_day(session, USER_FEATURES, boundary.day, "user_id", "seen > 0")


def eligible(session: Session, boundary: Boundary) -> set[str]:
    return column(session, f"SELECT user_id FROM ({candidate_query(session, boundary.day)})")


def more_popular_than_a_job_without_events(session: Session, boundary: Boundary) -> set[str]:
    jobs = open_jobs_query(session, boundary.day)
    found = column(
        session,
        f"WITH ranked AS ({jobs}) SELECT job_id FROM ranked WHERE popularity_rank < "
        f"(SELECT popularity_rank FROM ranked WHERE job_id = '{QUIET}')",
    )
    return {one.user for one in boundary.events if one.job in found}


def kept_from_a_job_already_converted_on(session: Session, boundary: Boundary) -> set[str]:
    assign_days(session, DayRange.of(boundary.day))
    return of_day(session, JOB_OF_THE_DAY, boundary.day, "user_id", f"job_id = '{ALWAYS}'")


def with_an_outcome(session: Session, boundary: Boundary) -> set[str]:
    with open_ledger(session.settings) as ledger:
        measure_outcomes(session, ledger, assign_all(session, boundary), boundary.day)
    outcomes = session.lake.select(OUTCOMES)
    return column(session, f"SELECT user_id FROM {outcomes} WHERE converted_at IS NOT NULL")


SEE_EVENTS: tuple[Answer, ...] = (
    counted_for_the_user,
    counted_for_the_job,
    counted_for_the_pair,
    counted_by_a_custom_feature,
    eligible,
    more_popular_than_a_job_without_events,
    kept_from_a_job_already_converted_on,
    with_an_outcome,
)


def examples(session: Session, day: date, select: str, where: str) -> set[str]:
    build_examples(session, day)
    return of_day(session, TRAINING_EXAMPLES, day, select, where)


# Who is there.


def with_user_features(session: Session, boundary: Boundary) -> set[str]:
    return of_day(session, USER_FEATURES, boundary.day, "user_id")


def with_category_features(session: Session, boundary: Boundary) -> set[str]:
    return of_day(session, USER_CATEGORY_FEATURES, boundary.day, "user_id")


SEE_USERS: tuple[Answer, ...] = (with_category_features, eligible)


# What is open.


def open_in_features(session: Session, boundary: Boundary) -> set[str]:
    return of_day(session, JOB_FEATURES, boundary.day, "job_id", "open_at_start")


def with_a_popularity_rank(session: Session, boundary: Boundary) -> set[str]:
    where = "job_popularity_rank IS NOT NULL"
    return of_day(session, JOB_FEATURES, boundary.day, "job_id", where)


def candidates(session: Session, boundary: Boundary) -> set[str]:
    return column(session, f"SELECT job_id FROM ({candidate_query(session, boundary.day)})")


SEE_JOBS: tuple[Answer, ...] = (open_in_features, with_a_popularity_rank, candidates)


def disagreements(
    answers: Iterable[Answer], session: Session, boundary: Boundary, asked: set[str], yes: set[str]
) -> dict[str, set[str]]:
    """What each says of the names that are asked about, where it is not what is expected."""
    found = {answer.__name__: (answer(session, boundary) & asked) ^ yes for answer in answers}
    return {name: wrong for name, wrong in found.items() if wrong}


def check_events(session: Session, boundary: Boundary) -> None:
    asked = {one.user for one in boundary.events}
    yes = {one.user for one in boundary.events if is_known(one, boundary.as_of)}
    assert 0 < len(yes) < len(asked)
    assert disagreements(SEE_EVENTS, session, boundary, asked, yes) == {}


def check_events_of_examples(session: Session, boundary: Boundary) -> None:
    """Training has examples of those days only whose attribution windows are over."""
    tried = [one for one in boundary.events if one.occurred < boundary.as_of - 5 * ONE_DAY]
    yes = {one.user for one in tried if is_known(one, boundary.as_of)}
    assert 0 < len(yes) < len(tried)
    found = examples(session, boundary.day, "user_id", "converted")
    assert found & {one.user for one in boundary.events} == yes


def check_users(session: Session, boundary: Boundary) -> None:
    asked = {user.name for user in boundary.users}
    yes = {user.name for user in boundary.users if is_present(user, boundary.as_of)}
    assert disagreements(SEE_USERS, session, boundary, asked, yes) == {}
    # Who joins during the day can be shown a job on it, and has the static features.
    joined = {user.name for user in boundary.users if joins_by_the_end(user, boundary)}
    assert disagreements((with_user_features,), session, boundary, asked, joined) == {}


def check_jobs(session: Session, boundary: Boundary) -> None:
    asked = {job.name for job in boundary.jobs}
    yes = {job.name for job in boundary.jobs if is_open(job, boundary.as_of)}
    assert disagreements(SEE_JOBS, session, boundary, asked, yes) == {}


def check_jobs_of_examples(session: Session, boundary: Boundary) -> None:
    """Of the day itself: drawn are jobs open at its start and still at noon; opened, all others."""
    asked = {job.name for job in boundary.jobs}
    trained = boundary.day + (WINDOW_DAYS + 1) * ONE_DAY
    slate = f"'{STEADY}|{ALWAYS}|{boundary.day}'"
    drawn = examples(session, trained, "job_id", f"slate = {slate} AND job_id <> '{ALWAYS}'")
    assert drawn & asked == {
        job.name
        for job in boundary.jobs
        if is_open(job, boundary.as_of) and is_open(job, boundary.noon)
    }
    liked = f"slate = '{STEADY}|' || job_id || '|{boundary.day}'"
    assert of_day(session, TRAINING_EXAMPLES, trained, "job_id", liked) & asked == {
        job.name for job in boundary.jobs if job.start <= boundary.as_of
    }


@hypothesis_settings(max_examples=4, phases=(Phase.explicit, Phase.generate))
@given(st.sampled_from(ZONES), st.data(), st.timedeltas(-ONE_DAY, ONE_DAY))
def test_all_answers_on_the_boundaries_of_a_day_are_those_of_the_rules(
    zone: str, data: st.DataObject, further: timedelta
) -> None:
    boundary = Boundary(data.draw(days_around_changes(zone)), zone, further)
    with (
        tempfile.TemporaryDirectory() as folder,
        lived(boundary, Path(folder)) as session,
    ):
        check_users(session, boundary)
        check_events(session, boundary)
        check_events_of_examples(session, boundary)
        check_jobs(session, boundary)
        check_jobs_of_examples(session, boundary)
