"""What starts by itself: one retrain for a failure and not a second one; today's partition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from conversion_platform.definitions import build_defs
from conversion_platform.defs.monitoring.assets import DRIFT_CHECK
from conversion_platform.settings import load_settings
from conversion_platform_tests.defs.looking import newest_run
from conversion_platform_tests.tiny_platform import NEXT, edit, rows, run_job


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def watch(instance: dg.DagsterInstance, day: str, passed: bool, name: str = DRIFT_CHECK) -> None:
    """Stores an evaluation of a check, as a run of an asset does."""

    @dg.asset(name="drift", check_specs=[dg.AssetCheckSpec(name, asset="drift")])
    def drift() -> dg.MaterializeResult:
        result = dg.AssetCheckResult(
            check_name=name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"day": day},
        )
        return dg.MaterializeResult(check_results=[result])

    assert dg.materialize([drift], instance=instance).success


def tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorExecutionData:
    """One look of the sensor, as the daemon takes it."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=build_defs(load_settings())
    )
    sensor = build_defs(load_settings()).resolve_sensor_def("retrain_on_drift")
    return sensor.evaluate_tick(context)


def test_a_failure_asks_once_and_the_next_look_asks_for_nothing(
    instance: dg.DagsterInstance,
) -> None:
    watch(instance, "2026-03-02", passed=False)
    first = tick(instance, None)
    (request,) = first.run_requests or ()
    assert request.partition_key == "2026-03-02"
    assert request.tags["conversion_platform/asked_by"] == DRIFT_CHECK
    second = tick(instance, first.cursor)
    assert not second.run_requests and second.skip_message


def test_a_lost_cursor_asks_under_the_same_key_so_that_dagster_starts_nothing(
    instance: dg.DagsterInstance,
) -> None:
    watch(instance, "2026-03-02", passed=False)
    before = tick(instance, None).run_requests or ()
    after = tick(instance, None).run_requests or ()
    assert [one.run_key for one in before] == [one.run_key for one in after]
    assert before[0].run_key


def test_a_later_failure_asks_again_under_its_own_key(instance: dg.DagsterInstance) -> None:
    watch(instance, "2026-03-02", passed=False)
    first = tick(instance, None)
    watch(instance, "2026-03-03", passed=False)
    second = tick(instance, first.cursor)
    (one,), (other,) = first.run_requests or (), second.run_requests or ()
    assert other.partition_key == "2026-03-03"
    assert one.run_key != other.run_key


def test_a_check_that_passes_asks_for_nothing_and_moves_the_cursor(
    instance: dg.DagsterInstance,
) -> None:
    watch(instance, "2026-03-02", passed=True)
    watch(instance, "2026-03-02", passed=False, name="another_check")
    found = tick(instance, None)
    assert not found.run_requests
    assert tick(instance, found.cursor).skip_message


def test_every_failure_since_the_last_look_asks(instance: dg.DagsterInstance) -> None:
    for day, passed in ((1, True), (2, False), (3, True), (4, False)):
        watch(instance, f"2026-03-0{day}", passed)
    found = tick(instance, None)
    asked = [one.partition_key for one in found.run_requests or ()]
    assert asked == ["2026-03-02", "2026-03-04"]
    assert tick(instance, found.cursor).skip_message


def requested(settings_toml: str, folder: Path, schedule: str, moment: datetime) -> str | None:
    """The partition that a schedule asks for when it ticks at a moment."""
    file = folder / "conversion_platform.toml"
    file.write_text(settings_toml)
    repository = build_defs(load_settings(file)).get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=moment, repository_def=repository)
    (request,) = repository.get_schedule_def(schedule).evaluate_tick(context).run_requests or ()
    return request.partition_key


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("America/New_York", "2026-11-23T11:00:00+00:00", "2026-11-23"),
        ("America/Los_Angeles", "2026-11-23T00:10:00+00:00", "2026-11-22"),  # midnight in London
        ("Asia/Tokyo", "2026-11-22T15:05:00+00:00", "2026-11-23"),
        ("America/New_York", "2026-03-08T04:59:00+00:00", "2026-03-07"),  # spring forward
        ("America/New_York", "2026-03-08T10:00:00+00:00", "2026-03-08"),
        ("America/New_York", "2026-03-09T03:59:00+00:00", "2026-03-08"),
        ("America/New_York", "2026-11-02T04:59:00+00:00", "2026-11-01"),  # fall back
        ("America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-02"),
    ],
)
@pytest.mark.parametrize("schedule", ["daily_run", "weekly_training", "texts_due"])
def test_a_schedule_asks_for_the_day_on_the_platforms_wall(
    tmp_path: Path, schedule: str, zone: str, moment: str, day: str
) -> None:
    toml = f'[platform]\ntime_zone = "{zone}"\nstart_date = 2026-01-01\n'
    at = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    assert requested(toml, tmp_path, schedule, at) == day


@pytest.mark.parametrize("schedule", ["daily_run", "weekly_training"])
def test_a_schedule_does_nothing_in_a_replay_and_says_why(tmp_path: Path, schedule: str) -> None:
    file = tmp_path / "conversion_platform.toml"
    file.write_text('[platform]\nclock = "replay"\nstart_date = 2026-01-01\n')
    repository = build_defs(load_settings(file)).get_repository_def()
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 23, 11, tzinfo=UTC), repository_def=repository
    )
    ticked = repository.get_schedule_def(schedule).evaluate_tick(context)
    assert not ticked.run_requests
    assert "there is no today" in str(ticked.skip_message)


def test_the_day_that_a_schedule_asks_for_is_a_partition_at_that_moment(tmp_path: Path) -> None:
    from conversion_platform.definitions import days_partitions

    file = tmp_path / "conversion_platform.toml"
    file.write_text('[platform]\ntime_zone = "Pacific/Auckland"\nstart_date = 2026-01-01\n')
    days = days_partitions(load_settings(file))
    moment = datetime(2026, 11, 22, 11, 5, tzinfo=UTC)  # 00:05 on the 23rd in Auckland
    assert days.get_partition_keys(moment)[-1] == "2026-11-23"


@pytest.mark.slow
def test_a_real_drift_beyond_the_limit_makes_the_sensor_ask_for_that_day(platform: Path) -> None:
    from conversion_platform.runs.instance import open_instance
    from conversion_platform_tests.tiny_platform import settings_in

    edit(platform, "[schedule]", "[drift]\nmax_drifted_share = 0.0\n[schedule]")
    finished = run_job(platform, "daily", NEXT)
    assert finished.success
    assert any(check.startswith(f"drift: {DRIFT_CHECK}") for check in finished.failed_checks)
    with open_instance(settings_in(platform)) as instance:
        asked = tick(instance, None).run_requests or ()
    assert [one.partition_key for one in asked][-1] == str(NEXT)


def test_texts_that_fall_due_before_the_morning_run_are_no_failure(platform: Path) -> None:
    finished = run_job(platform, "send_texts", NEXT)
    assert finished.success
    assert rows(platform, f"SELECT * FROM sent_messages WHERE dt = DATE '{NEXT}'") == []
    assert newest_run(platform).job_name == "send_texts"
