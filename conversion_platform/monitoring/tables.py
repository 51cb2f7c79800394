"""The lake table that monitoring writes."""

from conversion_platform.lake import Column, Table

DRIFT = Table(
    name="drift",
    description="Distance of each feature, and of the score, of the day's candidate pairs from "
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
        Column("drifted", "BOOLEAN", "Whether statistic or change of missing share reaches it."),
        Column("threshold", "DOUBLE", "drift.statistic_threshold when the row was written."),
        Column("rows_today", "BIGINT", "Pairs in today's sample."),
        Column("rows_reference", "BIGINT", "Pairs in the reference."),
        Column("model_version", "VARCHAR", "The model whose test days are the reference."),
    ),
    key=("column_name",),
)

TABLES = (DRIFT,)
