"""A candidate learns what there is to learn, says how good it is, and is the same each time."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError, TrainingError
from conversion_platform.lake import Lake, Session
from conversion_platform.settings import Settings
from conversion_platform.training import (
    TRAINING_EXAMPLES,
    build_examples,
    champion,
    decide,
    evaluate,
    explain,
    fit_candidate,
    load_model,
    map_at_k,
    promote,
)
from conversion_platform.training.registry import version_key
from conversion_platform_tests.training.test_examples import changed
from conversion_platform_tests.training.world import (
    START,
    Event,
    put_events,
    put_people,
    random_events,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def judged_rows(session: Session, day: date) -> pa.Table:
    """The test examples as Arrow."""
    examples = session.lake.select(TRAINING_EXAMPLES, DayRange.of(day))
    return session.con.sql(f"SELECT * FROM {examples} WHERE split = 'test'").to_arrow_table()


def test_the_model_orders_slates_better_than_a_human_who_deals_at_random(
    session: Session, day: date
) -> None:
    found = evaluate(session, fit_candidate(session, day).version)
    assert found.beats_human
    assert found.auc is not None and found.auc > 0.75
    assert found.log_loss is not None and found.log_loss_of_base_rate is not None
    assert found.log_loss < found.log_loss_of_base_rate
    assert found.gain_over_popularity.low is not None and found.gain_over_popularity.low > 0


def test_the_same_examples_give_the_same_version_and_the_same_bytes(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    first = fit_candidate(session, day)
    keys = [version_key(first.version, name) for name in (*first.files, "card.json")]
    before = [lake.storage.read(key) for key in keys]
    for key in keys:
        lake.storage.replace(key, b"")
    again = fit_candidate(Session(changed(settings, "platform", threads=2), lake, con), day)
    assert again.version == first.version
    assert [lake.storage.read(key) for key in keys] == before


def test_another_seed_gives_another_version_beside_the_first(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    first = fit_candidate(session, day)
    second = fit_candidate(Session(changed(settings, "training", seed=8), lake, con), day)
    assert second.version != first.version
    assert load_model(lake, first.version).card == first


def test_fitting_never_moves_the_champion(session: Session, lake: Lake, day: date) -> None:
    fit_candidate(session, day)
    assert champion(lake) is None


def test_probabilities_follow_the_order_of_the_scores_and_the_level_of_the_outcomes(
    session: Session, lake: Lake, day: date
) -> None:
    model = load_model(lake, fit_candidate(session, day).version)
    rows = judged_rows(session, day)
    scores = model.predict(rows, logged_positions=True)
    probabilities = model.calibrate(scores)
    assert scores.dtype == probabilities.dtype == np.float32
    assert (np.diff(probabilities[np.argsort(scores)]) >= 0).all()
    observed = rows.column("converted").to_numpy(zero_copy_only=False).mean()
    assert probabilities.mean() == pytest.approx(observed, rel=0.3)


def test_every_row_is_scored_as_if_it_were_shown_first(
    session: Session, lake: Lake, day: date
) -> None:
    import pyarrow as pa

    model = load_model(lake, fit_candidate(session, day).version)
    rows = judged_rows(session, day)
    slot = rows.schema.get_field_index("position")
    first = rows.set_column(slot, "position", pa.array([0] * len(rows), pa.int32()))
    assert (model.predict(rows) == model.predict(first, logged_positions=True)).all()
    assert (model.predict(rows) != model.predict(rows, logged_positions=True)).any()


def test_the_ranking_is_judged_without_knowing_where_people_put_the_job(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    card = fit_candidate(session, day)
    rows = con.sql(
        "SELECT *, md5_number_lower(slate) AS s, md5_number_lower(job_id) AS tie FROM "
        f"{lake.select(TRAINING_EXAMPLES, DayRange.of(day))} WHERE split = 'test'"
    ).to_arrow_table()
    slates, ties, labels = (rows.column(name).to_numpy() for name in ("s", "tie", "converted"))
    model = load_model(lake, card.version)
    expected = map_at_k(slates, model.predict(rows), labels, settings.training.map_k, ties)
    assert evaluate(session, card.version).map_model.value == pytest.approx(expected)


def test_scores_do_not_depend_on_the_slot_unless_asked_nor_on_the_batch(
    session: Session, lake: Lake, day: date
) -> None:
    model = load_model(lake, fit_candidate(session, day).version)
    rows = judged_rows(session, day)
    whole = model.predict(rows)
    without = model.predict(rows.drop_columns(["position"]))
    parts = [model.predict(batch) for batch in rows.to_batches(max_chunksize=37)]
    assert (whole == without).all()
    assert (whole == np.concatenate(parts)).all()
    assert model.predict(rows.slice(0, 0)).shape == (0,)


def test_a_category_that_training_never_saw_is_treated_as_missing(
    session: Session, lake: Lake, day: date
) -> None:
    card = fit_candidate(session, day)
    assert card.vocabularies
    name = next(iter(card.vocabularies))
    rows = judged_rows(session, day)
    model, index = load_model(lake, card.version), rows.schema.get_field_index(name)
    import pyarrow as pa

    never = rows.set_column(index, name, pa.array(["never seen"] * len(rows)))
    missing = rows.set_column(index, name, pa.nulls(len(rows), pa.string()))
    assert (model.predict(never) == model.predict(missing)).all()


def test_rows_that_lack_a_feature_are_refused_by_its_name(
    session: Session, lake: Lake, day: date
) -> None:
    card = fit_candidate(session, day)
    rows = judged_rows(session, day).drop_columns([card.columns[0]])
    with pytest.raises(TrainingError, match=card.columns[0]):
        load_model(lake, card.version).predict(rows)


def test_shap_values_add_up_to_the_score(session: Session, lake: Lake, day: date) -> None:
    model = load_model(lake, fit_candidate(session, day).version)
    rows = judged_rows(session, day)
    total = model.contributions(rows).sum(axis=1)
    assert np.allclose(1 / (1 + np.exp(-total)), model.predict(rows), atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_explanation_is_a_plot_and_a_list_and_the_same_each_time(
    session: Session, lake: Lake, day: date
) -> None:
    version = fit_candidate(session, day).version
    found = explain(session, version)
    assert found.png.startswith(b"\x89PNG") and len(found.png) > 10_000
    assert lake.storage.read(version_key(version, "shap_summary.png")) == found.png
    strengths = [strength for _, strength in found.top_features]
    assert strengths == sorted(strengths, reverse=True) and strengths[0] > 0
    assert explain(session, version) == found


def test_without_examples_the_message_says_which_table_to_build(session: Session) -> None:
    with pytest.raises(NotReadyError, match="training_examples"):
        fit_candidate(session, START)


def test_one_label_class_is_refused_with_what_to_check(session: Session, day: date) -> None:
    events = [event for event in random_events(DAYS) if event.kind != "application"]
    rebuild(session, events, day)
    with pytest.raises(TrainingError, match=r"one label class.*\n.*events.conversion_types"):
        fit_candidate(session, day)


DAYS = DayRange(START, date(2026, 1, 24))


def rebuild(session: Session, events: list[Event], day: date) -> None:
    """Builds the examples again from other events."""
    put_people(session)
    put_events(session, events, DAYS)
    build_examples(session, day)


def test_a_test_window_without_a_conversion_is_not_measurable_instead_of_zero(
    session: Session, day: date
) -> None:
    early = [
        event
        for event in random_events(DAYS)
        if event.kind != "application" or event.at.date() < date(2026, 1, 16)
    ]
    rebuild(session, early, day)
    found = evaluate(session, fit_candidate(session, day).version)
    assert not found.map_model.measurable
    assert found.auc is None
    assert found.rows > 0


def test_validation_days_without_a_conversion_leave_a_note_on_the_card(
    session: Session, settings: Settings, day: date
) -> None:
    early = [
        event
        for event in random_events(DAYS)
        if event.kind != "application" or event.at.date() < date(2026, 1, 13)
    ]
    rebuild(session, early, day)
    card = fit_candidate(session, day)
    assert any("validation" in note for note in card.notes)
    assert card.rounds == settings.training.trees


def fitted_on_others(session: Session, day: date) -> str:
    """A version that learned from users with other tastes; the examples are then put back."""
    key = session.lake.key(TRAINING_EXAMPLES, day)
    kept = session.lake.storage.read(key)
    rebuild(session, random_events(DAYS, turn=1), day)
    version = fit_candidate(session, day).version
    session.lake.storage.replace(key, kept)
    return version


def test_the_first_candidate_takes_over_and_a_worse_one_does_not(
    session: Session, lake: Lake, day: date
) -> None:
    good = fit_candidate(session, day).version
    first = decide(session, good)
    assert first.promote and first.champion is None
    promote(lake, good, day, first.reason)
    second = decide(session, fitted_on_others(session, day))
    assert not second.promote and "Worse" in second.reason
    assert not decide(session, good).promote


def test_a_candidate_that_is_not_worse_takes_over(session: Session, lake: Lake, day: date) -> None:
    promote(lake, fitted_on_others(session, day), day, "first")
    good = fit_candidate(session, day).version
    assert decide(session, good).promote


def test_a_champion_that_cannot_be_read_gives_way(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    old = fit_candidate(Session(changed(settings, "training", seed=8), lake, con), day).version
    promote(lake, old, day, "first")
    lake.storage.replace(version_key(old, "model.ubj"), b"cut")
    decision = decide(session, fit_candidate(session, day).version)
    assert decision.promote and "model.ubj" in decision.reason
