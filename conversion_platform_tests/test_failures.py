"""What a person reads when a step failed: our own words, whatever stands behind them."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path

import click
import dagster as dg
import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import Commands
from conversion_platform.defs.failures import failing_readably
from conversion_platform.errors import PlatformError, SourceError, UnreachableError
from conversion_platform.runs.execution import error_of_run
from conversion_platform_tests.tiny_platform import QUIET


def ending_like(body: Callable[[], None]) -> dg.JobDefinition:
    """A job whose only step ends like `body`."""

    @dg.op
    @failing_readably
    def step() -> None:
        body()

    @dg.job
    def run() -> None:
        step()

    return run


def failure(body: Callable[[], None]) -> BaseException:
    """The error of a run whose only step ends like `body`."""
    run = ending_like(body)
    return error_of_run(run.execute_in_process(run_config=QUIET, raise_on_error=False))


def behind_ours() -> None:
    try:
        raise ValueError("what the library said")
    except ValueError as error:
        raise SourceError("users.csv is cut off.", "Copy it again.") from error


def ours() -> None:
    raise SourceError("users.csv is cut off.", "Copy it again.")


def foreign() -> None:
    raise ValueError("what the library said")


@pytest.mark.parametrize("body", [ours, behind_ours])
def test_an_error_of_ours_keeps_its_words_and_its_remedy(body: Callable[[], None]) -> None:
    found = failure(body)
    assert isinstance(found, PlatformError)
    assert found.problem == "Asset `step` failed: users.csv is cut off."
    assert found.remedy == "Copy it again."


def test_an_error_of_others_is_quoted_with_where_to_look() -> None:
    found = failure(foreign)
    assert isinstance(found, PlatformError)
    assert found.problem == "Asset `step` failed: ValueError: what the library said"
    assert "Dagster's pages" in found.remedy


def test_a_store_that_does_not_answer_is_asked_again_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("conversion_platform.defs.failures.RETRY_SECONDS", 0)
    calls: list[str] = []

    def away() -> None:
        calls.append("away")
        if len(calls) < 3:
            raise UnreachableError("S3 cannot be reached.", "Look at the network.")

    @dg.op
    @failing_readably
    def step() -> None:
        away()

    @dg.job
    def run() -> None:
        step()

    assert run.execute_in_process(run_config=QUIET).success
    assert len(calls) == 3
    calls[:] = []

    def wrong() -> None:
        calls.append("wrong")
        ours()

    failure(wrong)
    assert len(calls) == 1


def test_a_store_that_stays_away_is_told_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversion_platform.defs.failures.RETRY_SECONDS", 0)

    def away() -> None:
        raise UnreachableError("S3 cannot be reached.", "Look at the network.")

    assert "S3 cannot be reached." in failure(away).args[0]


def by_duckdb() -> None:
    duckdb.execute("SELECT ('Zq' || chr(10) || 'Anna')::INTEGER")


def by_arrow() -> None:
    pa.array(["Zqanna"]).cast(pa.int64())


def behind_another() -> None:
    try:
        by_duckdb()
    except duckdb.Error as error:
        raise ValueError("a defect") from error


def while_another_was_handled() -> None:
    try:
        by_duckdb()
    except duckdb.Error:
        ours()


def behind_a_lost_store() -> None:
    try:
        by_duckdb()
    except duckdb.Error as error:
        raise UnreachableError("S3 cannot be reached.", "Look at the network.") from error


@pytest.mark.parametrize(
    "body",
    [by_duckdb, by_arrow, behind_another, while_another_was_handled, behind_a_lost_store],
)
def test_dagster_stores_no_value_of_a_cell_with_an_error_or_its_causes(
    body: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversion_platform.defs.failures.RETRIES", 0)
    run = ending_like(body)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert not run.execute_in_process(QUIET, instance=instance, raise_on_error=False).success
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"STEP_FAILURE" in stored
    # The Zq in a line of source that a traceback shows is no cell.
    assert not re.search(rb"string:? '?Zq|string 'Zq", stored)


@pytest.mark.parametrize("body", [by_duckdb, by_arrow, behind_another])
def test_a_command_that_fails_by_a_defect_prints_no_value_of_a_cell(
    body: Callable[[], None],
) -> None:
    group = Commands()
    group.add_command(click.Command("fail", callback=body))
    failed = CliRunner().invoke(group, ["fail"])
    assert failed.exception is not None
    printed = "".join(traceback.format_exception(failed.exception))
    assert "a value" in printed
    assert not re.search("string:? '?Zq", printed)
