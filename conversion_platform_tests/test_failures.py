"""What a person reads when a step failed: our own words, whatever stands behind them."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from conversion_platform.errors import PlatformError, SourceError
from conversion_platform.runs.execution import QUIET, failure_of


def failure(body: Callable[[], None]) -> BaseException:
    """The error of a run whose only step ends like `body`."""

    @dg.op
    def step() -> None:
        body()

    @dg.job
    def run() -> None:
        step()

    return failure_of(run.execute_in_process(run_config=QUIET, raise_on_error=False))


def behind_ours() -> None:
    try:
        raise ValueError("what the library said")
    except ValueError as error:
        raise SourceError("users.csv is cut off.", "Copy it again.") from error


def ours() -> None:
    raise SourceError("users.csv is cut off.", "Copy it again.")


def wrapped() -> None:
    try:
        ours()
    except SourceError as error:
        raise RuntimeError("while the step ran") from error


def foreign() -> None:
    raise ValueError("what the library said")


@pytest.mark.parametrize("body", [ours, behind_ours, wrapped])
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
