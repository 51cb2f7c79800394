"""Training: matured examples, a calibrated ranking model, its evaluation and versions.

Reads features and the checked source tables; writes `training_examples` and files below
`models/`. Later stages find the model through the champion pointer. What starts a training:
defs/training/automation.py.
"""

from conversion_platform.training.card import ModelCard
from conversion_platform.training.evaluation import (
    Estimate,
    Evaluation,
    clustered_mean,
    clustered_ratio,
    map_at_k,
    paired_difference,
    slate_precision,
)
from conversion_platform.training.examples import ExamplesSummary, build_examples, check_examples
from conversion_platform.training.explanations import Explanation, explain
from conversion_platform.training.fitting import evaluate, fit_candidate
from conversion_platform.training.promotion import Decision, decide
from conversion_platform.training.ranker import RankingModel
from conversion_platform.training.registry import (
    Promotion,
    candidate,
    champion,
    champions,
    current_promotion,
    known_attributes,
    load_card,
    load_model,
    name_candidate,
    promote,
    promotions,
    require_champion,
    version_key,
    versions,
)
from conversion_platform.training.split import first_training_day, training_days
from conversion_platform.training.tables import TABLES, TRAINING_EXAMPLES

__all__ = [
    "TABLES",
    "TRAINING_EXAMPLES",
    "Decision",
    "Estimate",
    "Evaluation",
    "ExamplesSummary",
    "Explanation",
    "ModelCard",
    "Promotion",
    "RankingModel",
    "build_examples",
    "candidate",
    "champion",
    "champions",
    "check_examples",
    "clustered_mean",
    "clustered_ratio",
    "current_promotion",
    "decide",
    "evaluate",
    "explain",
    "first_training_day",
    "fit_candidate",
    "known_attributes",
    "load_card",
    "load_model",
    "map_at_k",
    "name_candidate",
    "paired_difference",
    "promote",
    "promotions",
    "require_champion",
    "slate_precision",
    "training_days",
    "version_key",
    "versions",
]
