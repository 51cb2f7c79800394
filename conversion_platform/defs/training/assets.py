"""The model: examples, candidate, evaluation, explanations, champion.

What belongs here: training as assets, with its pictures. What does not: how a model is fitted,
judged or promoted (conversion_platform.training).

A run over several days trains, judges and decides for each of them in turn; what its pages show
are the figures of the last day.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from conversion_platform.defs.features import FEATURES
from conversion_platform.defs.lake_asset import (
    asset_of,
    days_of,
    numbers,
    plain_spec,
    png_metadata,
    table_spec,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.process import with_progress
from conversion_platform.training import (
    TRAINING_EXAMPLES,
    Evaluation,
    ModelCard,
    build_examples,
    candidate,
    champion,
    explain,
    fit_candidate,
    judge,
    name_candidate,
    settle,
)

GROUP = "training"


@asset_of(
    table_spec(
        TRAINING_EXAMPLES,
        group=GROUP,
        deps=["users_history", "jobs_history", "attributes", "events", *FEATURES],
    ),
)
def training_examples(
    context: dg.AssetExecutionContext, platform: Platform
) -> dg.MaterializeResult:
    with platform.session() as session:
        made = [build_examples(session, day) for day in with_progress(days_of(context))][-1]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(split.rows for split in made.splits.values()),
            "rows_by_split": {name: split.rows for name, split in made.splits.items()},
            "conversions_by_split": {name: split.positives for name, split in made.splits.items()},
            "notes": list(made.notes),
        }
    )


@asset_of(
    plain_spec(
        "candidate_model",
        "A freshly fitted, calibrated XGBoost model with its card; an immutable version.",
        group=GROUP,
        kinds=("xgboost",),
        deps=["training_examples", "attributes", "response_effects"],
    ),
)
def candidate_model(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        for day in with_progress(days_of(context)):
            card = fit_candidate(session, day)
            name_candidate(session.lake, day, card.version)
    return dg.MaterializeResult(metadata=card_metadata(card))


def card_metadata(card: ModelCard) -> dict[str, Any]:
    """Return what a reader of the graph wants to know of a version."""
    return {
        "model_version": card.version,
        "trees": card.rounds,
        "inputs": len(card.columns),
        "rows_by_split": {name: split.rows for name, split in card.splits.items()},
        "days_by_split": {name: str(split.days) for name, split in card.splits.items()},
        "notes": list(card.notes),
    }


@asset_of(
    plain_spec(
        "model_evaluation",
        "The candidate on days that it has not seen, beside the human baseline and popularity.",
        group=GROUP,
        kinds=("duckdb", "scikitlearn"),
        deps=["candidate_model", "training_examples"],
    ),
    [
        dg.AssetCheckSpec(
            "beats_human_baseline",
            asset="model_evaluation",
            description="The 95 % interval of the gain in MAP@k over the human order is above 0.",
        )
    ],
)
def model_evaluation(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        results = [
            judge(session, candidate(session.lake, day), day).evaluation
            for day in with_progress(days_of(context))
        ]
    result = results[-1]
    figures: dict[str, Any] = {
        "model_version": result.version,
        **numbers(
            {
                f"map_at_{result.k}": result.map_model.value,
                "map_human": result.map_human.value,
                "map_popularity": result.map_popularity.value,
                "gain_over_human": result.gain_over_human.value,
                "gain_low": result.gain_over_human.low,
                "gain_high": result.gain_over_human.high,
                "auc": result.auc,
            }
        ),
        "slates": result.slates,
    }
    return dg.MaterializeResult(metadata=figures, check_results=[baseline_result(results)])


def baseline_result(results: Sequence[Evaluation]) -> dg.AssetCheckResult:
    """Judge all candidates of a run; one that is not better is named if there are several."""
    failed = [one for one in results if not one.beats_human]
    shown = failed[-1] if failed else results[-1]
    name = f"{shown.version}: " if len(results) > 1 else ""
    return dg.AssetCheckResult(
        check_name="beats_human_baseline",
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{name}{gain_words(shown)}",
    )


def gain_words(found: Evaluation) -> str:
    """Return the gain over the human order, or why it cannot be measured."""
    if found.gain_over_human.measurable:
        return str(found.gain_over_human)
    if not found.map_model.measurable:
        return f"{found.gain_over_human}: no test example has a conversion"
    return f"{found.gain_over_human}: no slate with a conversion has the `position` of each job"


@asset_of(
    plain_spec(
        "model_explanations",
        "SHAP values of the candidate on its test examples: which features move its scores.",
        group=GROUP,
        kinds=("shap", "xgboost"),
        deps=["candidate_model", "training_examples"],
    ),
)
def model_explanations(
    context: dg.AssetExecutionContext, platform: Platform
) -> dg.MaterializeResult:
    with platform.session() as session:
        versions = [candidate(session.lake, day) for day in days_of(context)]
        made = [explain(session, version) for version in with_progress(versions)][-1]
    top = [dg.TableRecord({"feature": name, "impact": value}) for name, value in made.top_features]
    return dg.MaterializeResult(
        metadata={
            "model_version": made.version,
            "rows": made.rows,
            "summary": png_metadata(made.png),
            "top_features": dg.MetadataValue.table(top),
        }
    )


@asset_of(
    plain_spec(
        "champion_model",
        "The version that scores: the candidate if it is not worse, else the one before.",
        group=GROUP,
        kinds=("xgboost",),
        # Promoted last: a killed training leaves no champion without evaluation and explanations.
        deps=["candidate_model", "model_evaluation", "model_explanations"],
    ),
)
def champion_model(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        for day in with_progress(days_of(context)):
            decision = settle(session, candidate(session.lake, day), day)
        holder = champion(session.lake, day) or "none"
    return dg.MaterializeResult(
        metadata={
            "champion": holder,
            "promoted": decision.promote,
            "reason": decision.reason,
        }
    )
