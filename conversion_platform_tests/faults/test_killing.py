"""kill -9 and Ctrl-C in the middle of an asset: nothing half written, the next run clean.

CI strikes some assets. Each one:

    EVERY_STEP=1 python -m pytest conversion_platform_tests/faults/test_killing.py -m slow
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from conversion_platform.process import STOPPED
from conversion_platform_tests.command import ended, start, until
from conversion_platform_tests.tiny_platform import LIVED, differences, rows, run, settings_in

pytestmark = pytest.mark.slow

TRAINING = (
    "training_examples",
    "candidate_model",
    "model_evaluation",
    "model_explanations",
    "champion_model",
    "log_promotion",
)
DAILY = (
    "users",
    "jobs",
    "snapshots",
    "attributes",
    "events",
    "features",
    "daily_predictions",
    "drift",
    "job_of_the_day",
    "messages",
    "outcomes",
    "log_snapshot",
    "log_prediction",
    "log_assignment",
    "log_message_state",
    "log_reply",
    "log_outcome",
    "daily_metrics",
)
MADE_BY_THE_DAY = (
    "daily_predictions",
    "drift",
    "job_of_the_day",
    "sent_messages",
    "message_states",
    "replies",
    "outcomes",
    "daily_metrics",
)
HISTORIES = ("message_states/", "event_log/event_type=message_state/")
"""Where it is to be seen that a text was claimed by a run that died before it gave it away."""
CHECKS = (
    "_primary_key_unique",
    "_columns_match_schema",
    "_newest_partition_exists",
    "_source_is_fresh",
    "_predictions_valid",
    "_predictions_exist",
    "_features_present",
)
SOAKED = (
    "features",
    "events",
    "job_of_the_day",
    "messages",
    "log_message_state",
    "candidate_model",
    "champion_model",
)
CHANCE = random.Random(20260126)
DELAYS = {step: CHANCE.uniform(0.0, 0.4) for step in (*TRAINING, *DAILY)}


def steps(names: tuple[str, ...]) -> list[str]:
    """Return steps as parameters: some of them, or each step if EVERY_STEP is set."""
    return [name for name in names if name in SOAKED or os.environ.get("EVERY_STEP")]


def run_files(folder: Path) -> set[Path]:
    """One file for each run of the instance."""
    return set((folder / "dagster_home/history/runs").glob("*-*.db"))


def begun(file: Path, step: str) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as con:
            query = (
                "SELECT 1 FROM event_logs WHERE dagster_event_type = 'STEP_START' AND step_key = ?"
            )
            return con.execute(query, [step]).fetchone() is not None
    except sqlite3.OperationalError:  # the file is there and its tables are not yet
        return False


def some_text_is_claimed(folder: Path) -> bool:
    """Whether messages are being given to the provider; looks closely, for that is over soon."""
    ledger = folder / "messaging/ledger.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)) as con:
            query = "SELECT 1 FROM messages WHERE state = 'sending'"
            return any(con.execute(query).fetchone() for _ in range(10_000))
    except sqlite3.OperationalError:  # it is not there yet
        return False


def strike(folder: Path, step: str, blow: signal.Signals) -> tuple[int, str, str]:
    """Runs the day and strikes while `step` is at work."""
    before = run_files(folder)
    process = start(folder, "run", "--from", str(LIVED))
    reached = until(lambda: any(begun(file, step) for file in run_files(folder) - before), process)
    assert reached, ended(process)
    time.sleep(DELAYS[step])
    if blow == signal.SIGINT:  # a terminal tells the whole group
        os.killpg(process.pid, blow)
    else:
        process.send_signal(blow)
    return ended(process)


def undo(folder: Path, training: bool) -> None:
    """Takes the platform back to before its first day, or before its first training."""
    later = [*MADE_BY_THE_DAY, "reports"]
    later += ["models", "training_examples", "event_log"] if training else []
    for name in later:
        shutil.rmtree(folder / "lake" / name)
    shutil.rmtree(folder / "messaging")
    for kind in (folder / "lake/event_log").glob("event_type=*"):
        if kind.name != "event_type=model_promotion":
            shutil.rmtree(kind)


def histories(folder: Path) -> list[list[tuple[str, ...]]]:
    """What happened to each text, by the table and by the log, less what was tried in vain."""
    return [
        rows(
            folder,
            f"SELECT DISTINCT message_id, state, reason, rule_id, {at} FROM {source} "
            "WHERE reason IS DISTINCT FROM 'never_left' ORDER BY ALL",
        )
        for source, at in (("message_states", '"at"'), ("log_message_state", "occurred_at"))
    ]


def newest_run(folder: Path) -> str:
    """What Dagster's pages say of the newest run."""
    with closing(sqlite3.connect(folder / "dagster_home/history/runs.db")) as con:
        (status,) = con.execute("SELECT status FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return str(status)


def unharmed(folder: Path, calm: Path) -> None:
    """A clean run after a blow leaves the bytes of a calm one, and each text went out once."""
    run(folder, LIVED)
    same_as(folder, calm)


def same_as(folder: Path, calm: Path) -> None:
    """A platform has the bytes of a calm one, and each message went out once."""
    from conversion_platform.messaging import open_provider

    in_vain = rows(folder, "SELECT 1 FROM message_states WHERE reason = 'never_left' LIMIT 1")
    told = HISTORIES if in_vain else ()
    assert [one for one in differences(calm, folder) if not one.startswith(told)] == []
    assert histories(folder) == histories(calm)
    assert list((folder / "lake/.staging").glob("*")) == []
    repeated = "SELECT event_id FROM event_log GROUP BY event_id HAVING count(*) > 1"
    assert rows(folder, repeated) == []
    with closing(open_provider(settings_in(folder))) as provider:
        assert provider.duplicates() == 0
        texts = len(provider.outbox())
    with closing(open_provider(settings_in(calm))) as provider:
        assert len(provider.outbox()) == texts > 0


def whole_files_only(folder: Path) -> None:
    """Every file that a reader would see can be read to its end."""
    import duckdb

    with duckdb.connect() as con:
        for file in (folder / "lake").rglob("*.parquet"):
            if ".staging" not in file.parts:
                con.execute("SELECT max(hash(t)) FROM read_parquet($1) AS t", [str(file)])


@pytest.mark.parametrize("step", steps(DAILY))
def test_a_day_killed_in_the_middle_of_an_asset_is_made_whole_by_the_next_run(
    platform: Path, lived: Path, step: str
) -> None:
    undo(platform, training=False)
    assert strike(platform, step, signal.SIGKILL)[0] == -signal.SIGKILL
    whole_files_only(platform)
    unharmed(platform, lived)


@pytest.mark.parametrize("step", steps(TRAINING))
def test_a_training_killed_in_the_middle_of_an_asset_is_made_whole_by_the_next_run(
    platform: Path, lived: Path, step: str
) -> None:
    undo(platform, training=True)
    assert strike(platform, step, signal.SIGKILL)[0] == -signal.SIGKILL
    whole_files_only(platform)
    unharmed(platform, lived)


def test_a_run_killed_between_the_claim_of_messages_and_the_provider_sends_each_once(
    platform: Path, lived: Path
) -> None:
    undo(platform, training=False)
    process = start(platform, "run", "--from", str(LIVED))
    claimed = until(lambda: some_text_is_claimed(platform), process)
    process.kill()
    assert claimed, ended(process)
    ended(process)
    unharmed(platform, lived)


@pytest.mark.parametrize(
    ("step", "blow", "exit_code"),
    [
        ("daily_predictions", signal.SIGINT, 130),
        ("drift", signal.SIGINT, 130),
        ("features", signal.SIGTERM, 143),
    ],
)
def test_ctrl_c_stops_with_one_message_and_leaves_nothing_half_written(
    platform: Path, lived: Path, step: str, blow: signal.Signals, exit_code: int
) -> None:
    undo(platform, training=False)
    code, _, errors = strike(platform, step, blow)
    assert code == exit_code, errors
    assert errors.strip() == STOPPED
    assert newest_run(platform) == "CANCELED"
    assert list((platform / "lake/.staging").glob("*")) == []
    whole_files_only(platform)
    unharmed(platform, lived)


def test_the_steps_that_are_killed_are_all_that_write() -> None:
    from conversion_platform.definitions import build_defs
    from conversion_platform.settings import Settings

    defs = build_defs(Settings())
    for job, killed in (("daily", DAILY), ("train", TRAINING)):
        nodes = defs.resolve_job_def(job).graph.node_defs
        writing = {node.name for node in nodes if not node.name.endswith(CHECKS)}
        assert writing - {"log_promotion"} == set(killed) - {"log_promotion"}
