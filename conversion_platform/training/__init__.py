"""Training: matured examples, a calibrated ranking model, its evaluations and versions.

Reads features and the checked source tables; writes `training_examples` and files below
`models/`. Later stages find the model through the champion pointer. What starts a training:
defs/training/automation.py.
"""

from conversion_platform.training.card import ModelCard
from conversion_platform.training.comparison import (
    Comparison,
    VersionSummary,
    compare,
    roles_of,
    summaries,
)
from conversion_platform.training.evaluation import (
    Estimate,
    Evaluation,
    RankedSlates,
    RedrawnPrecision,
    clustered_mean,
    clustered_ratio,
    map_at_k,
    paired_difference,
    slate_precision,
)
from conversion_platform.training.examples import ExamplesSummary, build_examples, check_examples
from conversion_platform.training.explanations import Explanation, explain, importance
from conversion_platform.training.export import Exported, export_to_mlflow
from conversion_platform.training.fitting import evaluate, fit_candidate
from conversion_platform.training.judging import examples_digest, judge
from conversion_platform.training.promotion import Decision, decide, settle
from conversion_platform.training.ranker import RankingModel
from conversion_platform.training.registry import (
    AUTOMATIC,
    EvaluationRecord,
    Figure,
    Pointer,
    Provenance,
    RegistryView,
    add_file,
    candidate,
    champion,
    champions,
    current_promotion,
    damaged_files,
    evaluations,
    figures,
    known_attributes,
    load_card,
    load_model,
    name_candidate,
    name_shadow,
    newest_evaluation,
    promote,
    promotions,
    provenance,
    read_file,
    record_evaluation,
    require_champion,
    rollback,
    shadow,
    upgrade_registry,
    version_key,
    versions,
)
from conversion_platform.training.registry import (
    VIEWS as REGISTRY_VIEWS,
)
from conversion_platform.training.split import first_training_day, training_days
from conversion_platform.training.tables import TABLES, TRAINING_EXAMPLES

__all__ = [
    "AUTOMATIC",
    "REGISTRY_VIEWS",
    "TABLES",
    "TRAINING_EXAMPLES",
    "Comparison",
    "Decision",
    "Estimate",
    "Evaluation",
    "EvaluationRecord",
    "ExamplesSummary",
    "Explanation",
    "Exported",
    "Figure",
    "ModelCard",
    "Pointer",
    "Provenance",
    "RankedSlates",
    "RankingModel",
    "RedrawnPrecision",
    "RegistryView",
    "VersionSummary",
    "add_file",
    "build_examples",
    "candidate",
    "champion",
    "champions",
    "check_examples",
    "clustered_mean",
    "clustered_ratio",
    "compare",
    "current_promotion",
    "damaged_files",
    "decide",
    "evaluate",
    "evaluations",
    "examples_digest",
    "explain",
    "export_to_mlflow",
    "figures",
    "first_training_day",
    "fit_candidate",
    "importance",
    "judge",
    "known_attributes",
    "load_card",
    "load_model",
    "map_at_k",
    "name_candidate",
    "name_shadow",
    "newest_evaluation",
    "paired_difference",
    "promote",
    "promotions",
    "provenance",
    "read_file",
    "record_evaluation",
    "require_champion",
    "roles_of",
    "rollback",
    "settle",
    "shadow",
    "slate_precision",
    "summaries",
    "training_days",
    "upgrade_registry",
    "version_key",
    "versions",
]
