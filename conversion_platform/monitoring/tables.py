"""The table that monitoring writes."""

from conversion_platform.lake import Column, Table

DRIFT = Table(
    name="drift",
    description="How far each feature, and the score, of the day's candidate pairs stands from "
    "the pairs of the model's test days.",
    columns=(
        Column("column_name", "VARCHAR", "Feature, or 'score'."),
        Column("kind", "VARCHAR", "'numeric' or 'categorical'."),
        Column(
            "statistic",
            "DOUBLE",
            "Wasserstein distance in standard deviations of the reference (numeric), or "
            "Jensen-Shannon distance (categorical); NULL if either side has no value.",
        ),
        Column("missing_today", "DOUBLE", "Share of today's sample without a value."),
        Column("missing_reference", "DOUBLE", "Share of the reference without a value."),
        Column("drifted", "BOOLEAN", "Whether statistic or missing share moved by the threshold."),
        Column("threshold", "DOUBLE", "drift.statistic_threshold at the time."),
        Column("rows_today", "BIGINT", "Pairs in today's sample."),
        Column("rows_reference", "BIGINT", "Pairs in the reference."),
        Column("model_version", "VARCHAR", "The model whose test days are the reference."),
    ),
    key=("column_name",),
)

TABLES = (DRIFT,)
