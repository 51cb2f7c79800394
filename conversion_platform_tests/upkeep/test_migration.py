"""An installation of commit be1d59c is refused with the command that migrates it, and migrated."""

from __future__ import annotations

import re
import shutil
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.errors import LakeError, MessagingError, SettingsError
from conversion_platform.lake import FORMAT, FORMAT_KEY, lake_format
from conversion_platform.marketplace import (
    ATTRIBUTES,
    JOBS_CONTACTS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
    REJECTED_EVENTS_VALUES,
    REJECTED_JOBS,
    REJECTED_JOBS_VALUES,
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    USERS,
    USERS_CONTACTS,
    USERS_PROTECTED,
)
from conversion_platform.marketplace import JOBS as JOBS_TABLE
from conversion_platform.runs import renew_instance
from conversion_platform.runs.instance_settings import INSTANCE_SETTINGS
from conversion_platform.training import champion
from conversion_platform.upkeep import migrate
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    differences,
    digests,
    edit,
    lake_in,
    run,
    settings_in,
)

JOBS = "lake/jobs/data.parquet"


@pytest.fixture
def old(platform: Path) -> Path:
    """A platform as be1d59c left it: one table of users, and nothing that says a format."""
    together_again(platform)
    (platform / "lake" / FORMAT_KEY).unlink()
    return platform


def together_again(folder: Path) -> None:
    """Put what is personal back into the tables that held it until format 2."""
    lake = lake_in(folder)
    with lake.connect() as con:
        con.execute("SET preserve_insertion_order = true")
        for table, apart, key in (
            (USERS, (USERS_CONTACTS, USERS_PROTECTED), "user_id"),
            (JOBS_TABLE, (JOBS_CONTACTS,), "job_id"),
            (REJECTED_USERS, (REJECTED_USERS_VALUES,), "source, row_number, reason"),
            (REJECTED_JOBS, (REJECTED_JOBS_VALUES,), "source, row_number, reason"),
            (REJECTED_EVENTS, (REJECTED_EVENTS_VALUES,), "source, row_number, reason"),
            (
                REJECTED_EVENTS_UNDATED,
                (REJECTED_EVENTS_UNDATED_VALUES,),
                "source, row_number, reason",
            ),
        ):
            for day in lake.days(table) if table.daily else [None]:
                files = [
                    f"(FROM read_parquet('{folder}/lake/{lake.key(one, day)}', "
                    f"hive_partitioning = false)) AS part_{place}"
                    for place, one in enumerate((table, *apart))
                ]
                joined = "".join(f" JOIN {part} USING ({key})" for part in files[1:])
                query = f"SELECT * FROM {files[0]} {joined}"
                con.execute(f"CREATE OR REPLACE TEMP TABLE whole AS {query}")
                lake.write(con, table, "FROM whole", day)
        attributes = f"SELECT * EXCLUDE (privacy) FROM {lake.select(ATTRIBUTES)}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE whole AS {attributes}")
        con.execute("UPDATE whole SET used = true, reason = NULL")
        con.execute(f"COPY whole TO '{folder}/lake/attributes/data.parquet' (FORMAT parquet)")
    shutil.rmtree(folder / "lake/personal")
    for name in ("jobs_history", "jobs_versions", "event_log/event_type=snapshot"):
        shutil.rmtree(folder / "lake" / name)


def of_migrated(old: Path, new: Path) -> list[str]:
    """The differences, but for snapshots: those of a migrated lake begin with its migration."""
    return [
        one
        for one in differences(old, new)
        if not re.search(r"_history/|_versions/|event_type=snapshot/", one)
    ]


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def open_jobs_at_midnight(folder: Path, share: int) -> None:
    """Moves every n-th job's start to 00:00 in New York."""
    file = folder / JOBS
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'America/New_York'")
        con.execute(
            f"""COPY (SELECT * REPLACE (CASE WHEN hash(job_id) % {share} = 0
            THEN date_trunc('day', opened_at) ELSE opened_at END AS opened_at) FROM '{file}')
            TO '{file}.new' (FORMAT parquet)"""
        )
    Path(f"{file}.new").rename(file)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--from", str(NEXT)],
        ["status"],
        ["sql", "SELECT 1"],
        ["check-features", "--day", str(LIVED)],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_read_or_write_the_lake_name_the_command_to_run(
    old: Path, words: list[str]
) -> None:
    before = digests(old)
    result = ask(old, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The lake at ")
    assert "conversion-platform migrate" in result.stderr
    assert "Traceback" not in result.stderr
    assert digests(old) == before


@pytest.mark.slow
def test_a_migrated_platform_goes_on_as_one_that_was_never_old(
    old: Path, lived: Path, copies: object
) -> None:
    result = ask(old, "migrate")
    assert result.exit_code == 0, result.stderr
    assert f"has format {FORMAT} now, not 1" in result.stdout
    assert of_migrated(old, lived) == []
    new = copies("new")  # type: ignore[operator]
    for folder in (old, new):
        run(folder, NEXT)
    assert of_migrated(old, new) == []


def test_personal_columns_leave_the_open_files_and_lie_in_private_ones(old: Path) -> None:
    emails = [email for (email,) in _read(old / "lake/users/data.parquet", "email")]
    assert len(emails) > 100
    notes = migrate(lake_in(old), settings_in(old)).notes
    assert "email" not in _names(old / "lake/users/data.parquet")
    assert {"phone", "gender"} & set(_names(old / "lake/users/data.parquet")) == set()
    contacts = old / "lake/personal/users_contacts/data.parquet"
    assert [email for (email,) in _read(contacts, "email")] == emails
    for file in (old / "lake/personal").rglob("*.parquet"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = "\n".join(notes)
    assert "look personal or protected and were features" in told and "date_of_birth" in told
    assert emails[0] not in told


def test_attributes_that_nobody_listed_are_named_with_the_setting_that_keeps_them(
    old: Path,
) -> None:
    edit(old, '"has_car", ', "")
    notes = "\n".join(migrate(lake_in(old), settings_in(old)).notes)
    listed = '[sources.users] attributes = ["experience_years", "referral", "about", "has_car"]'
    assert listed in notes


@pytest.mark.parametrize(
    "step", [2, 4, 30, *(pytest.param(step, marks=pytest.mark.slow) for step in range(6, 70, 7))]
)
def test_a_migration_that_was_stopped_anywhere_is_done_by_running_it_again(
    old: Path, lived: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_in(old)
    publish, left = lake.storage.publish, [step]

    def stopping(file: Path, key: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        publish(file, key)

    monkeypatch.setattr(lake.storage, "publish", stopping)
    with suppress(KeyboardInterrupt):
        migrate(lake, settings_in(old))
    migrate(lake_in(old), settings_in(old))
    assert of_migrated(old, lived) == []


def _read(file: Path, columns: str) -> list[tuple[str]]:
    with duckdb.connect() as con:
        return con.execute(f"SELECT {columns} FROM '{file}' ORDER BY ALL").fetchall()


def _names(file: Path) -> list[str]:
    with duckdb.connect() as con:
        return [name for name, *_ in con.execute(f"DESCRIBE FROM '{file}'").fetchall()]


def test_the_registry_of_format_3_is_read_after_the_migration(platform: Path) -> None:
    lake = lake_in(platform)
    version = champion(lake)
    pointer = {"version": version, "day": str(LIVED), "reason": "There is no champion yet."}
    lake.write_json("models/champion/000001.json", pointer)
    lake.write_json(FORMAT_KEY, {"format": 3, "release": "0.1.0"})
    assert ask(platform, "models", "list").exit_code == 1
    assert "records of their own" in ask(platform, "migrate").stdout
    assert champion(lake) == version
    assert str(version) in ask(platform, "models", "list").stdout


def test_migrating_again_changes_nothing(old: Path) -> None:
    ask(old, "migrate")
    before = digests(old)
    result = ask(old, "migrate")
    assert (result.exit_code, digests(old)) == (0, before)
    assert "nothing to migrate" in result.stdout


def test_it_says_whether_the_new_rule_for_open_jobs_changes_anything(old: Path) -> None:
    found = migrate(lake_in(old), settings_in(old))
    assert any("changes nothing" in note for note in found.notes)


def test_jobs_that_open_at_midnight_are_counted_and_what_they_change_is_told(old: Path) -> None:
    open_jobs_at_midnight(old, 2)
    found = migrate(lake_in(old), settings_in(old))
    notes = "\n".join(found.notes)
    assert "jobs open at exactly 00:00 in America/New_York" in notes
    assert f"to {LIVED} were built by the earlier rule" in notes
    assert "The champion 2026-01-25-" in notes
    assert "primary_key_unique" in notes


def test_a_lake_of_a_later_release_is_refused(platform: Path) -> None:
    lake = lake_in(platform)
    lake.write_json(FORMAT_KEY, {"format": FORMAT + 1, "release": "9.0.0"})
    with pytest.raises(LakeError, match=r"9\.0\.0"):
        migrate(lake, settings_in(platform))


def test_a_ledger_of_a_later_release_is_refused_before_the_lake_is_changed(old: Path) -> None:
    with closing(sqlite3.connect(old / "messaging/ledger.sqlite")) as con:
        con.execute("PRAGMA user_version = 99")
    with pytest.raises(MessagingError, match="newer"):
        migrate(lake_in(old), settings_in(old))
    found = lake_format(lake_in(old).storage)
    assert found is not None and found.format == 1


def test_where_there_is_no_lake_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    (tmp_path / "conversion_platform.toml").write_text("")
    result = ask(tmp_path, "migrate")
    assert result.exit_code == 1
    assert "no lake" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["conversion_platform.toml"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance's folder."""
    (tmp_path / "conversion_platform.toml").write_text("")
    folder = tmp_path / "dagster_home"
    folder.mkdir()
    return folder


BE1D59C = """\
# Dagster's own settings for this installation (docs/operations.md).
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1 # a lake has one writer
run_monitoring:
  enabled: true
"""


def test_a_dagster_yaml_that_nobody_touched_is_brought_up(home: Path) -> None:
    (home / "dagster.yaml").write_text(BE1D59C)
    (said,) = renew_instance(settings_in(home.parent))
    assert "as this one writes it now" in said
    assert (home / "dagster.yaml").read_text() == INSTANCE_SETTINGS
    assert renew_instance(settings_in(home.parent)) == []


def test_a_dagster_yaml_of_one_s_own_stays_and_what_it_lacks_is_told(home: Path) -> None:
    own = BE1D59C.replace("enabled: true", "enabled: true # mine")
    (home / "dagster.yaml").write_text(own)
    (said,) = renew_instance(settings_in(home.parent))
    assert "run_monitoring.free_slots_after_run_end_seconds: 30" in said
    assert (home / "dagster.yaml").read_text() == own


def test_an_installation_without_an_instance_needs_no_dagster_yaml(home: Path) -> None:
    home.rmdir()
    assert renew_instance(settings_in(home.parent)) == []
    assert not home.exists()


def test_a_dagster_yaml_that_is_no_yaml_is_named(home: Path) -> None:
    (home / "dagster.yaml").write_text("concurrency: [")
    with pytest.raises(SettingsError, match=r"dagster\.yaml is not valid YAML"):
        renew_instance(settings_in(home.parent))
