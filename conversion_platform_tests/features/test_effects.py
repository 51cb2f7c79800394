from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import (
    RESPONSE_EFFECTS,
    build_features,
    feature_spec,
    pair_query,
    slot_effects,
)
from conversion_platform.features.effects.factors import FACTORS
from conversion_platform.features.effects.model import Effects, Responses
from conversion_platform.lake import Lake, Session
from conversion_platform_tests.features.world import (
    World,
    at,
    configured,
    event,
    fill,
    random_world,
)

HISTORY = DayRange(date(2026, 2, 1), date(2026, 2, 20))
LAST = HISTORY.last + ONE_DAY


def built(folder: Path, world: World, ranges: list[DayRange], more: str = "") -> Lake:
    lake, chosen = configured(folder, more)
    with lake.connect() as con:
        session = Session(chosen, lake, con)
        fill(session, world, HISTORY)
        for days in ranges:
            build_features(session, days)
    return lake


def partition(lake: Lake, day: date) -> bytes:
    return lake.storage.read(lake.key(RESPONSE_EFFECTS, day))


def effects_of(lake: Lake, factor: str, day: date = LAST) -> dict[str, float]:
    with lake.connect() as con:
        rows = con.execute(
            "SELECT concat(user_id, level), effect FROM "
            f"{lake.select(RESPONSE_EFFECTS, DayRange.of(day))} WHERE factor = '{factor}'"
        ).fetchall()
    return dict(rows)


def test_effects_are_the_same_bytes_however_the_days_are_cut(tmp_path: Path) -> None:
    world = random_world(3, HISTORY, users=8, jobs=6, events=900)
    first, last = HISTORY.first + 10 * ONE_DAY, LAST
    cuts = {
        "alone": [DayRange.of(last)],
        "range": [DayRange(first, last)],
        "each": [DayRange.of(day) for day in DayRange(first, last)],
        "holes": [DayRange.of(first), DayRange.of(first + 4 * ONE_DAY), DayRange.of(last)],
    }
    found = {}
    for name, ranges in cuts.items():
        (tmp_path / name).mkdir()
        found[name] = partition(built(tmp_path / name, world, ranges), last)
    assert len(set(found.values())) == 1


def test_who_responds_more_often_than_others_gets_a_higher_effect(tmp_path: Path) -> None:
    world = market(clicks={"u1": 1, "u2": 3})
    effects = effects_of(built(tmp_path, world, [DayRange.of(LAST)]), "user")
    assert effects["u2"] < effects["u1"]
    assert effects["u1"] > 0.5
    assert effects["u0"] < -0.1


def market(clicks: dict[str, int]) -> World:
    """Four users who are shown two jobs a day; `clicks` tells after how many days each clicks."""
    events = []
    for day in HISTORY:
        for user in ("u0", "u1", "u2", "u3"):
            for job in ("j0", "j1"):
                number = len(events)
                when = at(day, 9)
                events.append(event(number, user, job, "impression", when, position=0))
                every = clicks.get(user)
                if every and (day - HISTORY.first).days % every == 0:
                    events.append(event(number + 1, user, job, "click", when))
    return World(
        users=[
            {"user_id": user, "created_at": at(HISTORY.first, -9), "desired_pay": 10.0}
            for user in ("u0", "u1", "u2", "u3")
        ],
        jobs=[
            {
                "job_id": job,
                "opened_at": at(HISTORY.first, -9),
                "employer_id": "e0",
                "category": "cook",
                "pay": 12.0,
            }
            for job in ("j0", "j1")
        ],
        events=events,
    )


def test_a_click_that_became_known_a_day_late_counts_from_then_on(tmp_path: Path) -> None:
    on_time, late = market({}), market({})
    when = at(HISTORY.last - 3 * ONE_DAY, 10)
    known = when + 24 * (at(HISTORY.first, 1) - at(HISTORY.first, 0))
    on_time.events.append(event(9000, "u0", "j0", "click", when))
    late.events.append(event(9000, "u0", "j0", "click", when, known))
    found = {}
    for name, world in (("on time", on_time), ("late", late)):
        (tmp_path / name).mkdir()
        lake = built(tmp_path / name, world, [DayRange(HISTORY.last - 2 * ONE_DAY, LAST)])
        found[name] = [effects_of(lake, "user", day)["u0"] for day in lake.days(RESPONSE_EFFECTS)]
    assert found["late"][0] < found["on time"][0]
    assert found["late"][1] == pytest.approx(found["on time"][1], abs=0.1)


def test_a_slot_that_is_looked_at_more_gets_a_higher_effect(tmp_path: Path) -> None:
    world = market({"u0": 1})
    for row in world.events:
        if row["event_type"] == "impression":
            row["position"] = 0 if row["job_id"] == "j0" else 20
    world.events = [r for r in world.events if r["event_type"] != "click" or r["job_id"] == "j0"]
    lake = built(tmp_path, world, [DayRange.of(LAST)])
    _, chosen = configured(tmp_path)
    with lake.connect() as con:
        slots = slot_effects(Session(chosen, lake, con), LAST)
    assert len(slots) == 16
    assert slots[0] > 0 > slots[15]
    assert set(slots[1:15]) == {0.0}


def test_without_logged_impressions_there_are_no_effects_and_features_are_unknown(
    tmp_path: Path,
) -> None:
    lake = built(
        tmp_path, market({"u0": 1}), [DayRange.of(LAST)], '[events]\nnegatives = "sampled"\n'
    )
    _, chosen = configured(tmp_path, '[events]\nnegatives = "sampled"\n')
    with lake.connect() as con:
        session = Session(chosen, lake, con)
        pairs = f"(SELECT 'u0' AS user_id, 'j0' AS job_id, DATE '{LAST}' AS dt)"
        query = pair_query(session, feature_spec(session), pairs, DayRange.of(LAST))
        found = con.execute(
            f"SELECT user_effect, category_effect, expected_log_odds FROM ({query})"
        ).fetchall()
        assert slot_effects(session, LAST) == (0.0,) * 16
    assert effects_of(lake, "user") == {}
    assert found == [(None, None, None)]


def test_where_no_type_counts_as_a_click_conversions_are_the_responses(tmp_path: Path) -> None:
    world = market({"u1": 1})
    for row in world.events:
        if row["event_type"] == "click":
            row["event_type"] = "application"
    lake = built(tmp_path, world, [DayRange.of(LAST)], "[events]\nclick_types = []\n")
    effects = effects_of(lake, "user")
    assert effects["u1"] > 0.5 > effects["u0"]


KEYS = st.lists(
    st.tuples(st.integers(-1, 3), st.booleans(), st.booleans()), min_size=1, max_size=40
)


def responses(rows: list[tuple[int, bool, bool]]) -> Responses:
    keys = np.array([row[0] for row in rows], np.int64)
    of_all = {name: keys if name != "all" else np.zeros_like(keys) for name in FACTORS}
    measures = {"user_pay": keys / 2.0, "user_distance": -keys / 3.0}
    shown, responded = (np.array([row[place] for row in rows]) for place in (1, 2))
    return Responses(of_all, measures, shown, responded)


@settings(max_examples=60)
@given(days=st.lists(KEYS, min_size=1, max_size=4), seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(
    days: list[list[tuple[int, bool, bool]]], seed: object
) -> None:
    one, other = Effects.unknown(), Effects.unknown()
    for rows in days:
        one.advance(responses(rows))
        shuffled = list(rows)
        seed.shuffle(shuffled)  # type: ignore[attr-defined]
        other.advance(responses(shuffled))
    for name in FACTORS:
        left, right = one.factors[name], other.factors[name]
        assert left.keys.tolist() == right.keys.tolist()
        assert left.effects.tobytes() == right.effects.tobytes()
        assert left.information.tobytes() == right.information.tobytes()
        assert left.prior == right.prior


@settings(max_examples=60)
@given(days=st.lists(KEYS, min_size=1, max_size=6))
def test_effects_stay_finite_and_information_never_falls_below_zero(
    days: list[list[tuple[int, bool, bool]]],
) -> None:
    effects = Effects.unknown()
    for rows in days:
        effects.advance(responses(rows))
    for levels in effects.factors.values():
        assert np.isfinite(levels.effects).all()
        assert (levels.information >= 0).all()
        assert 0.5 <= levels.prior <= 50


def test_levels_that_are_alike_are_held_together_and_levels_that_differ_are_not() -> None:
    rng = np.random.default_rng(0)
    priors = {}
    for spread in (0.0, 1.5):
        true = spread * rng.standard_normal(200)
        effects = Effects.unknown()
        for _ in range(30):
            user = rng.integers(0, 200, 4000)
            keys = {name: np.full(4000, -1, np.int64) for name in FACTORS}
            keys |= {"all": np.zeros(4000, np.int64), "user": user}
            responded = rng.random(4000) < 1 / (1 + np.exp(2 - true[user]))
            effects.advance(Responses(keys, {}, np.ones(4000, bool), responded))
        priors[spread] = effects.factors["user"].prior
        found = effects.factors["user"].effects
        if spread:
            assert np.corrcoef(found, true)[0, 1] > 0.97
            assert np.std(found - true) < 0.5
        else:
            assert np.std(found) < 0.2
    assert priors[0.0] > 20
    assert priors[1.5] < 1
