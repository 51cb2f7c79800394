"""Days that run again after users and jobs have changed at the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.runs import run_days
from conversion_platform_tests.tiny_platform import (
    FIRST,
    LIVED,
    NEXT,
    NoBars,
    digests,
    rewrite,
    rows,
    run,
    run_job,
    settings_in,
)

CHANGED_USERS = """
    SELECT * REPLACE (
        CASE WHEN hash(user_id) % 3 = 0 THEN 'elsewhere' ELSE region END AS region,
        desired_pay + 5 AS desired_pay,
        latitude + 1 AS latitude
    )
    FROM source WHERE hash(user_id) % 7 > 0
    UNION ALL BY NAME
    SELECT * REPLACE ('new-' || user_id AS user_id) FROM source WHERE hash(user_id) % 11 = 0
"""
CHANGED_JOBS = """
    SELECT * REPLACE ('Other ' || title AS title, pay * 2 AS pay, NULL AS category)
    FROM source WHERE hash(job_id) % 5 > 0
"""
CURRENT = (
    "users/",
    "jobs/",
    "attributes/",
    "rejected_",
    "jobs_versions/",
    *(
        f"personal/{name}"
        for name in ("users_contacts", "users_protected", "users_versions", "jobs_", "rejected_")
    ),
)
"""Tables that show the source as it is now."""


def change(folder: Path) -> None:
    """Let the source show other users and jobs: moved, gone, new; renamed, dearer, gone."""
    rewrite(folder / "source/users.parquet", CHANGED_USERS)
    rewrite(folder / "source/jobs.parquet", CHANGED_JOBS)


def test_a_day_that_runs_again_after_the_source_has_changed_gives_the_same_bytes(
    platform: Path,
) -> None:
    before = digests(platform)
    users = rows(platform, "SELECT count(*), count(DISTINCT region) FROM users")
    change(platform)
    run(platform, LIVED)
    after = digests(platform)
    assert rows(platform, "SELECT count(*), count(DISTINCT region) FROM users") != users
    found = {name for name in before if before[name] != after.get(name)}
    assert {name for name in found if not name.startswith(CURRENT)} == set()
    assert {name for name in after.keys() - before.keys() if not name.startswith(CURRENT)} == set()


def test_the_day_after_sees_what_has_changed_and_the_log_says_that_it_was_captured(
    platform: Path,
) -> None:
    change(platform)
    run(platform, NEXT)
    seen = "SELECT count(*) FILTER (user_region = 'elsewhere') FROM user_features WHERE dt = DATE "
    assert rows(platform, f"{seen}'{LIVED}'") == [(0,)]
    assert rows(platform, f"{seen}'{NEXT}'")[0][0] > 10
    logged = f"SELECT table_name, gone > 0 FROM log_snapshot WHERE dt = DATE '{NEXT}' ORDER BY 1"
    assert rows(platform, logged) == [("jobs_history", True), ("users_history", True)]


def test_a_row_that_is_corrected_at_the_source_is_told_with_the_days_to_build_again(
    platform: Path,
) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * REPLACE (if(hash(user_id) % 9 = 0, created_at - INTERVAL 1 DAY, created_at) "
        "AS created_at) FROM source",
    )
    (warning,) = run_job(platform, "sources", NEXT).failed_checks
    assert warning.startswith("users_history: past_is_unchanged (users_history: ")
    assert f"rows corrected by the source. The days {FIRST} to {LIVED} were built" in warning
    assert "--refresh-snapshot" in warning


def test_a_snapshot_that_is_not_there_is_refused_before_anything_runs(platform: Path) -> None:
    before = digests(platform)
    settings = settings_in(platform)
    with pytest.raises(NotReadyError, match=f"no snapshot of {NEXT}"):
        run_days(settings, DayRange.of(NEXT), NoBars(), refresh_snapshot=True)  # type: ignore[arg-type]
    assert digests(platform) == before


@pytest.mark.slow
def test_a_snapshot_is_replaced_when_that_is_asked_for_and_the_log_has_both(platform: Path) -> None:
    run(platform, NEXT)
    change(platform)
    settings = settings_in(platform)
    run_days(settings, DayRange.of(NEXT), NoBars(), refresh_snapshot=True)  # type: ignore[arg-type]
    seen = "SELECT count(*) FILTER (user_region = 'elsewhere') FROM user_features WHERE dt = DATE "
    assert rows(platform, f"{seen}'{NEXT}'")[0][0] > 10
    assert rows(platform, f"{seen}'{LIVED}'") == [(0,)]
    logged = f"SELECT table_name, count(*) FROM log_snapshot WHERE dt = DATE '{NEXT}' GROUP BY ALL"
    assert sorted(rows(platform, logged)) == [("jobs_history", 2), ("users_history", 2)]


@pytest.mark.slow
def test_a_row_counts_in_the_run_of_the_day_from_which_it_holds(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT *, created_at AS valid_from FROM source UNION ALL BY NAME "
        "SELECT * REPLACE ('later' AS region), "
        f"TIMESTAMPTZ '{NEXT} 18:00:00+00' AS valid_from FROM source",
    )
    regions = "SELECT count(*) FILTER (region = 'later') > 0 FROM users"
    for day, is_later in ((LIVED, False), (NEXT, True)):
        run_job(platform, "sources", day)
        assert rows(platform, regions) == [(is_later,)]
