"""Daily predictions: eligible users x open candidate jobs, scored, the best k kept.

The features come from the same SQL that training uses. docs/predictions.md says who is
eligible, which jobs are candidates, and how ties are broken.
"""

from conversion_platform.inference.candidates import (
    candidate_query,
    eligible_users_query,
    open_jobs_query,
    pairs_query,
)
from conversion_platform.inference.explain import (
    Explained,
    Input,
    Prediction,
    explain_prediction,
    find_prediction,
)
from conversion_platform.inference.predict import Predicted, best_jobs, predict_days
from conversion_platform.inference.quality import (
    PredictionQuality,
    missing_features,
    prediction_quality,
)
from conversion_platform.inference.scoring import score_pairs
from conversion_platform.inference.tables import DAILY_PREDICTIONS, TABLES

__all__ = [
    "DAILY_PREDICTIONS",
    "TABLES",
    "Explained",
    "Input",
    "Predicted",
    "Prediction",
    "PredictionQuality",
    "best_jobs",
    "candidate_query",
    "eligible_users_query",
    "explain_prediction",
    "find_prediction",
    "missing_features",
    "open_jobs_query",
    "pairs_query",
    "predict_days",
    "prediction_quality",
    "score_pairs",
]
