"""The command line: each command does its thing, each error is one message and exit code 1."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.messaging import open_ledger, open_provider, receive
from conversion_platform.training import candidate, champion
from conversion_platform_tests.command import call
from conversion_platform_tests.defs.looking import newest_run, run_count
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    THEN,
    digests,
    edit,
    lake_in,
    rewrite,
    rows,
    settings_in,
)

COMMANDS = {
    "init",
    "check-sources",
    "check-features",
    "run",
    "train",
    "status",
    "sql",
    "outbox",
    "replies",
    "demo",
    "simulate",
}


def ask(folder: Path, *words: str) -> Result:
    """Calls a command on the platform in `folder`."""
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def refused(result: Result) -> str:
    """The one message of a command that failed as it should."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert lines[0].startswith("Error: ") and lines[-1].startswith("What to do: "), lines
    return result.stderr


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert set(main.commands) >= COMMANDS
    for name, command in main.commands.items():
        assert name in result.output and command.help, name


@pytest.mark.slow
def test_train_says_which_version_it_made_and_whether_it_is_the_champion(platform: Path) -> None:
    result = ask(platform, "train", "--day", str(THEN))
    assert result.exit_code == 0, result.output
    lake = lake_in(platform)
    version = candidate(lake, THEN)
    promoted = champion(lake, THEN) == version
    words = "is the champion from" if promoted else "is not promoted"
    assert f"The candidate {version} {words}" in " ".join(result.stdout.split())
    run = newest_run(platform)
    assert run.job_name == "train"
    assert run.tags["dagster/partition"] == str(THEN)


@pytest.mark.parametrize("command", [("run", "--from"), ("train", "--day")])
def test_a_day_that_cannot_be_run_is_refused_before_anything_runs(
    platform: Path, command: tuple[str, str]
) -> None:
    runs = run_count(platform)
    assert "is before platform.start_date" in refused(ask(platform, *command, "2026-01-04"))
    assert "lies in the future" in refused(ask(platform, *command, "2999-01-04"))
    edit(platform, 'clock = "replay"', 'clock = "wall"')
    assert "lies in the future" in refused(ask(platform, *command, "2999-01-04"))
    assert run_count(platform) == runs


@pytest.mark.parametrize(
    "words",
    [
        ("--config", "file/x.toml", "init"),
        ("simulate", "--folder", "file/x", "--size", "tiny"),
        ("simulate", "--folder", "/proc/x", "--size", "tiny"),
        ("demo", "--folder", "file/x"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    told = refused(CliRunner().invoke(main, words))
    assert "cannot be used: " in told
    assert "this user can write to" in told


def test_a_lake_below_a_file_is_not_there_for_the_ledger(platform: Path) -> None:
    (platform / "file").write_text("no folder")
    edit(platform, "[platform]", '[platform]\nlake = "file/lake"')
    told = refused(ask(platform, "run", "--from", str(NEXT)))
    assert "lake that this ledger belongs to is not there" in told


def test_a_training_without_a_matured_day_says_so_before_anything_runs(platform: Path) -> None:
    runs = run_count(platform)
    assert "No impression has a matured label" in refused(
        ask(platform, "train", "--day", "2026-01-06")
    )
    assert run_count(platform) == runs


def test_a_day_that_is_no_day_is_refused(tmp_path: Path) -> None:
    result = ask(tmp_path, "run", "--from", "yesterday")
    assert result.exit_code == 2
    assert "write it as 2026-11-23" in result.stderr


def test_init_writes_settings_that_load_and_does_not_overwrite_them(tmp_path: Path) -> None:
    assert ask(tmp_path, "init").exit_code == 0
    file = tmp_path / "conversion_platform.toml"
    before = file.read_bytes()
    file.write_bytes(before + b"# mine\n")
    assert "--force" in refused(ask(tmp_path, "init"))
    assert file.read_bytes() == before + b"# mine\n"
    assert ask(tmp_path, "init", "--force").exit_code == 0
    assert file.read_bytes() == before
    assert ask(tmp_path, "status").exit_code == 0


def test_init_proposes_what_can_become_a_feature_where_the_sources_lie_in_their_places(
    lived: Path, tmp_path: Path
) -> None:
    (tmp_path / "source").symlink_to(lived / "source")
    told = ask(tmp_path, "init").stdout
    assert '[sources.users] attributes = ["experience_years", "has_car", "referral"' in told
    assert '[sources.jobs] attributes = ["is_remote", "urgent", "rating"]' in told
    assert not any(name in told for name in ("first_name", "gender", "email"))


def test_init_says_why_sources_in_their_places_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for name in ("users", "jobs"):
        (tmp_path / f"source/{name}.parquet").write_text("no table")
    result = ask(tmp_path, "init")
    assert result.exit_code == 0
    assert "cannot be read yet: sources.users" in result.stdout


def test_check_sources_says_in_one_screen_how_the_sources_are(lived: Path) -> None:
    before = digests(lived)
    result = ask(lived, "check-sources")
    assert result.exit_code == 0
    for word in ("users", "jobs", "events", "Conversion", "Days"):
        assert word in result.output
    assert digests(lived) == before


def test_check_sources_shows_its_screen_and_fails_where_too_much_is_rejected(
    platform: Path,
) -> None:
    rewrite(
        platform / "source/users.parquet",
        "SELECT * FROM source UNION ALL BY NAME SELECT * REPLACE (NULL AS user_id) FROM source",
    )
    result = ask(platform, "check-sources")
    assert result.exit_code == 1
    assert "50.00%   fail" in result.output and "Conversion" in result.output


def test_status_is_a_screen_or_one_json_object(lived: Path) -> None:
    shown = ask(lived, "status")
    assert shown.exit_code == 0
    assert str(LIVED) in shown.output
    found = json.loads(ask(lived, "status", "--json").output)
    assert found["last_day_run"] == str(LIVED)


def test_sql_prints_a_table_csv_or_json_and_writes_nothing(lived: Path) -> None:
    query = "select count(*) as texts from sent_messages"
    ((texts,),) = rows(lived, query)
    assert json.loads(ask(lived, "sql", query, "--format", "json").output) == [{"texts": texts}]
    assert ask(lived, "sql", query, "--format", "csv").output.split() == ["texts", str(texts)]
    assert str(texts) in ask(lived, "sql", query).output
    before = digests(lived)
    refused(ask(lived, "sql", "drop view event_log"))
    refused(ask(lived, "sql", "select * from nowhere"))
    assert digests(lived) == before


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("sql", "select count(*) from users"),
        ("outbox",),
        ("replies",),
        ("check-features", "--day", "2026-01-25"),
    ],
)
def test_reading_makes_nothing_where_nothing_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "conversion_platform.toml").touch()
    result = ask(tmp_path, *words)
    if words[0] == "check-features":
        assert "`users` is not ready" in refused(result)
    else:
        assert result.exit_code == 0, result.output
    if words[0] in ("outbox", "replies"):
        assert "0 " in result.output and "there is no " in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["conversion_platform.toml"]


def test_outbox_shows_texts_without_whole_numbers(lived: Path) -> None:
    result = ask(lived, "outbox", "--limit", "3")
    assert result.exit_code == 0
    assert result.output.count("Reply STOP to opt out") == 3
    assert "+1" not in result.output


def test_replies_shows_what_a_person_should_read_without_whole_numbers(platform: Path) -> None:
    settings = settings_in(platform)
    with open_ledger(settings) as ledger, closing(open_provider(settings)) as provider:
        text = next(one for one in provider.outbox() if one.message_id)
        provider.receive_reply(text.phone, "who is this?\x1b[2J", text.at + timedelta(hours=3), "r")
        receive(ledger, provider, settings, text.at + timedelta(hours=4))
    shown = ask(platform, "replies", "--limit", "1")
    assert shown.exit_code == 0
    assert "who is this?" in shown.output and text.phone[-4:] in shown.output
    assert text.phone not in shown.output and "\x1b" not in shown.output


def test_check_features_proves_the_lived_day(platform: Path) -> None:
    result = ask(platform, "check-features", "--day", str(LIVED))
    assert result.exit_code == 0, result.output


def test_simulate_writes_the_same_world_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        words = ["simulate", "--folder", str(tmp_path / name), "--size", "tiny", "--seed", "3"]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0
        assert "400 users" in result.output
    assert digests(tmp_path / "one", "source") == digests(tmp_path / "two", "source")


def test_simulate_does_not_replace_tables_that_no_simulation_made(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    mine = tmp_path / "source/users.parquet"
    mine.touch()
    words = ["simulate", "--folder", str(tmp_path), "--size", "tiny"]
    assert "was not made by a simulation" in refused(CliRunner().invoke(main, words))
    assert mine.exists()


def test_a_missing_settings_file_is_one_message(tmp_path: Path) -> None:
    assert "conversion_platform.toml" in refused(ask(tmp_path, "status"))


def test_a_wrong_setting_names_the_nearest(platform: Path) -> None:
    edit(platform, "start_date", "start_dat")
    assert "start_date" in refused(ask(platform, "status"))


def test_a_day_before_the_data_starts_says_when_it_starts(lived: Path) -> None:
    assert "2026-01-05" in refused(ask(lived, "run", "--from", "2026-01-04"))


def test_a_day_in_the_future_is_refused_by_the_wall_clock(platform: Path) -> None:
    edit(platform, 'clock = "replay"', 'clock = "wall"')
    assert "future" in refused(ask(platform, "run", "--from", "2999-01-01"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("user_clicks_7d > 0", "user_click_7d > 0", ["cohort `looking`", "user_click_7d"]),
        ("user_clicks_7d > 0", "user_clicks_7d >", ["cohort `looking`", "syntax error"]),
        ("size = 100", "template = '{{ titel }} STOP'", ["`quiet`", "Did you mean `title`?"]),
        ("size = 100", "template = '{{ title STOP'", ["`quiet`", "does not work"]),
    ],
)
def test_a_mistake_in_a_cohort_is_told_before_anything_runs(
    lived: Path, tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    shutil.copytree(lived / "source", tmp_path / "source")
    shutil.copy(lived / "conversion_platform.toml", tmp_path)
    edit(tmp_path, old, new)
    message = refused(ask(tmp_path, "run", "--from", str(LIVED)))
    assert all(word in message for word in words), message
    assert not (tmp_path / "lake").exists()
    looked = ask(tmp_path, "check-sources")
    assert looked.exit_code == 1
    assert "Conversion" in looked.stdout  # the screen, and then the same message
    assert looked.stderr == message


def test_days_in_the_wrong_order_are_refused(lived: Path) -> None:
    words = ("run", "--from", "2026-01-26", "--to", "2026-01-25")
    assert "--from" in refused(ask(lived, *words))


def test_a_first_day_without_a_matured_label_says_so(lived: Path, tmp_path: Path) -> None:
    shutil.copytree(lived / "source", tmp_path / "source")
    shutil.copy(lived / "conversion_platform.toml", tmp_path)
    message = refused(ask(tmp_path, "run", "--from", "2026-01-06"))
    assert "matured" in message
    assert not (tmp_path / "lake").exists()


def test_a_missing_source_is_one_message_in_a_real_process(platform: Path) -> None:
    """No traceback, no word of an interpreter that leaks; and nothing of the lake is touched."""
    before = digests(platform)
    (platform / "source/users.parquet").rename(platform / "source/people.parquet")
    code, output, errors = call(platform, "run", "--from", "2026-01-26")
    assert code == 1
    lines = errors.strip().splitlines()
    assert len(lines) == 2, errors
    assert lines[0].startswith("Error: Asset `users` failed: ")
    assert "users.parquet" in lines[0]
    assert lines[1].startswith("What to do: ")
    assert "Traceback" not in output
    after = digests(platform)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {name.split("/")[0] for name in changed} <= {"jobs", "rejected_jobs", "attributes"}


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_simple_questions_import_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    script = (
        "import sys\nfrom conversion_platform.cli.main import main\n"
        f"try: main({list(words)!r})\nexcept SystemExit: pass\n"
        "heavy = {'dagster', 'duckdb', 'pandas', 'xgboost', 'evidently'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
