"""How an error of ours reaches Dagster: as a Failure that says what to do, or as a retry.

What belongs here: the translation at the edge of every asset and check. What does not: the
errors themselves (conversion_platform.errors).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import dagster as dg

from conversion_platform.errors import PlatformError, UnreachableError
from conversion_platform.lake import ValuesHidden

REMEDY = "what to do"
RETRIES = 2
RETRY_SECONDS = 20

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def failing_readably(body: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Raise what the platform raises as Dagster's own Failure, with the remedy as metadata.

    A store that cannot be reached may be there again soon: such a step is tried again. Everything
    else stays wrong until a person acts, so Dagster does not retry it.

    Dagster stores an error with the whole chain of its causes, which may hold values of rows: ours
    are stored without their causes, others without what a database says of values.
    """

    @wraps(body)
    def run(*args: Arguments.args, **named: Arguments.kwargs) -> Result:
        try:
            with ValuesHidden():
                return body(*args, **named)
        except UnreachableError as error:
            raise dg.RetryRequested(RETRIES, RETRY_SECONDS) from failure_from(error)
        except PlatformError as error:
            raise failure_from(error).with_traceback(error.__traceback__) from None

    return run


def failure_from(error: PlatformError) -> dg.Failure:
    """Return the Failure that Dagster's pages show for one of our errors."""
    return dg.Failure(error.problem, metadata={REMEDY: error.remedy}, allow_retries=False)
