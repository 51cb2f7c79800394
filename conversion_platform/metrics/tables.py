"""The lake table that metrics writes."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

ALL_COHORTS = "all"

DAILY_METRICS = Table(
    "daily_metrics",
    "What each day's assignments led to, by cohort; the cohort `all` counts every assignment.",
    (
        Column("cohort", "VARCHAR", "A cohort of the settings, or `all`."),
        Column("planned", "BIGINT", "Assignments in the treatment arm."),
        Column("holdout", "BIGINT", "Assignments in the holdout, which gets no text."),
        Column("suppressed", "BIGINT", "Planned texts that a rule stopped (docs/messaging.md)."),
        Column("expired", "BIGINT", "Planned texts that found no permitted hour in time."),
        Column("sent", "BIGINT", "Texts the carrier accepted."),
        Column("delivered", "BIGINT", "Texts the carrier delivered."),
        Column("failed", "BIGINT", "Texts the carrier could not deliver."),
        Column("clicked", "BIGINT", "Sent texts whose job was clicked within the window."),
        Column("converted", "BIGINT", "Sent texts whose job was converted on within the window."),
        Column("opted_out", "BIGINT", "Sent texts that were answered with an opt-out."),
        Column(
            "converted_any",
            "BIGINT",
            "Users of the treatment arm, texted or not, who converted on any job.",
        ),
        Column("holdout_converted_any", "BIGINT", "Users of the holdout who converted on any job."),
        Column("sent_converted_any", "BIGINT", "Sent texts whose user converted on any job."),
        Column("conversion_rate", "DOUBLE", "converted_any / planned (0 to 1).", 0, 1),
        Column("holdout_conversion_rate", "DOUBLE", "holdout_converted_any / holdout.", 0, 1),
        Column(
            "uplift",
            "DOUBLE",
            "conversion_rate - holdout_conversion_rate; NULL until matured or with an empty arm.",
        ),
        Column("uplift_low", "DOUBLE", "Lower end of the uplift's 95 % interval (Newcombe)."),
        Column("uplift_high", "DOUBLE", "Upper end of the uplift's 95 % interval (Newcombe)."),
        Column(
            "map_sent",
            "DOUBLE",
            "converted / sent_converted_any: MAP of what was sent, one job a user "
            "(docs/metrics.md); NULL where no texted user converted.",
        ),
        Column("precision_sent", "DOUBLE", "converted / sent: share of texts whose job converted."),
        Column("matured", "BOOLEAN", "Whether the window of every assignment is past."),
    ),
    key=("cohort",),
)

TABLES = (DAILY_METRICS,)
