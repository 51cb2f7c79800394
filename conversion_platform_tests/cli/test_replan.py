"""A day whose messages were all suppressed says why, and can be planned again after the fix."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Session
from conversion_platform.messaging import open_ledger, open_provider
from conversion_platform.metrics import DAILY_METRICS
from conversion_platform.status import collect
from conversion_platform_tests.status.test_report import NOW
from conversion_platform_tests.tiny_platform import (
    NEXT,
    THEN,
    edit,
    lake_in,
    rewrite,
    rows,
    settings_in,
)


def ask(folder: Path, *words: str) -> Result:
    """Calls a command on the platform in `folder`."""
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def states(folder: Path) -> dict[str, int]:
    """The messages of the day by state."""
    with open_ledger(settings_in(folder)) as ledger:
        return ledger.counts(NEXT, NEXT)


def texts(folder: Path) -> int:
    """How many messages the provider accepted, on any day."""
    with closing(open_provider(settings_in(folder))) as provider:
        return len(provider.outbox())


@pytest.mark.slow
def test_a_day_is_planned_again_after_the_consent_was_mapped(lived: Path, platform: Path) -> None:
    users = platform / "source/users.parquet"
    rewrite(users, "SELECT * EXCLUDE (consent_text) FROM source")
    first = ask(platform, "run", "--from", str(NEXT))
    assert first.exit_code == 0, first.output
    told = " ".join(first.stdout.split())
    assert "are suppressed: consent_incomplete" in told
    assert f"Warning: Every message of {NEXT} is suppressed" in told
    assert "for one reason: consent_incomplete" in " ".join(ask(platform, "status").stdout.split())
    shutil.copy(lived / "source/users.parquet", users)
    assert ask(platform, "run", "--from", str(NEXT)).exit_code == 0
    assert set(states(platform)) == {"suppressed"}, "only --replan decides again"
    before = texts(platform)
    assert ask(platform, "run", "--from", str(NEXT), "--replan").exit_code == 0
    assert states(platform)["delivered"] > 0
    sent = texts(platform)
    assert sent > before
    assert ask(platform, "run", "--from", str(NEXT), "--replan").exit_code == 0
    assert texts(platform) == sent
    kept = f"SELECT count(*) FROM message_states WHERE dt = DATE '{NEXT}' AND sequence = 2"
    assert rows(platform, f"{kept} AND state = 'planned' AND reason = 'decided_again'") > [(0,)]


def test_a_day_that_is_over_is_not_planned_again(platform: Path) -> None:
    edit(platform, 'clock = "replay"', 'clock = "wall"')
    refused = ask(platform, "run", "--from", str(NEXT), "--replan")
    assert refused.exit_code == 1
    assert f"{NEXT} is over: its messages stay as they are" in refused.stderr


def test_status_warns_where_the_source_brought_no_event_before_the_newest_day(
    platform: Path,
) -> None:
    settings, lake = settings_in(platform), lake_in(platform)
    with lake.connect() as con:
        session = Session(settings, lake, con)
        assert collect(session, NOW).warnings == []
        for day in DayRange(NEXT, THEN + 5 * ONE_DAY):
            empty = DAILY_METRICS.empty_select()
            lake.write(con, DAILY_METRICS, f"SELECT * EXCLUDE (dt) FROM ({empty})", day)
        (warning,) = collect(session, NOW).warnings
    assert "newest event of the source is of 2026-01-25" in warning
    assert f"last day run is {THEN + 5 * ONE_DAY}" in warning
