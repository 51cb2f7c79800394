"""One error tree whose messages say what is wrong and what to do."""

from __future__ import annotations

import pickle

import pytest

from conversion_platform import errors
from conversion_platform.errors import PlatformError

CLASSES = [
    one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)
]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_says_what_is_wrong_and_what_to_do(error: type[PlatformError]) -> None:
    raised = error("The file is cut.", "Copy it again.")
    assert str(raised) == "The file is cut.\n  What to do: Copy it again."
    assert (raised.problem, raised.remedy) == ("The file is cut.", "Copy it again.")


@pytest.mark.parametrize("error", CLASSES)
def test_one_except_clause_catches_them_all(error: type[PlatformError]) -> None:
    with pytest.raises(PlatformError):
        raise error("problem", "remedy")


@pytest.mark.parametrize("error", CLASSES)
def test_errors_travel_between_processes(error: type[PlatformError]) -> None:
    back = pickle.loads(pickle.dumps(error("problem", "remedy")))
    assert (type(back), back.problem, back.remedy) == (error, "problem", "remedy")


def test_the_tree_in_the_docstring_is_complete() -> None:
    for error in CLASSES:
        assert error.__name__ in str(errors.__doc__)
