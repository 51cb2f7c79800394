"""What the code location holds: assets, checks, jobs, schedules, sensors, and how they hang."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from conversion_platform.days import DayRange
from conversion_platform.definitions import build_defs
from conversion_platform.defs.lake_asset import TABLE_NAME
from conversion_platform.defs.partitions import days_partitions
from conversion_platform.errors import LakeError
from conversion_platform.event_log import EVENT_TYPES
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.tiny_platform import edit, run, settings_in

MARKETPLACE = ("duckdb", "parquet")
TEXTS = ("duckdb", "parquet", "sqlite")
FEATURES = {"response_effects", "user_features", "job_features", "user_by_category"}

SOURCES = {"users_history", "jobs_history", "attributes", "events"}
SNAPSHOTS = {"users_history", "jobs_history"}
DUE_DAILY = (
    "user_features",
    "daily_predictions",
    "job_of_the_day",
    "sent_messages",
    "daily_metrics",
)
MODEL = {"candidate_model", "training_examples"}

# key: (group, kinds, deps)
ASSETS: dict[str, tuple[str, tuple[str, ...], set[str]]] = {
    "users": ("marketplace", MARKETPLACE, set()),
    "jobs": ("marketplace", MARKETPLACE, set()),
    "users_history": ("marketplace", MARKETPLACE, {"users"}),
    "jobs_history": ("marketplace", MARKETPLACE, {"jobs"}),
    "events": ("marketplace", MARKETPLACE, {"users_history", "jobs_history"}),
    "attributes": ("marketplace", MARKETPLACE, {"users", "jobs"}),
    "response_effects": ("features", MARKETPLACE, SOURCES),
    "user_features": ("features", MARKETPLACE, SOURCES),
    "job_features": ("features", MARKETPLACE, SOURCES),
    "user_by_category": ("features", MARKETPLACE, SOURCES),
    "training_examples": ("training", MARKETPLACE, {*SOURCES, *FEATURES}),
    "candidate_model": (
        "training",
        ("xgboost",),
        {"training_examples", "attributes", "response_effects"},
    ),
    "model_evaluation": ("training", ("duckdb", "scikitlearn"), MODEL),
    "model_explanations": ("training", ("shap", "xgboost"), MODEL),
    "champion_model": (
        "training",
        ("xgboost",),
        {"candidate_model", "model_evaluation", "model_explanations"},
    ),
    "daily_predictions": (
        "inference",
        ("duckdb", "parquet", "xgboost"),
        {"users_history", "jobs_history", "events", *FEATURES, "champion_model"},
    ),
    "drift": (
        "monitoring",
        ("duckdb", "evidently", "parquet"),
        {*SNAPSHOTS, "events", *FEATURES, "daily_predictions", "champion_model"},
    ),
    "job_of_the_day": (
        "applications",
        MARKETPLACE,
        {"daily_predictions", "events", "user_features", "users_history"},
    ),
    "sent_messages": ("messaging", TEXTS, {"job_of_the_day", "users", "jobs", *SNAPSHOTS}),
    "message_states": ("messaging", TEXTS, {"sent_messages"}),
    "replies": ("messaging", TEXTS, {"sent_messages"}),
    "outcomes": ("messaging", TEXTS, {"job_of_the_day", "sent_messages", "events"}),
    "daily_metrics": ("metrics", MARKETPLACE, {"outcomes"}),
    "log_snapshot": ("event_log", MARKETPLACE, SNAPSHOTS),
    "log_prediction": ("event_log", MARKETPLACE, {"daily_predictions"}),
    "log_assignment": ("event_log", MARKETPLACE, {"job_of_the_day"}),
    "log_message_state": ("event_log", MARKETPLACE, {"message_states"}),
    "log_reply": ("event_log", MARKETPLACE, {"replies"}),
    "log_outcome": ("event_log", MARKETPLACE, {"outcomes"}),
    "log_promotion": ("event_log", MARKETPLACE, {"champion_model"}),
}

LEFT_TO_RIGHT = [
    "marketplace",
    "features",
    "training",
    "inference",
    "monitoring",
    "applications",
    "messaging",
    "event_log",
    "metrics",
]
CHARACTERS_OF_A_NODE = 18  # Dagster's graph cuts a longer name in the middle
# Each takes longer to import than the code location to load.
HEAVY = {"boto3", "dagster_aws", "duckdb", "evidently", "matplotlib", "pandas", "shap", "sklearn"}
NO_TABLE = {"candidate_model", "model_evaluation", "model_explanations", "champion_model"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    file = tmp_path_factory.mktemp("settings") / "conversion_platform.toml"
    file.write_text('[platform]\ntime_zone = "America/Chicago"\nstart_date = 2026-02-01\n')
    return load_settings(file)


@pytest.fixture(scope="module")
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings)


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_the_assets_are_these(specs: dict[str, dg.AssetSpec]) -> None:
    found = {
        key: (
            spec.group_name,
            tuple(sorted(spec.kinds)),
            {dep.asset_key.to_user_string() for dep in spec.deps},
        )
        for key, spec in specs.items()
    }
    assert found == ASSETS


def test_every_event_type_has_its_asset(specs: dict[str, dg.AssetSpec]) -> None:
    logs = {spec.metadata[TABLE_NAME] for key, spec in specs.items() if key.startswith("log_")}
    assert logs == {kind.view for kind in EVENT_TYPES}


def test_the_graph_shows_every_name_whole(specs: dict[str, dg.AssetSpec]) -> None:
    assert [key for key in specs if len(key) > CHARACTERS_OF_A_NODE] == []


def test_every_table_says_by_which_name_sql_knows_it(specs: dict[str, dg.AssetSpec]) -> None:
    named = {key: spec.metadata.get(TABLE_NAME) for key, spec in specs.items()}
    assert {key for key, table in named.items() if table is None} == NO_TABLE
    assert {key: table for key, table in named.items() if table not in (key, None)} == {
        "user_by_category": "user_category_features",
        "log_prediction": "log_prediction_batch",
        "log_promotion": "log_model_promotion",
    }


def test_every_asset_says_what_it_is_and_whose(specs: dict[str, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert spec.description and spec.description.endswith("."), key
        assert list(spec.owners) == ["team:ml-platform"], key
        assert spec.group_name in LEFT_TO_RIGHT, key
        assert spec.kinds, key


def test_every_table_shows_its_columns_with_descriptions(specs: dict[str, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        schema = spec.metadata.get("dagster/column_schema")
        assert (schema is None) == (key in NO_TABLE), key
        for column in schema.columns if schema else ():
            assert column.description and column.type, f"{key}.{column.name}"


def test_lineage_goes_from_left_to_right_only(specs: dict[str, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        own = LEFT_TO_RIGHT.index(spec.group_name or "")
        for dep in spec.deps:
            before = specs[dep.asset_key.to_user_string()].group_name
            assert LEFT_TO_RIGHT.index(before or "") <= own, f"{dep.asset_key} -> {key}"


def test_the_checks_are_these(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    checks = {f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys}
    keyed = {
        "users",
        "jobs",
        *SNAPSHOTS,
        "events",
        *FEATURES,
        "training_examples",
        "daily_predictions",
        "job_of_the_day",
        "sent_messages",
        "outcomes",
        "daily_metrics",
    }
    assert checks == {
        *(f"{table}:reject_rate_within_limits" for table in ("users", "jobs", "events")),
        *(f"{table}:past_is_unchanged" for table in ("users_history", "jobs_history")),
        *(f"{table}:primary_key_unique" for table in keyed),
        *(f"{table}:columns_match_schema" for table in keyed),
        *(f"{table}:newest_partition_exists" for table in DUE_DAILY),
        "events:source_is_fresh",
        "daily_predictions:predictions_valid",
        "daily_predictions:predictions_exist",
        "daily_predictions:model_features_present",
        "drift:drift_within_limits",
        "model_evaluation:beats_human_baseline",
    }
    for key in graph.asset_check_keys:
        assert graph.get_check_spec(key).description, key


def test_partitions_are_local_days_and_today_has_one(
    defs: dg.Definitions, settings: Settings
) -> None:
    days = days_partitions(settings)
    assert (days.timezone, days.end_offset) == ("America/Chicago", 1)
    # Half past midnight in Chicago: the day that has just begun is there already.
    now = datetime(2026, 2, 4, 0, 30, tzinfo=ZoneInfo("America/Chicago"))
    assert days.get_partition_keys(now) == ["2026-02-01", "2026-02-02", "2026-02-03", "2026-02-04"]
    for asset in defs.resolve_asset_graph().assets_defs:
        for spec in asset.specs:
            assert spec.partitions_def == days, spec.key
        if not isinstance(asset, dg.AssetChecksDefinition):
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def with_toml(folder: Path, toml: str) -> Settings:
    file = folder / "conversion_platform.toml"
    file.write_text(f"[platform]\nstart_date = 2026-01-05\n{toml}")
    return load_settings(file)


def test_the_partitions_of_a_replay_end_with_the_events_of_the_source(lived: Path) -> None:
    settings = settings_in(lived)
    assert days_partitions(settings).get_partition_keys()[-1] == "2026-01-28"
    for spec in build_defs(settings).resolve_all_asset_specs():
        assert spec.partitions_def == days_partitions(settings)


def test_a_day_after_the_last_event_has_a_partition_in_its_own_run(lived: Path) -> None:
    settings, day = settings_in(lived), date(2026, 3, 1)
    alone = build_defs(settings, run_for=DayRange.of(day)).resolve_all_asset_specs()
    assert {spec.partitions_def for spec in alone} == {days_partitions(settings, day)}
    assert days_partitions(settings, day).get_partition_keys()[-1] == "2026-03-01"


@pytest.mark.slow
def test_a_day_that_was_run_after_the_last_event_keeps_its_partition(platform: Path) -> None:
    run(platform, date(2026, 1, 30))
    assert days_partitions(settings_in(platform)).get_partition_keys()[-1] == "2026-01-30"


def test_a_replay_whose_source_was_never_read_has_all_days_to_today(tmp_path: Path) -> None:
    replay = with_toml(tmp_path, 'clock = "replay"\n')
    assert days_partitions(replay).end is None


def test_the_days_of_the_wall_clock_do_not_end_with_a_replay_of_before(platform: Path) -> None:
    edit(platform, 'clock = "replay"', 'clock = "wall"')
    assert days_partitions(settings_in(platform)).end is None


def test_a_damaged_end_of_the_replay_is_named_with_what_to_do(platform: Path) -> None:
    (platform / "lake/sources/events.json").write_text('{"last_day": "soon"}')
    with pytest.raises(LakeError, match=r"events\.json is damaged") as caught:
        days_partitions(settings_in(platform))
    assert "Delete it" in caught.value.remedy


def test_the_assets_of_the_daily_run_are_due_two_hours_after_it_starts(tmp_path: Path) -> None:
    toml = 'time_zone = "America/Denver"\n[schedule]\ndaily_at = 22:30:00\n'
    specs = build_defs(with_toml(tmp_path, toml)).resolve_all_asset_specs()
    due = dg.FreshnessPolicy.cron("30 0 * * *", timedelta(hours=2), "America/Denver")
    for spec in specs:
        assert spec.freshness_policy == (None if spec.group_name == "training" else due), spec.key


@pytest.mark.parametrize("toml", ['clock = "replay"\n', "[schedule]\nenabled = false\n"])
def test_nothing_is_due_where_no_schedule_runs(tmp_path: Path, toml: str) -> None:
    specs = build_defs(with_toml(tmp_path, toml)).resolve_all_asset_specs()
    assert {spec.freshness_policy for spec in specs} == {None}


def test_the_jobs_are_these(defs: dg.Definitions) -> None:
    found = {
        job.name: {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
        for job in defs.resolve_all_job_defs()
        if not job.name.startswith("__")
    }
    by_group: dict[str, set[str]] = {}
    for key, (group, _, _) in ASSETS.items():
        by_group.setdefault(group, set()).add(key)
    training = by_group.pop("training")
    assert found == {
        "sources": by_group["marketplace"],
        "history": by_group["marketplace"] | by_group["features"],
        "train": training | {"log_promotion"},
        "daily": set().union(*by_group.values()),
        "send_texts": {"sent_messages", "message_states", "replies"},
    }


def automation(settings: Settings) -> dict[str, tuple[str, str | None, bool]]:
    """Job, cron line and whether it runs by default, of each schedule and sensor."""
    repository = build_defs(settings).get_repository_def()
    schedules = {
        one.name: (
            one.job_name,
            f"{one.cron_schedule} {one.execution_timezone}",
            one.default_status == dg.DefaultScheduleStatus.RUNNING,
        )
        for one in repository.schedule_defs
    }
    sensors = {
        one.name: (
            ", ".join(job.name for job in one.jobs),
            None,
            one.default_status == dg.DefaultSensorStatus.RUNNING,
        )
        for one in repository.sensor_defs
        if one.name != "default_automation_condition_sensor"
    }
    return {**schedules, **sensors}


def test_schedules_run_in_the_platforms_time_zone_and_by_default(settings: Settings) -> None:
    assert automation(settings) == {
        "daily_run": ("daily", "0 6 * * * America/Chicago", True),
        "weekly_training": ("train", "0 6 * * 1 America/Chicago", True),
        "texts_due": ("send_texts", "*/4 * * * * America/Chicago", True),
        "retrain_on_drift": ("train", None, True),
        "dead_runs": ("daily, sources, history, train, send_texts", None, True),
    }


def test_a_replay_has_no_texts_that_fall_due_and_schedules_can_be_off(tmp_path: Path) -> None:
    file = tmp_path / "conversion_platform.toml"
    file.write_text(
        '[platform]\nclock = "replay"\n[schedule]\nenabled = false\ndaily_at = 05:45:00\n'
        "[training]\ntrain_weekday = 6\n"
    )
    assert automation(load_settings(file)) == {
        "daily_run": ("daily", "45 5 * * * America/New_York", False),
        "weekly_training": ("train", "45 5 * * 0 America/New_York", False),
        "retrain_on_drift": ("train", None, False),
        "dead_runs": ("daily, sources, history, train, send_texts", None, True),
    }


@pytest.mark.parametrize("config", ["", "demo"])
def test_it_loads_without_a_warning_and_without_heavy_modules(tmp_path: Path, config: str) -> None:
    """In a fresh process, from a folder with no settings at all, and with the demo's."""
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    if config:
        demo = Path(__file__).parents[1] / "conversion_platform/demo/conversion_platform.toml"
        environment["CONVERSION_PLATFORM_CONFIG"] = str(demo)
    script = (
        "import sys; "
        "from conversion_platform.definitions import defs; "
        "r = defs().get_repository_def(); "
        "print(len(list(r.asset_graph.get_all_asset_keys())), len(r.get_all_jobs()) > 0); "
        f"print(*sys.modules.keys() & {HEAVY})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(len(ASSETS)), "True"]
    assert list(tmp_path.iterdir()) == []  # loading writes nothing


def test_a_wrong_settings_file_is_our_own_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conversion_platform.definitions import defs as load
    from conversion_platform.errors import SettingsError

    file = tmp_path / "conversion_platform.toml"
    file.write_text("[platform]\ntime_zon = 'UTC'\n")
    monkeypatch.setenv("CONVERSION_PLATFORM_CONFIG", str(file))
    with warnings.catch_warnings(), pytest.raises(SettingsError, match="time_zone"):
        load()
