"""The real assets on a real instance: the same bytes, things to look at, checks that hold."""

from __future__ import annotations

import shutil
import socket
import subprocess
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import PlatformError
from conversion_platform.runs.instance import open_instance
from conversion_platform.runs.planning import plan
from conversion_platform.training import champion
from conversion_platform_tests.defs.looking import (
    check_results,
    materializations,
    newest_run,
    run_count,
)
from conversion_platform_tests.tiny_platform import (
    FIRST,
    LIVED,
    NEXT,
    THEN,
    CopyOf,
    differences,
    digests,
    edit,
    lake_in,
    make,
    rewrite,
    rows,
    run,
    run_job,
    settings_in,
)


def test_runs_of_the_command_stand_on_the_pages_beside_those_of_the_daemon(lived: Path) -> None:
    with open_instance(settings_in(lived)) as instance:
        found = instance.get_runs()
    origins = {run.remote_job_origin for run in found}
    for origin in origins:
        assert origin is not None
        assert origin.repository_origin.get_label() == "__repository__@conversion_platform"
    assert {run.tags["dagster/max_retries"] for run in found} == {"0"}
    named = {origin.job_name for origin in origins if origin}
    assert named == {run.job_name for run in found}


def test_a_day_without_events_says_so_with_the_days_that_the_source_has(platform: Path) -> None:
    finished = run_job(platform, "sources", date(2026, 2, 2))
    (note,) = materializations(platform, finished.run_id)["events"]["notes"].value
    assert note.startswith("No accepted event on 2026-02-02")


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_two_platforms_from_the_same_seed_are_the_same_bytes_the_model_included(
    lived: Path, tmp_path: Path
) -> None:
    make(tmp_path / "again")
    assert [name for name in digests(lived) if name.endswith("model.ubj")]
    assert differences(lived, tmp_path / "again") == []


@pytest.mark.slow
def test_a_day_before_the_champions_gets_a_model_that_does_not_know_its_future(
    platform: Path,
) -> None:
    before = tables(platform)
    earlier = LIVED - ONE_DAY
    run(platform, earlier)
    served = rows(platform, "SELECT DISTINCT dt, model_version FROM daily_predictions ORDER BY dt")
    assert [(day, version[:10]) for day, version in served] == [
        (earlier, str(earlier)),
        (LIVED, str(LIVED)),
    ]
    after = tables(platform)
    of_the_lived_day = f"daily_predictions/dt={LIVED}/data.parquet"
    assert after[of_the_lived_day] == before[of_the_lived_day]
    assert champion(lake_in(platform), LIVED) == served[1][1]


@pytest.mark.slow
def test_running_an_older_day_again_forgets_nothing_and_reassigns_nobody(platform: Path) -> None:
    run(platform, NEXT, THEN)
    before = tables(platform)
    edit(platform, "size = 100", "size = 5")
    run(platform, LIVED)
    assert tables(platform) == before


def test_days_of_another_time_zone_do_not_get_into_a_filled_lake(platform: Path) -> None:
    before = digests(platform)
    edit(platform, "[platform]\n", '[platform]\ntime_zone = "Asia/Tokyo"\n')
    with pytest.raises(PlatformError) as caught:
        run(platform, NEXT)
    assert "America/New_York" in str(caught.value) and "Asia/Tokyo" in str(caught.value)
    assert "platform.time_zone" in caught.value.remedy
    assert digests(platform) == before


def test_a_job_that_dagster_starts_clears_what_a_killed_run_left(platform: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = platform / f"lake/.staging/{socket.gethostname()}.{dead.pid}.abc.parquet"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    run_job(platform, "sources", NEXT)
    assert not left.exists()


def test_without_a_champion_the_history_is_read_anew(platform: Path) -> None:
    """After a first run that failed, the source has probably been fixed."""
    shutil.rmtree(platform / "lake/models")
    steps = plan(lake_in(platform), settings_in(platform), DayRange.of(LIVED))
    assert [step.job for step in steps] == ["sources", "history", "train", "daily"]
    assert (steps[0].days.first, steps[1].days.last) == (FIRST, LIVED - ONE_DAY)
    assert steps[0].days.last == steps[1].days.first - ONE_DAY


def test_a_few_rejected_rows_warn_and_the_day_goes_on(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * FROM source UNION ALL BY NAME "
        "SELECT * REPLACE (NULL AS user_id) FROM source LIMIT 410",
    )
    finished = run_job(platform, "sources", NEXT)
    result = check_results(platform, finished.run_id)["users:reject_rate_within_limits"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "rejected_users" in result.description
    (warning,) = finished.failed_checks
    assert warning.startswith("users: reject_rate_within_limits (")


def test_cells_that_cannot_be_read_warn_and_the_day_goes_on(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * REPLACE (if(hash(user_id) % 2 = 0, 991.0, latitude) AS latitude) FROM source",
    )
    finished = run_job(platform, "sources", NEXT)
    result = check_results(platform, finished.run_id)["users:reject_rate_within_limits"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "latitude" in result.description and "out_of_range" in result.description
    assert "991" not in result.description


def test_an_attribute_that_the_champion_knows_keeps_its_kind_and_others_follow_their_values(
    platform: Path,
) -> None:
    users = platform / "source/users.parquet"
    edit(platform, '"experience_years"', '"seniority", "experience_years"')
    rewrite(users, "SELECT *, 7 AS seniority FROM source")
    run_job(platform, "sources", NEXT)
    value = "if(row_number() OVER () = 1, '3+', '7')"
    rewrite(
        users, f"SELECT * REPLACE ({value} AS experience_years, {value} AS seniority) FROM source"
    )
    finished = run_job(platform, "sources", NEXT)
    with duckdb.connect() as con:
        found = con.execute(
            "SELECT typeof(experience_years), typeof(seniority), "
            "count(*) FILTER (experience_years IS NULL), count(*) FILTER (seniority IS NULL) "
            f"FROM '{platform}/lake/users/data.parquet' GROUP BY ALL"
        ).fetchall()
    assert found == [("DOUBLE", "VARCHAR", 1, 0)]
    assert finished.failed_checks == ()


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
    assert "events" in message and "reject_rate_within_limits" in message, message
    assert "rejected_events" in message
    after = tables(platform)
    changed = {name for name in after if after[name] != before.get(name)}
    names = {name.removeprefix("personal/").partition("/")[0] for name in changed}
    assert {name.removesuffix("_values") for name in names} <= {
        "events",
        "rejected_events",
        "rejected_events_undated",
        "users_history",
        "jobs_history",
    }


@pytest.mark.slow
def test_without_an_eligible_user_the_day_succeeds_with_empty_predictions(platform: Path) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * REPLACE (TIMESTAMPTZ '2026-01-24 12:00:00+00' AS left_at) FROM source",
    )
    finished = run_job(platform, "daily", NEXT)
    assert finished.success
    assert "daily_predictions: predictions_exist" in finished.failed_checks
    counts = rows(
        platform,
        f"""SELECT (SELECT count(*) FROM daily_predictions WHERE dt = DATE '{NEXT}'),
            (SELECT count(*) FROM job_of_the_day WHERE dt = DATE '{NEXT}'),
            (SELECT count(*) FROM sent_messages WHERE dt = DATE '{NEXT}')""",
    )
    assert counts == [(0, 0, 0)]
    seen = materializations(platform, finished.run_id)
    assert "eligible" in str(seen["daily_predictions"]["messages"].value)


@pytest.mark.slow
def test_a_feature_that_the_model_reads_and_the_day_lacks_is_named(platform: Path) -> None:
    rewrite(platform / "source/users.parquet", "SELECT * EXCLUDE (experience_years) FROM source")
    finished = run_job(platform, "daily", NEXT)
    assert finished.success
    name = "daily_predictions: model_features_present"
    assert f"{name} (Scored as missing: user_experience_years.)" in finished.failed_checks


def test_without_a_champion_predictions_say_what_to_train(platform: Path) -> None:
    shutil.rmtree(platform / "lake/models/champion")
    with pytest.raises(PlatformError) as caught:
        run_job(platform, "daily", NEXT)
    assert "daily_predictions" in caught.value.problem
    assert "champion" in caught.value.problem
    assert caught.value.remedy


@pytest.mark.slow
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
