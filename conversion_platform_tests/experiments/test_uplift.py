"""The uplift's interval is Newcombe's, and holds where counts are zero."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion_platform.experiments import uplift_interval


def test_the_interval_is_that_of_newcombes_paper() -> None:
    # Newcombe 1998, table II, example (a), method 10: 56/70 against 48/80.
    interval = uplift_interval(56, 70, 48, 80)
    assert interval is not None
    assert interval.estimate == pytest.approx(0.2)
    assert (interval.low, interval.high) == (
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.3339, abs=5e-5),
    )


def test_no_conversion_at_all_gives_a_wide_interval_around_zero() -> None:
    interval = uplift_interval(0, 900, 0, 100)
    assert interval is not None
    assert interval.estimate == 0
    assert interval.low < -0.01
    assert interval.high > 0.001


@pytest.mark.parametrize(("treated", "held"), [(0, 10), (10, 0), (0, 0)])
def test_an_empty_arm_has_no_uplift(treated: int, held: int) -> None:
    assert uplift_interval(0, treated, 0, held) is None


def test_more_conversions_than_users_are_refused() -> None:
    with pytest.raises(ValueError, match="11 conversions do not fit into 10 users"):
        uplift_interval(11, 10, 0, 10)


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_estimate_lies_in_an_interval_within_minus_one_and_one(
    treated: int, held: int, data: st.DataObject
) -> None:
    one = data.draw(st.integers(0, treated))
    two = data.draw(st.integers(0, held))
    interval = uplift_interval(one, treated, two, held)
    assert interval is not None
    assert -1 <= interval.low <= interval.estimate <= interval.high <= 1


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_more_confidence_is_never_narrower(treated: int, held: int) -> None:
    narrow = uplift_interval(1, treated, 0, held, confidence=0.8)
    wide = uplift_interval(1, treated, 0, held, confidence=0.99)
    assert narrow is not None
    assert wide is not None
    assert wide.low <= narrow.low
    assert wide.high >= narrow.high
