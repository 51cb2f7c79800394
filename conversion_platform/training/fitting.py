"""Trains a candidate: fits and calibrates a model, and writes the version; evaluates versions.

The champion pointer is not changed here; `promotion.py` decides about that. Evaluations are kept by
`judging.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.features import FeatureSpec, feature_spec, slot_effects
from conversion_platform.lake import Session
from conversion_platform.training.calibration import Calibration, Shown, fit_calibration
from conversion_platform.training.card import ModelCard, SplitCard
from conversion_platform.training.encoding import POSITION, Encoder, fit_vocabulary
from conversion_platform.training.evaluation import Evaluation, ScoredExamples, evaluate_ranking
from conversion_platform.training.examples import require_two_classes
from conversion_platform.training.offset import Offset
from conversion_platform.training.ranker import Examples, fit_booster, score_matrix
from conversion_platform.training.registry import add_version, load_model, record_provenance
from conversion_platform.training.tables import TRAINING_EXAMPLES

if TYPE_CHECKING:
    import xgboost
    from numpy.typing import NDArray

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

    Array = NDArray[Any]

BATCH_ROWS = 100_000
LIBRARIES = ("duckdb", "numpy", "pyarrow", "scikit-learn", "xgboost")
POPULARITY = "job_conversion_rate_28d"

NOT_TUNED = (
    "The validation days hold one class only: all trees were kept, and the calibration was "
    "fitted on the training days."
)


@dataclass(frozen=True)
class Window:
    """One window of the examples, with the columns that an evaluation needs."""

    examples: Examples
    slates: Array
    users: Array
    ties: Array
    popularity: Array


def fit_candidate(session: Session, day: date) -> ModelCard:
    """Fit and calibrate a model on the examples of `day`, and write its version.

    The same examples and settings give the same version and bytes.

    Raises:
        NotReadyError: `training_examples` has not been built for `day`.
        TrainingError: the examples hold one class only.
    """
    session.lake.require(TRAINING_EXAMPLES, [day])
    spec = feature_spec(session)
    splits = _split_cards(session, day)
    train_card = splits.get("train")
    rows, positives = (train_card.rows, train_card.positives) if train_card else (0, 0)
    require_two_classes(session.settings, day, rows, positives)
    encoder = _fit_encoder(session, day, spec)
    train = _load(session, day, "train", encoder, splits)
    validation = _load(session, day, "validation", encoder, splits)
    tuned = _has_both(validation.examples.converted)
    booster = fit_booster(
        session.settings,
        encoder,
        train.examples,
        validation.examples if tuned else None,
        slot_effects(session, max(split.days.last for split in splits.values())),
    )
    calibration = _calibrated(
        booster, encoder, train.examples, validation.examples if tuned else None
    )
    draft = ModelCard(
        version="",
        day=day,
        spec=spec,
        columns=encoder.columns,
        vocabularies=encoder.vocabularies,
        label=_label(session.settings),
        splits=splits,
        rounds=booster.num_boosted_rounds(),
        settings=_settings_used(session.settings),
        libraries={name: installed(name) for name in LIBRARIES},
        fingerprint=_fingerprint(train.examples, validation.examples),
        notes=_notes(session.settings, splits, tuned),
    )
    card = add_version(session.lake, bytes(booster.save_raw("ubj")), calibration, draft)
    record_provenance(session.lake, card)
    return card


def evaluate(session: Session, version: str, day: date | None = None) -> Evaluation:
    """Evaluate a version on test examples.

    Args:
        session: Settings, lake and DuckDB connection.
        version: The model.
        day: Day of the training whose test examples are used; the version's day if not given.

    Raises:
        NotReadyError: the examples of that day are missing.
        RegistryError: the version is missing or damaged.
        TrainingError: the examples lack a feature of the model.
    """
    model = load_model(session.lake, version, session.settings.platform.threads)
    chosen = day or model.card.day
    session.lake.require(TRAINING_EXAMPLES, [chosen])
    splits = _split_cards(session, chosen)
    test = _load(session, chosen, "test", model.encoder, splits)
    return _evaluated(
        version, session.settings, model.encoder, model.booster, model.calibration, test
    )


def _notes(settings: Settings, splits: dict[str, SplitCard], tuned: bool) -> tuple[str, ...]:
    wanted = settings.training
    asked = wanted.train_days + wanted.validation_days + wanted.test_days
    used = sum(len(split.days) for split in splits.values())
    notes = [] if used >= asked else [f"Only {used} of {asked} days had examples."]
    return tuple(notes if tuned else [*notes, NOT_TUNED])


def _examples(lake: Lake, day: date) -> str:
    return lake.select(TRAINING_EXAMPLES, DayRange.of(day))


def _split_cards(session: Session, day: date) -> dict[str, SplitCard]:
    rows = session.con.execute(
        "SELECT split, min(day), max(day), count(*), count(*) FILTER (converted) "
        f"FROM {_examples(session.lake, day)} GROUP BY split"
    ).fetchall()
    return {row[0]: SplitCard(DayRange(row[1], row[2]), row[3], row[4]) for row in rows}


def _fit_encoder(session: Session, day: date, spec: FeatureSpec) -> Encoder:
    """Return the encoder with column order and categorical values of the training window."""
    vocabularies = {}
    for feature in spec.features:
        if feature.kind == "categorical":
            counts = session.con.execute(
                f'SELECT "{feature.name}", count(*) FROM {_examples(session.lake, day)} '
                f"WHERE split = 'train' AND \"{feature.name}\" IS NOT NULL GROUP BY 1"
            ).fetchall()
            vocabularies[feature.name] = fit_vocabulary(
                counts, session.settings.features.max_categories
            )
    names = tuple(feature.name for feature in spec.features)
    return Encoder((*names, POSITION), vocabularies)


def _load(
    session: Session, day: date, split: str, encoder: Encoder, splits: dict[str, SplitCard]
) -> Window:
    """Read one window into arrays of their final size, without a second copy of the examples."""
    import numpy as np

    rows = splits[split].rows if split in splits else 0
    matrix = np.empty((rows, len(encoder.columns)), dtype=np.float32)
    flags = np.empty((rows, 2), dtype=bool)
    keys = np.empty((rows, 3), dtype=np.uint64)
    popular = np.empty(rows, dtype=np.float32)
    filled = 0
    for batch in _stream(session, day, split):
        part = slice(filled, filled + batch.num_rows)
        matrix[part] = encoder.matrix(batch, logged_positions=True)
        flags[part] = _columns(batch, ("clicked", "converted"))
        keys[part] = _columns(batch, ("slate_key", "user_key", "job_key"))
        popular[part] = batch.column(POPULARITY).to_numpy(zero_copy_only=False)
        filled += batch.num_rows
    examples = Examples(matrix, flags[:, 0], flags[:, 1])
    return Window(examples, keys[:, 0], keys[:, 1], keys[:, 2], popular)


def _stream(session: Session, day: date, split: str) -> Any:
    """Return Arrow batches of one window, in the order of the file (the table's key)."""
    return session.con.sql(
        "SELECT *, md5_number_lower(slate) AS slate_key, md5_number_lower(user_id) AS user_key, "
        "md5_number_lower(job_id) AS job_key "
        f"FROM {_examples(session.lake, day)} WHERE split = '{split}'"
    ).to_arrow_reader(BATCH_ROWS)


def _columns(batch: Any, names: tuple[str, ...]) -> Array:
    import numpy as np

    return np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in names])


def _has_both(labels: Array) -> bool:
    return bool(0 < labels.sum() < len(labels))


def _calibrated(
    booster: xgboost.Booster, encoder: Encoder, train: Examples, validation: Examples | None
) -> Calibration:
    if validation is None:
        return fit_calibration(_shown(booster, encoder, train))
    return fit_calibration(_shown(booster, encoder, validation), _shown(booster, encoder, train))


def _shown(booster: xgboost.Booster, encoder: Encoder, examples: Examples) -> Shown:
    """Score a window as if every row had been shown in the first slot."""
    import numpy as np

    slot = encoder.columns.index(POSITION)
    positions = examples.matrix[:, slot].copy()
    examples.matrix[:, slot] = np.float32(0.0)
    scores = score_matrix(booster, Offset.of(booster), encoder, examples.matrix)
    examples.matrix[:, slot] = positions
    return Shown(scores, examples.converted, positions)


def _evaluated(
    version: str,
    settings: Settings,
    encoder: Encoder,
    booster: xgboost.Booster,
    calibration: Calibration,
    window: Window,
) -> Evaluation:
    """Judge the scores at the first slot, and the probabilities at the logged ones."""
    shown = _shown(booster, encoder, window.examples)
    scored = ScoredExamples(
        slates=window.slates,
        users=window.users,
        ties=window.ties,
        labels=shown.labels,
        positions=shown.positions,
        popularity=window.popularity,
        scores=shown.scores,
        probabilities=calibration.apply(shown.scores, shown.positions),
    )
    return evaluate_ranking(version, scored, settings.training.map_k, settings.training.seed)


def _label(settings: Settings) -> dict[str, Any]:
    meaning = settings.events
    return {
        "shown": list(meaning.impression_types),
        "converted": list(meaning.conversion_types),
        "clicked": list(meaning.click_types),
        "attribution": settings.training.attribution,
        "window_days": meaning.attribution_window_days,
        "negatives": meaning.negatives,
    }


def _settings_used(settings: Settings) -> dict[str, Any]:
    return {
        "training": settings.training.model_dump(mode="json"),
        "events": settings.events.model_dump(mode="json"),
        "features": settings.features.model_dump(mode="json"),
    }


def _fingerprint(*windows: Examples) -> str:
    import numpy as np

    digest = hashlib.sha256()
    for window in windows:
        for array in (window.matrix, window.clicked, window.converted):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
