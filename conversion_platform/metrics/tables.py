"""The lake table of daily metrics."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

ALL_COHORTS = "all"

DAILY_METRICS = Table(
    "daily_metrics",
    "Outcomes of each day's assignments by cohort; the cohort `all` counts every assignment.",
    (
        Column("cohort", "VARCHAR", "A cohort of the settings, or `all`."),
        Column(
            "planned", "BIGINT", "Assignments in the treatment arm: messages that were to be sent."
        ),
        Column("holdout", "BIGINT", "Assignments in the holdout: logged, never sent a message."),
        Column("suppressed", "BIGINT", "Planned messages that a rule stopped (docs/messaging.md)."),
        Column("expired", "BIGINT", "Planned messages without a permitted hour in time."),
        Column("sent", "BIGINT", "Messages that the provider accepted."),
        Column("delivered", "BIGINT", "Messages that the provider reports as delivered."),
        Column("failed", "BIGINT", "Messages that the provider could not deliver."),
        Column("clicked", "BIGINT", "Sent messages whose job the user clicked within the window."),
        Column("converted", "BIGINT", "Sent messages whose job the user converted on within it."),
        Column("opted_out", "BIGINT", "Sent messages with an opt-out as reply."),
        Column(
            "converted_any",
            "BIGINT",
            "Users of the treatment arm, with or without a message, who converted on any job.",
        ),
        Column("holdout_converted_any", "BIGINT", "Users of the holdout who converted on any job."),
        Column("sent_converted_any", "BIGINT", "Sent messages whose user converted on any job."),
        Column("conversion_rate", "DOUBLE", "converted_any / planned (0 to 1).", 0, 1),
        Column("holdout_conversion_rate", "DOUBLE", "holdout_converted_any / holdout.", 0, 1),
        Column(
            "uplift",
            "DOUBLE",
            "conversion_rate - holdout_conversion_rate, as a share: 0.01 is one point; NULL until "
            "matured or with an empty arm.",
        ),
        Column("uplift_low", "DOUBLE", "Lower end of the uplift's 95 % interval (Newcombe)."),
        Column("uplift_high", "DOUBLE", "Upper end of the uplift's 95 % interval (Newcombe)."),
        Column(
            "map_sent",
            "DOUBLE",
            "converted / sent_converted_any: MAP of the messages sent, one job for each user "
            "(docs/metrics.md); NULL if no user with a message converted.",
        ),
        Column("precision_sent", "DOUBLE", "converted / sent: messages whose job converted."),
        Column("matured", "BOOLEAN", "Whether the window of every assignment is over."),
    ),
    key=("cohort",),
)

TABLES = (DAILY_METRICS,)
