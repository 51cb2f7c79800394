"""Warnings: what a run passes over, and somebody should know all the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import main
from conversion_platform.days import ONE_DAY
from conversion_platform.errors import Finding, SettingsError
from conversion_platform.marketplace import SourceCheck
from conversion_platform.messaging import told_outcomes
from conversion_platform.preflight import (
    Trial,
    check_data,
    check_events,
    check_freshness,
    known_of_lake,
    loaded_trial,
)
from conversion_platform.runs import reject_findings, settings_findings
from conversion_platform.settings import CONFIG_NAME, load_settings
from conversion_platform_tests.preflight.world import (
    EVENTS,
    LAST,
    USERS,
    Changes,
    loaded_findings,
    shared_findings,
    write_settings,
    write_source,
    write_world,
)
from conversion_platform_tests.tiny_platform import rewrite, settings_in


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good world: to be read, not changed."""
    return write_world(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def trial(good: Path) -> Iterator[Trial]:
    """Its sources in a temporary lake, with the features of a day."""
    with loaded_trial(load_settings(good / CONFIG_NAME), None, learns=True) as (_, loaded):
        check_data(loaded)
        yield loaded


@pytest.fixture
def world(good: Path, tmp_path: Path) -> Path:
    """A copy for one test to change."""
    return shutil.copytree(good, tmp_path / "world")


def the_warning(found: list[Finding]) -> str:
    """The one finding, which is a warning, with its setting."""
    (one,) = found
    assert one.warning
    return f"{one.setting}: {one.error}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cohorts.quiet.where": "state IN ('NY', 'Texas')"}, "which no user has"),
        ({"cohorts.quiet.where": "years > 100"}, "cohorts.quiet.where: No user is in the cohort"),
        ({"cohorts.quiet.size": 0}, "cohorts.quiet.size"),
        ({"cohorts.looking.min_probability": 1}, "cohorts.looking.min_probability"),
        ({"job_of_the_day.holdout_share": 1}, "job_of_the_day.holdout_share"),
        ({"cohorts.quiet.template": "{{ distance_km }} STOP"}, "prints a value that 100%"),
        ({"cohorts.quiet.template": "{{ title * 99 }} STOP"}, "more than messaging.max_segments"),
        ({"sources.users.columns": {"region": "state", "state": "state"}}, "mapped to both"),
    ],
)
def test_what_is_hardly_meant_is_a_warning_with_its_setting(
    world: Path, trial: Trial, changes: Changes, words: str
) -> None:
    settings = load_settings(write_settings(world, changes))
    assert words in the_warning(shared_findings(settings, replace(trial, temporary=False)))


@pytest.mark.parametrize(
    ("changes", "learns", "words"),
    [
        ({"click_types": ["klick"]}, True, "Did you mean 'click'?"),
        ({"conversion_types": ["application", "hire"]}, True, "no event of type 'hire'"),
        ({"conversion_types": ["hire"]}, False, "events.conversion_types"),
    ],
)
def test_an_event_type_that_never_occurs_is_a_warning_where_a_model_can_do_without(
    trial: Trial, changes: dict[str, list[str]], learns: bool, words: str
) -> None:
    settings = trial.session.settings
    events = settings.events.model_copy(update=changes)
    session = replace(trial.session, settings=settings.model_copy(update={"events": events}))
    assert words in the_warning(list(check_events(replace(trial, session=session, learns=learns))))


def test_days_too_few_to_train_on_are_a_warning_with_the_first_day_that_has_enough(
    world: Path,
) -> None:
    write_source(world, "events", f"FROM ({EVENTS}) WHERE occurred_at < '2026-01-05'")
    warning = the_warning(loaded_findings(load_settings(world / CONFIG_NAME)))
    assert "A model can be trained from 2026-01-08 on" in warning
    settings = load_settings(write_settings(world, {"events.attribution_window_days": 1}))
    assert "A model can be trained from 2026-01-06 on" in the_warning(loaded_findings(settings))
    write_source(world, "events", f"FROM ({EVENTS}) WHERE occurred_at < '2026-01-06'")
    assert loaded_findings(settings) == []


def test_a_day_asked_for_that_is_too_early_to_train_on_is_an_error(world: Path) -> None:
    settings = load_settings(world / CONFIG_NAME)
    asked = date(2026, 1, 7)
    with loaded_trial(settings, asked, learns=True) as (_, early):
        (found,) = check_data(early).findings
    assert not found.warning
    assert "from 2026-01-08 on" in str(found.error) and "2026-01-07 is too early" in str(
        found.error
    )
    with loaded_trial(settings, asked + ONE_DAY, learns=True) as (_, enough):
        assert check_data(enough).findings == []


def test_events_too_old_for_the_day_asked_for_are_an_error_that_names_their_days(
    world: Path,
) -> None:
    settings = load_settings(world / CONFIG_NAME)
    with loaded_trial(settings, date(2026, 9, 1), learns=True) as (_, late):
        (found,) = check_data(late).findings
    assert not found.warning and found.setting == "sources.events"
    assert "The source has events of 2026-01-02 to 2026-01-21." in str(found.error)


def test_a_source_of_which_no_event_is_accepted_is_told_apart_from_one_of_old_events(
    world: Path,
) -> None:
    write_source(world, "events", f"SELECT * REPLACE ('soon' AS occurred_at) FROM ({EVENTS})")
    found = loaded_findings(load_settings(world / CONFIG_NAME))[-1]
    assert not found.warning and found.setting == "sources.events"
    assert "No event of sources.events is accepted" in str(found.error)


def test_earlier_rows_of_one_id_are_not_counted_as_rejected(trial: Trial) -> None:
    assert trial.report
    many = SourceCheck("users", 100, 10, {"broken_line": 30}, {}, "fail", past_rows=60)
    (found,) = reject_findings(replace(trial.report, sources=(many,)))
    assert str(found.error).startswith("sources.users: 30 of 100 rows are rejected")


def test_a_home_of_dagster_that_cannot_be_made_is_an_error(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(world / "users.parquet/home"))
    (found,) = settings_findings(load_settings(world / CONFIG_NAME))
    assert "DAGSTER_HOME" in str(found.error) and "is no folder" in str(found.error)


def test_the_share_that_sending_would_suppress_is_told_by_reason(world: Path) -> None:
    query = f"SELECT * REPLACE (if(years = 1, NULL, consent_at) AS consent_at) FROM ({USERS})"
    write_source(world, "users", query)
    with loaded_trial(load_settings(world / CONFIG_NAME), None, learns=True) as (_, loaded):
        tried = check_data(loaded)
    assert tried.findings == []
    assert told_outcomes(tried.messages) == (
        "of 24 users tried, no_consent 16.7% would be suppressed"
    )


def test_one_reason_that_suppresses_everything_is_a_warning_with_the_columns_to_map(
    world: Path,
) -> None:
    write_source(world, "users", f"SELECT * EXCLUDE (consent_text) FROM ({USERS})")
    warning = the_warning(loaded_findings(load_settings(world / CONFIG_NAME)))
    assert "consent_incomplete 100.0%" in warning
    assert "sources.users.columns.consent_text" in warning


def test_a_users_column_with_the_name_of_a_feature_is_a_warning(world: Path) -> None:
    write_source(world, "users", f"SELECT *, 1 + years AS user_clicks_7d FROM ({USERS})")
    changes = {"sources.users.attributes": ["years", "user_clicks_7d"]}
    warning = the_warning(loaded_findings(load_settings(write_settings(world, changes))))
    assert "`user_clicks_7d`, which is the name of a feature" in warning


def test_a_users_column_called_day_does_not_hide_the_day_of_the_run(world: Path) -> None:
    write_source(world, "users", f"SELECT *, 'Monday' AS day FROM ({USERS})")
    changes = {
        "sources.users.attributes": ["years", "day"],
        "cohorts.quiet.where": "day > DATE '2026-01-20' AND created_at < day",
    }
    warning = the_warning(loaded_findings(load_settings(write_settings(world, changes))))
    assert "in a predicate `day` is the day of the run" in warning


def test_a_missing_type_is_told_with_the_types_that_there_are_and_no_moved_cell(
    world: Path,
) -> None:
    moved = "CASE WHEN position = 0 THEN 'zq@planted.example' ELSE event_type END AS event_type"
    write_source(world, "events", f"SELECT * REPLACE ({moved}) FROM ({EVENTS})")
    settings = load_settings(write_settings(world, {"events.conversion_types": ["hire"]}))
    with loaded_trial(settings, None, learns=True) as (_, loaded):
        told = " ".join(str(found.error) for found in check_events(loaded))
    assert "event types of the source: (address), impression, click, application" in told
    assert "planted" not in told


def test_events_that_end_before_the_days_asked_for_are_a_warning(trial: Trial) -> None:
    assert list(check_freshness(trial, LAST + ONE_DAY)) == []
    (found,) = check_freshness(trial, LAST + 5 * ONE_DAY)
    assert found.warning
    assert f"The newest event of the source is of {LAST}" in str(found.error)


def test_an_error_is_named_by_its_setting_once() -> None:
    error = SettingsError("It is wrong.", "Correct it.")
    assert Finding("a.b", error).named().problem == "a.b: It is wrong."
    named = SettingsError("a.b = 1 is wrong.", "Correct it.")
    assert Finding("a.b", named).named() is named


def test_the_settings_alone_are_judged_as_of_today(world: Path) -> None:
    start = {"platform.start_date": str(datetime.now(UTC).date() + 2 * ONE_DAY)}
    (found,) = settings_findings(load_settings(write_settings(world, start)))
    assert found.setting == "platform.start_date"


def test_the_command_shows_warnings_and_exits_with_0(world: Path) -> None:
    file = write_settings(world, {"cohorts.quiet.where": "state IN ('Texas', 'NY')"})
    result = CliRunner().invoke(main, ["--config", str(file), "check-sources"])
    assert result.exit_code == 0, result.output
    assert "Warning: " in result.stdout and "'New York', 'Texas'" in result.stdout
    assert "Sending     of 12 users tried, none would be suppressed" in result.stdout
    assert result.stderr == ""


def test_the_command_shows_every_mistake(world: Path) -> None:
    changes = {"cohorts.quiet.where": "stat = 1", "cohorts.looking.template": "{{ titel }} STOP"}
    file = write_settings(world, {**changes, "messaging.ledger": "custom"})
    result = CliRunner().invoke(main, ["--config", str(file), "check-sources"])
    assert result.exit_code == 1
    assert result.stderr.count("Error: ") == 3
    assert all(key in result.stderr for key in (*changes, "messaging.ledger"))


def test_the_command_goes_by_what_the_champion_knows_as_a_run_does(platform: Path) -> None:
    assert known_of_lake(settings_in(platform))["users"]["experience_years"] == "numeric"
    value = "if(row_number() OVER () = 1, '3+', experience_years::VARCHAR)"
    rewrite(
        platform / "source/users.parquet",
        f"SELECT * EXCLUDE (has_car) REPLACE ({value} AS experience_years) FROM source",
    )
    shown = CliRunner().invoke(main, ["--config", str(platform / CONFIG_NAME), "check-sources"])
    assert shown.exit_code == 0, shown.output
    assert "users.experience_years (numeric)" in " ".join(shown.output.split())
    assert "lists has_car, which the source has no more" in " ".join(shown.output.split())


def test_nothing_is_known_where_no_model_is(world: Path) -> None:
    assert known_of_lake(load_settings(world / CONFIG_NAME)) == {}
