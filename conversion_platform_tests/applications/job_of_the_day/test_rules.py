"""Rules that hold whatever the predictions, the cohorts and the days look like."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversion_platform.applications.job_of_the_day import assign_days
from conversion_platform.days import DayRange
from conversion_platform.experiments import arm_of
from conversion_platform.lake import Session, open_lake
from conversion_platform_tests.applications.job_of_the_day.world import (
    assignments,
    configured,
    write_features,
    write_predictions,
    write_users,
)

if TYPE_CHECKING:
    pass

DAY = date(2026, 3, 10)
USERS = [f"u{number}" for number in range(6)]
PROBABILITIES = st.sampled_from([0.0, 0.25, 0.5, 0.5, 0.75])

ranked = st.dictionaries(
    st.sampled_from(USERS),
    st.lists(
        st.tuples(st.sampled_from("abcd"), PROBABILITIES),
        max_size=4,
        unique_by=lambda pair: pair[0],
    ).map(lambda jobs: sorted(jobs, key=lambda pair: -pair[1])),
)
rules = st.fixed_dictionaries(
    {
        "repeat_days": st.integers(1, 4),
        "max_texts_per_week": st.integers(1, 4),
        "holdout_share": st.sampled_from([0.0, 0.3, 1.0]),
        "size": st.integers(0, 4),
        "minimum": st.sampled_from([0.0, 0.5]),
    }
)


def settings_text(rule: dict[str, Any]) -> str:
    return f"""
        [job_of_the_day]
        repeat_days = {rule["repeat_days"]}
        max_texts_per_week = {rule["max_texts_per_week"]}
        holdout_share = {rule["holdout_share"]}
        [cohorts.few]
        where = "user_id < 'u4'"
        size = {rule["size"]}
        [cohorts.most]
        where = "visits > 0"
        min_probability = {rule["minimum"]}
        """


def write_plan(session: Session, days: Iterable[date], plan: list[Any]) -> None:
    """Users, and each day's features and predictions."""
    write_users(session, [{"user_id": user} for user in USERS])
    for day, predicted in zip(days, plan, strict=True):
        write_features(session, day, {user: int(user[1:]) % 2 for user in USERS})
        write_predictions(session, day, predicted)


@settings(max_examples=12, deadline=None)
@given(st.lists(ranked, min_size=2, max_size=6), rules)
def test_no_plan_of_days_breaks_a_rule(plan: list[Any], rule: dict[str, Any]) -> None:
    days = DayRange(DAY, DAY + timedelta(days=len(plan) - 1))
    with tempfile.TemporaryDirectory() as folder:
        configuration = configured(Path(folder), settings_text(rule))
        lake = open_lake(configuration)
        with lake.connect() as con:
            write_plan(Session(configuration, lake, con), days, plan)
            assign_days(Session(configuration, lake, con), days)
            given_jobs = [assignments(Session(configuration, lake, con), day) for day in days]
            assign_days(Session(configuration, lake, con), days)
            again = [assignments(Session(configuration, lake, con), day) for day in days]
    assert again == given_jobs, "a second run changes nothing, the arms included"
    for day, predicted, rows in zip(days, plan, given_jobs, strict=True):
        check_one_day(day, predicted, rows, rule)
    check_repeats_and_cap(given_jobs, rule)
    assert_nobody_is_forgotten(plan, given_jobs, rule)


@settings(max_examples=12, deadline=None)
@given(st.lists(ranked, min_size=2, max_size=6), rules, st.randoms(use_true_random=False))
def test_days_in_any_order_break_no_rule(
    plan: list[Any], rule: dict[str, Any], chance: Random
) -> None:
    days = [DAY + timedelta(days=number) for number in range(len(plan))]
    with tempfile.TemporaryDirectory() as folder:
        configuration = configured(Path(folder), settings_text(rule))
        lake = open_lake(configuration)
        with lake.connect() as con:
            write_plan(Session(configuration, lake, con), days, plan)
            for day in chance.sample(days, len(days)):
                assign_days(Session(configuration, lake, con), DayRange.of(day))
            given_jobs = [assignments(Session(configuration, lake, con), day) for day in days]
    check_repeats_and_cap(given_jobs, rule)


def check_one_day(day: date, predicted: Any, rows: dict[str, Any], rule: dict[str, Any]) -> None:
    sizes: dict[str, int] = defaultdict(int)
    for user, row in rows.items():
        sizes[row["cohort"]] += 1
        assert row["dt"] == day
        assert predicted[user][row["rank"] - 1] == (row["job_id"], row["probability"])
        assert row["cohort"] == ("few" if user < "u4" else "most")
        assert row["arm"] == arm_of(user, "job-of-the-day", rule["holdout_share"])
        if row["cohort"] == "most":
            assert int(user[1:]) % 2
            assert row["probability"] >= rule["minimum"]
    assert sizes["few"] <= rule["size"]


def check_repeats_and_cap(given_jobs: list[dict[str, Any]], rule: dict[str, Any]) -> None:
    for number, rows in enumerate(given_jobs):
        recent = given_jobs[max(0, number - rule["repeat_days"] + 1) : number]
        week = given_jobs[max(0, number - 6) : number + 1]
        for user, row in rows.items():
            assert all(past.get(user, {}).get("job_id") != row["job_id"] for past in recent)
            assert sum(user in past for past in week) <= rule["max_texts_per_week"]


def assert_nobody_is_forgotten(
    plan: list[Any], given_jobs: list[dict[str, Any]], rule: dict[str, Any]
) -> None:
    """Brute force: who is free, fits and is among the best has the best fresh job."""
    for number, predicted in enumerate(plan):
        recent = given_jobs[max(0, number - rule["repeat_days"] + 1) : number]
        week = given_jobs[max(0, number - 6) : number]
        wanted: dict[str, list[tuple[float, str, str]]] = {"few": [], "most": []}
        for user, jobs in predicted.items():
            if user >= "u4" and not int(user[1:]) % 2:
                continue
            if sum(user in past for past in week) >= rule["max_texts_per_week"]:
                continue
            seen = {past[user]["job_id"] for past in recent if user in past}
            fresh = [(job, chance) for job, chance in jobs if job not in seen]
            cohort = "few" if user < "u4" else "most"
            if fresh and (cohort == "few" or fresh[0][1] >= rule["minimum"]):
                wanted[cohort].append((-fresh[0][1], user, fresh[0][0]))
        expected = sorted(wanted["few"])[: rule["size"]] + wanted["most"]
        assert {user: job for _, user, job in expected} == {
            user: row["job_id"] for user, row in given_jobs[number].items()
        }
