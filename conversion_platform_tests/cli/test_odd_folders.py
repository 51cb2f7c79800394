"""A project works in a folder of any name, or says that the name cannot be used."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.definitions import defs
from conversion_platform.errors import SettingsError
from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.tiny_platform import LIVED, NEXT, differences, edit, run, settings_in

BRACKETS = "my [old] proj's"
ALL_SORTS = '~ a*b #1 100% {x,y} ünï;$HOME & "q"\n'


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def done(folder: Path, *words: str) -> str:
    result = ask(folder, *words)
    assert result.exit_code == 0, f"{words}: {result.output}"
    return result.output


def refused(folder: Path, *words: str) -> str:
    result = ask(folder, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def plain(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A platform in a folder of a plain name, after its second day."""
    folder = shutil.copytree(lived, tmp_path_factory.mktemp("plain") / "platform")
    run(folder, NEXT)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [BRACKETS, ALL_SORTS], ids=["brackets", "all sorts"])
def test_everything_works_in_a_folder_of_an_odd_name(
    plain: Path, lived: Path, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(lived, tmp_path / name)
    edit(
        folder, "[training]", '[sources.events]\npath = "source/events/dt=*/*.parquet"\n[training]'
    )
    fresh = CliRunner().invoke(main, ["--config", str(folder / "fresh.toml"), "init"])
    assert fresh.exit_code == 0, fresh.output
    assert "users" in done(folder, "check-sources")
    done(folder, "run", "--from", str(NEXT))
    assert differences(folder, plain) == []
    assert "13060" in done(folder, "sql", "SELECT count(*) FROM daily_predictions")
    assert str(NEXT) in done(folder, "status")
    assert "No feature" in done(folder, "check-features", "--day", str(LIVED))
    assert "Removed 0 runs" in done(folder, "prune")
    backup = tmp_path / f"{name} backup"
    done(folder, "backup", str(backup), "--wait", "0")
    for part in ("lake", "dagster_home", "messaging"):
        shutil.rmtree(folder / part)
    done(folder, "restore", str(backup))
    assert differences(folder, plain) == []


def test_a_folder_whose_name_would_match_another_reads_its_own_files(
    lived: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(lived, tmp_path / "proj*")
    shutil.copytree(lived, tmp_path / "project")
    count = "SELECT count(*) FROM daily_predictions"
    assert done(folder, "sql", count) == done(lived, "sql", count)


def test_csv_files_and_globs_are_found_below_brackets(lived: Path, tmp_path: Path) -> None:
    folder = tmp_path / BRACKETS
    shutil.copytree(lived / "source", folder / "source")
    with duckdb.connect() as con:
        for name in ("users", "jobs"):
            source = lived / f"source/{name}.parquet"
            con.execute(f"CREATE VIEW {name} AS FROM '{source}'")
            target = str(folder / f"source/{name}.csv").replace("'", "''")
            con.execute(f"COPY {name} TO '{target}'")
    text = (lived / "conversion_platform.toml").read_text()
    (folder / "conversion_platform.toml").write_text(text.replace(".parquet", "*.csv"))
    screen = done(folder, "check-sources")
    assert re.search(r"users +4\d\d +4\d\d ", screen) and re.search(r"jobs +1\d\d +1\d\d ", screen)


@pytest.mark.parametrize("name", ["what?", pytest.param("a%20b", marks=pytest.mark.slow)])
def test_a_folder_in_which_dagster_has_no_databases_is_refused_unless_its_home_is_elsewhere(
    lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = shutil.copytree(lived, tmp_path / name)
    for words in (["run", "--from", str(NEXT)], ["backup", str(tmp_path / "b")], ["prune"]):
        assert "Set DAGSTER_HOME to a folder" in refused(folder, *words)
    assert not (tmp_path / "what").exists() and not (tmp_path / "a b").exists()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    done(folder, "run", "--from", str(NEXT))


@pytest.mark.parametrize("name", ["state=CA", "back\\slash"])
def test_a_folder_that_duckdb_would_take_apart_is_refused(
    lived: Path, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(lived, tmp_path / name)
    for words in (["check-sources"], ["run", "--from", str(NEXT)], ["status"], ["sql", "SELECT 1"]):
        assert "cannot be used" in refused(folder, *words)


def test_dagster_s_own_processes_refuse_a_home_in_which_they_miss_their_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / BRACKETS))
    with pytest.raises(SettingsError, match=r"miss dagster\.yaml"):
        defs()
    (tmp_path / BRACKETS).mkdir()
    (tmp_path / BRACKETS / "conversion_platform.toml").write_text("")
    assert "miss dagster.yaml" in refused(tmp_path / BRACKETS, "pages", "--port", "0")


def test_commands_read_dagster_yaml_below_brackets(tmp_path: Path) -> None:
    folder = tmp_path / BRACKETS
    folder.mkdir()
    (folder / "conversion_platform.toml").write_text("")
    with open_instance(settings_in(folder)) as instance:
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
