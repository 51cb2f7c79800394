from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.simulator import World, build
from conversion_platform.simulator.world_on_day import truth_until
from conversion_platform_tests.simulator.conftest import TINY
from conversion_platform_tests.simulator.reading import ask, digests, one


def test_the_same_seed_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    truth_until.cache_clear()  # or the second build would only repeat what the first one kept
    build(TINY, tmp_path)
    assert digests(tmp_path) == digests(built)


def test_another_seed_gives_another_world(built: Path, tmp_path: Path) -> None:
    build(dataclasses.replace(TINY, seed=8), tmp_path)
    assert not set(digests(tmp_path / "source").values()) & set(digests(built / "source").values())


def test_building_again_leaves_nothing_of_the_world_before(tmp_path: Path) -> None:
    short = World.tiny(users=60, jobs=30, history_days=3)
    build(dataclasses.replace(short, history_days=6), tmp_path)
    report = build(short, tmp_path)
    assert len(list((tmp_path / "source/events").iterdir())) == len(report.days) == 3


def test_the_report_counts_what_was_written(tmp_path: Path) -> None:
    told: list[int] = []
    world = World.tiny(users=100, jobs=40, history_days=4)
    report = build(world, tmp_path, progress=lambda _day, count: told.append(count))
    assert sum(told) == report.events == one(tmp_path, "SELECT count(*) FROM events")
    assert report.users == one(tmp_path, "SELECT count(*) FROM users")
    assert report.jobs == one(tmp_path, "SELECT count(*) FROM jobs")


def test_the_source_never_holds_the_future(built: Path) -> None:
    end = "TIMESTAMPTZ '2026-01-30 00:00:00'"
    late = f"""
        SELECT (SELECT count(*) FROM events WHERE greatest(occurred_at, recorded_at) >= {end}),
            (SELECT count(*) FROM users WHERE greatest(created_at, left_at, consent_at) >= {end}),
            (SELECT count(*) FROM jobs WHERE greatest(opened_at, closed_at) >= {end})
    """
    assert ask(built, late) == [(0, 0, 0)]


def test_a_file_holds_what_was_recorded_on_its_day(built: Path) -> None:
    assert one(built, "SELECT count(*) FROM events WHERE recorded_at::DATE <> dt::DATE") == 0
    assert one(built, "SELECT count(*) FROM events WHERE occurred_at > recorded_at") == 0


def test_some_events_are_recorded_late_but_within_two_days(built: Path) -> None:
    lags = ask(
        built,
        "SELECT max(recorded_at::DATE - occurred_at::DATE), "
        "avg((recorded_at::DATE > occurred_at::DATE)::INT) FROM events",
    )
    assert lags[0][0] == 2
    assert 0.003 < lags[0][1] < 0.015


def test_a_few_events_arrive_twice_and_otherwise_ids_are_unique(built: Path) -> None:
    total, distinct = ask(built, "SELECT count(*), count(DISTINCT event_id) FROM events")[0]
    assert 0.0002 < (total - distinct) / total < 0.003
    twins = """
        SELECT max(n) FROM (SELECT count(*) AS n, count(DISTINCT (user_id, job_id, event_type,
            occurred_at)) AS kinds FROM events GROUP BY event_id HAVING kinds > 1)
    """
    assert one(built, twins) is None


def test_impressions_show_open_jobs_to_users_who_had_joined_before_the_day(built: Path) -> None:
    wrong = """
        SELECT count(*) FROM events e JOIN users u USING (user_id) JOIN jobs j USING (job_id)
        WHERE event_type = 'impression' AND (u.created_at::DATE >= occurred_at::DATE
            OR j.opened_at::DATE >= occurred_at::DATE OR j.closed_at::DATE < occurred_at::DATE
            OR u.region <> j.region OR u.left_at::DATE <= occurred_at::DATE)
    """
    assert one(built, wrong) == 0
    known = "SELECT count(*) FROM events JOIN users USING (user_id) JOIN jobs USING (job_id)"
    assert one(built, known) == one(built, "SELECT count(*) FROM events")


def test_each_step_follows_the_one_before(built: Path) -> None:
    orphans = """
        WITH step AS (SELECT DISTINCT user_id, job_id, event_type, occurred_at FROM events)
        SELECT count(*) FROM step later WHERE event_type <> 'impression' AND NOT EXISTS (
            FROM step earlier WHERE earlier.user_id = later.user_id
            AND earlier.job_id = later.job_id AND earlier.occurred_at < later.occurred_at
            AND earlier.event_type = CASE later.event_type WHEN 'click' THEN 'impression'
                WHEN 'application' THEN 'click' WHEN 'hire' THEN 'application' ELSE 'hire' END)
    """
    # A late record of the earlier step may itself still be under way.
    assert one(built, orphans) <= 3


def test_nobody_applies_twice_to_a_job(built: Path) -> None:
    twice = """
        SELECT count(*) FROM (SELECT 1 FROM events WHERE event_type = 'application'
        GROUP BY user_id, job_id HAVING count(DISTINCT event_id) > 1)
    """
    assert one(built, twice) == 0


def test_a_slate_has_eight_slots_from_zero(built: Path) -> None:
    slots = ask(
        built,
        "SELECT min(position), max(position), count(DISTINCT channel), min(channel) FROM events",
    )
    assert slots == [(0, 7, 1, "recruiter")]


def test_conversions_and_clicks_are_about_as_frequent_as_specified(built: Path) -> None:
    shares = dict(ask(built, "SELECT event_type, count(*)::DOUBLE FROM events GROUP BY ALL"))
    assert 0.012 < shares["application"] / shares["impression"] < 0.03
    assert 0.07 < shares["click"] / shares["impression"] < 0.14


def test_a_job_that_is_full_takes_no_more_hires(tmp_path: Path) -> None:
    build(World.tiny(users=600, jobs=40, activity=0.5), tmp_path)
    hires = ask(
        tmp_path,
        "SELECT openings, count(DISTINCT event_id), bool_or(closed_at IS NOT NULL) FROM jobs "
        "JOIN events USING (job_id) WHERE event_type = 'hire' GROUP BY job_id, openings",
    )
    assert all(taken <= openings for openings, taken, _ in hires)
    full = [closed for openings, taken, closed in hires if taken == openings]
    assert full and all(full)


def test_phone_numbers_are_of_the_range_reserved_for_fiction(built: Path) -> None:
    phones = [row[0] for row in ask(built, "SELECT phone FROM users WHERE phone IS NOT NULL")]
    assert all(re.fullmatch(r"\+1[2-9]\d\d55501\d\d", phone) for phone in phones)
    assert len(set(phones)) == len(phones) > 350


def test_most_users_consent_and_some_do_not(built: Path) -> None:
    share = one(built, "SELECT count(consent_at) / count(*) FROM users")
    assert 0.8 < share < 0.92
    mixed = "SELECT count(*) FROM users WHERE (consent_at IS NULL) <> (consent_text IS NULL)"
    assert one(built, mixed) == 0


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "users",
            "user_id created_at left_at phone time_zone state postal_code region latitude "
            "longitude desired_pay skills shift consent_at consent_source consent_text "
            "experience_years has_car referral about first_name last_name email date_of_birth "
            "next_of_kin home_address note gender age",
        ),
        (
            "jobs",
            "job_id opened_at closed_at title employer_id category region latitude longitude "
            "pay shift openings is_remote urgent rating",
        ),
        (
            "events",
            "event_id user_id job_id event_type occurred_at recorded_at position channel dt",
        ),
    ],
)
def test_source_tables_have_the_contracts_columns(built: Path, table: str, columns: str) -> None:
    assert [row[0] for row in ask(built, f"DESCRIBE {table}")] == columns.split()


def test_a_day_off_and_weekends_bring_fewer_people(tmp_path: Path) -> None:
    world = World.tiny(users=3000, jobs=60, start=date(2026, 1, 12), history_days=14)
    build(world, tmp_path)
    counts = dict(
        ask(
            tmp_path,
            "SELECT occurred_at::DATE, count(*) FROM events WHERE event_type = 'impression' "
            "GROUP BY ALL",
        )
    )
    holiday, monday_before, saturday = date(2026, 1, 19), date(2026, 1, 12), date(2026, 1, 17)
    assert counts[holiday] < 0.8 * counts[monday_before]
    assert counts[saturday] < counts[date(2026, 1, 13)]
