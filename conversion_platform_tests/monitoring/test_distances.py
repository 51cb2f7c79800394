"""Our distances are those of Evidently's preset, and know what they should."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.monitoring.distances import categorical_distance, numeric_distance


def test_a_shift_by_one_spread_is_a_distance_of_one() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 5000)
    assert numeric_distance(values + values.std(), values) == pytest.approx(1.0)


def test_float32_values_whose_squares_overflow_have_a_distance() -> None:
    values = np.array([1e20, 2e20, 3e20], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numeric_distance(3 * values, values) == pytest.approx(4.9, abs=0.01)


def test_samples_of_one_population_are_near_each_other() -> None:
    generator = np.random.default_rng(0)
    assert numeric_distance(generator.normal(size=4000), generator.normal(size=4000)) < 0.05


def test_values_that_exchange_places_are_not_a_distance() -> None:
    assert categorical_distance(pa.array(["b", "a", None]), pa.array([None, "a", "b"])) == 0.0


def test_values_that_never_meet_are_as_far_as_can_be() -> None:
    found = categorical_distance(pa.array(["a", "a"]), pa.array(["b", None]))
    assert found == pytest.approx(np.sqrt(np.log(2)))


@given(
    st.lists(st.sampled_from(["a", "b", None]), min_size=1),
    st.lists(st.sampled_from(["a", "b", None]), min_size=1),
)
def test_the_distance_of_categories_does_not_depend_on_the_direction(
    one: list[str | None], other: list[str | None]
) -> None:
    left, right = pa.array(one, pa.string()), pa.array(other, pa.string())
    assert categorical_distance(left, right) == pytest.approx(categorical_distance(right, left))


def test_they_are_the_distances_that_evidently_reports() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        generator = np.random.default_rng(4)
        today = pd.DataFrame(
            {"n": generator.normal(0.2, 1, 1500), "c": generator.choice(["a", "b", "c"], 1500)}
        )
        before = pd.DataFrame(
            {"n": generator.normal(0, 1, 2000), "c": generator.choice(["a", "b"], 2000)}
        )
        definition = DataDefinition(numerical_columns=["n"], categorical_columns=["c"])
        preset = DataDriftPreset(num_method="wasserstein", cat_method="jensenshannon")
        snapshot = Report([preset]).run(
            Dataset.from_pandas(today, data_definition=definition),
            Dataset.from_pandas(before, data_definition=definition),
        )
    reported = {
        metric["config"]["column"]: metric["value"]
        for metric in snapshot.dict()["metrics"]
        if "column" in metric["config"]
    }
    assert numeric_distance(today["n"].to_numpy(), before["n"].to_numpy()) == pytest.approx(
        reported["n"], abs=1e-6
    )
    assert categorical_distance(pa.array(today["c"]), pa.array(before["c"])) == pytest.approx(
        reported["c"], abs=1e-6
    )
