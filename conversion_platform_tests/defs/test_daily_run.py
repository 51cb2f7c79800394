"""The real assets on a real instance: the same bytes, things to look at, checks that hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from conversion_platform.errors import PlatformError
from conversion_platform_tests.defs.looking import (
    check_results,
    materializations,
    newest_run,
    run_count,
)
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    THEN,
    CopyOf,
    differences,
    digests,
    edit,
    make,
    rewrite,
    rows,
    run,
    run_job,
)


def tables(folder: Path) -> dict[str, str]:
    """Digests of the lake, the append-only log left out."""
    return {
        name: digest
        for name, digest in digests(folder).items()
        if not name.startswith("event_log/")
    }


def phones(folder: Path) -> list[str]:
    with duckdb.connect() as con:
        query = f"SELECT phone FROM '{folder}/source/users.parquet' WHERE phone IS NOT NULL"
        return [phone for (phone,) in con.sql(query).fetchall()]


def log_ids(folder: Path) -> list[tuple[str, str]]:
    return rows(folder, "SELECT event_type, event_id FROM event_log ORDER BY ALL")


def test_a_days_run_leaves_counts_pictures_and_the_drift_report_to_look_at(
    platform: Path,
) -> None:
    finished = run_job(platform, "daily", NEXT)
    assert finished.success
    seen = materializations(platform, finished.run_id)
    assert {"users", "user_features", "daily_predictions", "outcomes", "log_reply"} <= set(seen)
    for table in ("users", "jobs", "user_features", "daily_predictions", "daily_metrics"):
        where = "" if table in ("users", "jobs") else f" WHERE dt = DATE '{NEXT}'"
        ((count,),) = rows(platform, f"SELECT count(*) FROM {table}{where}")
        written = seen[table]["dagster/row_count"].value
        assert written >= count > 0, table
    assert seen["daily_metrics"]["plot"].value.startswith("![plot](data:image/png;base64,")
    page = Path(seen["drift"]["report"].value)
    assert page.is_relative_to(platform / "lake" / "reports")
    assert b"<html" in page.read_bytes()[:2000].lower()
    recorded = str(seen) + str(check_results(platform, finished.run_id))
    assert not [phone for phone in phones(platform) if phone in recorded]
    assert all(
        result.passed
        for name, result in check_results(platform, finished.run_id).items()
        if "drift" not in name
    )


def test_the_same_partition_twice_is_the_same_bytes_and_the_log_does_not_grow(
    platform: Path,
) -> None:
    run(platform, NEXT)
    once = digests(platform)
    run(platform, NEXT)
    assert digests(platform) == once


def test_a_range_of_days_is_one_run_and_leaves_the_bytes_of_day_by_day(copies: CopyOf) -> None:
    together, alone = copies("together"), copies("alone")
    runs = run_count(together)
    run(together, NEXT, THEN)
    assert run_count(together) == runs + 1
    tags = newest_run(together).tags
    assert tags["dagster/asset_partition_range_start"] == str(NEXT)
    assert tags["dagster/asset_partition_range_end"] == str(THEN)
    run(alone, NEXT)
    run(alone, THEN)
    assert tables(together) == tables(alone)
    assert log_ids(together) == log_ids(alone)


def test_two_platforms_from_the_same_seed_are_the_same_bytes_the_model_included(
    lived: Path, tmp_path: Path
) -> None:
    make(tmp_path / "again")
    assert [name for name in digests(lived) if name.endswith("model.ubj")]
    assert differences(lived, tmp_path / "again") == []


def test_a_few_rejected_rows_warn_and_the_day_goes_on(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * FROM source UNION ALL BY NAME "
        "SELECT * REPLACE ('9' || user_id AS user_id, 991.0 AS latitude) FROM source LIMIT 410",
    )
    finished = run_job(platform, "sources", NEXT)
    result = check_results(platform, finished.run_id)["users:few_rejected_rows"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "rejected_users" in result.description
    assert finished.failed_checks == ("users: few_rejected_rows",)


def test_too_many_rejected_rows_fail_the_day_before_anything_is_made_of_them(
    platform: Path,
) -> None:
    before = tables(platform)
    rewrite(
        platform / "source/events" / f"dt={LIVED}" / "events.parquet",
        "SELECT * REPLACE (NULL::VARCHAR AS user_id) FROM source",
    )
    with pytest.raises(PlatformError) as caught:
        run(platform, NEXT)
    message = str(caught.value)
    assert "events" in message and "few_rejected_rows" in message, message
    assert "rejected_events" in message
    after = tables(platform)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {name.partition("/")[0] for name in changed} <= {"events", "rejected_events"}


def test_without_an_eligible_user_the_day_succeeds_with_empty_predictions(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * REPLACE (TIMESTAMPTZ '2026-01-24 12:00:00+00' AS left_at) FROM source",
    )
    finished = run_job(platform, "daily", NEXT)
    assert finished.success
    assert "daily_predictions: somebody_has_predictions" in finished.failed_checks
    counts = rows(
        platform,
        f"""SELECT (SELECT count(*) FROM daily_predictions WHERE dt = DATE '{NEXT}'),
            (SELECT count(*) FROM job_of_the_day WHERE dt = DATE '{NEXT}'),
            (SELECT count(*) FROM sent_messages WHERE dt = DATE '{NEXT}')""",
    )
    assert counts == [(0, 0, 0)]
    seen = materializations(platform, finished.run_id)
    assert "eligible" in str(seen["daily_predictions"]["messages"].value)


def test_without_a_champion_predictions_say_what_to_train(platform: Path) -> None:
    shutil.rmtree(platform / "lake/models/champion")
    with pytest.raises(PlatformError) as caught:
        run_job(platform, "daily", NEXT)
    assert "daily_predictions" in caught.value.problem
    assert "champion" in caught.value.problem
    assert caught.value.remedy


def test_a_gap_between_two_runs_is_filled(platform: Path) -> None:
    run(platform, THEN)
    days = rows(platform, "SELECT DISTINCT dt FROM user_features WHERE dt > DATE '2026-01-24'")
    assert sorted(day for (day,) in days) == [LIVED, NEXT, THEN]
    edit(platform, "trees = 30", "trees = 31")
    assert run_job(platform, "train", THEN).success


def test_the_first_features_look_as_far_back_as_the_last(lived: Path) -> None:
    ((first,),) = rows(lived, "SELECT min(dt) FROM events")
    ((features,),) = rows(lived, "SELECT min(dt) FROM user_features")
    assert str(first) <= "2026-01-05" < str(features)
