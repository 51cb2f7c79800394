"""The ledger knows its lake: one that is not there is not begun anew beside it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conversion_platform.errors import LakeError, PlatformError
from conversion_platform.lake import LAKE_ID_KEY, LOG_ID_KEY, ensure_lake_id, lake_id
from conversion_platform.messaging import accept_new_lake, ledger_path, open_ledger
from conversion_platform_tests.command import call
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    digests,
    lake_in,
    run,
    run_job,
    settings_in,
)


def moved_away(folder: Path) -> str:
    (folder / "lake").rename(folder / "elsewhere")
    return "The lake that this ledger belongs to is not there"


def empty(folder: Path) -> str:
    moved_away(folder)
    (folder / "lake").mkdir()
    return "The lake that this ledger belongs to is not there"


def another(folder: Path) -> str:
    moved_away(folder)
    ensure_lake_id(lake_in(folder).storage)
    return "This ledger belongs to another lake than the one"


def without_its_log(folder: Path) -> str:
    (folder / "lake/event_log").rename(folder / "elsewhere")
    return "The event log that this ledger belongs to is not there"


def of_an_earlier_release(folder: Path) -> str:
    """A ledger that has messages and does not know its lake yet, beside an empty one."""
    with closing(sqlite3.connect(ledger_path(settings_in(folder)))) as con:
        con.execute("DROP TABLE belongs")
    return empty(folder)


CASES = [moved_away, empty, another, without_its_log, of_an_earlier_release]


@pytest.mark.parametrize("case", CASES)
def test_a_run_without_the_ledgers_lake_stops_before_it_writes_anything(
    platform: Path, case: Callable[[Path], str]
) -> None:
    message = case(platform)
    before = digests(platform, ".")
    with pytest.raises(LakeError, match=message) as caught:
        run(platform, NEXT)
    assert "new-lake" in caught.value.remedy and "Mount" in caught.value.remedy
    lakes = {name for name in digests(platform, ".") if not name.startswith("dagster_home")}
    assert lakes == {name for name in before if not name.startswith("dagster_home")}


@pytest.mark.parametrize("case", [moved_away, without_its_log])
@pytest.mark.parametrize("job", ["daily", "send_texts", "train"])
def test_a_job_of_the_daemon_stops_too(
    platform: Path, case: Callable[[Path], str], job: str
) -> None:
    message = case(platform)
    with pytest.raises(PlatformError, match=message):
        run_job(platform, job, NEXT)
    assert not (platform / "lake/models").exists() or case is without_its_log
    assert not (platform / "lake/event_log").exists()


@pytest.mark.slow
def test_the_lake_that_comes_back_goes_on(platform: Path) -> None:
    moved_away(platform)
    with pytest.raises(LakeError):
        run(platform, NEXT)
    (platform / "elsewhere").rename(platform / "lake")
    run(platform, NEXT)


@pytest.mark.slow
def test_a_person_who_wants_a_new_lake_gets_one(platform: Path) -> None:
    moved_away(platform)
    code, output, errors = call(platform, "new-lake", "--yes")
    assert code == 0, errors
    assert "The next run begins the new lake." in output
    run(platform, LIVED)
    lake = lake_in(platform)
    assert lake_id(lake.storage) == lake_id(lake.storage, LOG_ID_KEY)
    with open_ledger(settings_in(platform)) as ledger:
        assert ledger.lake_id() == lake_id(lake.storage)
    shutil.rmtree(platform / "lake")
    with pytest.raises(LakeError, match="not there"):  # it was a word for one lake
        run(platform, LIVED)


def test_where_the_ledgers_own_lake_is_there_a_new_one_is_not_begun(platform: Path) -> None:
    with open_ledger(settings_in(platform)) as ledger:
        before = ledger.lake_id()
    code, output, errors = call(platform, "new-lake", "--yes")
    assert (code, errors) == (0, "")
    assert "nothing has to be done" in output
    with open_ledger(settings_in(platform)) as ledger:
        assert ledger.lake_id() == before


def test_a_person_who_does_not_confirm_changes_nothing(platform: Path) -> None:
    moved_away(platform)
    code, output, _ = call(platform, "new-lake")  # no terminal to answer at
    assert code == 1 and "Aborted" not in output
    with pytest.raises(LakeError):
        run(platform, NEXT)


@pytest.mark.slow
def test_a_ledger_of_an_earlier_release_learns_its_lake(platform: Path) -> None:
    of_an_earlier_release(platform)
    (platform / "lake").rmdir()
    (platform / "elsewhere").rename(platform / "lake")
    for key in (LAKE_ID_KEY, LOG_ID_KEY):
        (platform / "lake" / key).unlink()
    run(platform, NEXT)
    with open_ledger(settings_in(platform)) as ledger:
        assert ledger.lake_id() == lake_id(lake_in(platform).storage) is not None


def test_without_a_ledger_there_is_nothing_to_accept(tmp_path: Path) -> None:
    (tmp_path / "conversion_platform.toml").touch()
    assert not accept_new_lake(settings_in(tmp_path))
    assert list(tmp_path.iterdir()) == [tmp_path / "conversion_platform.toml"]


def test_a_damaged_id_says_where_the_same_one_stands(platform: Path) -> None:
    (platform / "lake" / LAKE_ID_KEY).write_text("{")
    with pytest.raises(LakeError, match="damaged") as caught:
        run(platform, NEXT)
    assert LOG_ID_KEY in caught.value.remedy
