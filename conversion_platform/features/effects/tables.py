"""The lake table of the effects."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

RESPONSE_EFFECTS = Table(
    "response_effects",
    "What each user, job, employer, category and band adds to the log-odds of a response, when "
    "the day begins.",
    (
        Column("factor", "VARCHAR", "What the level is of: all, slot, distance, user, job, ..."),
        Column("user_id", "VARCHAR", "The user of factors `user` and `user_category`, else empty."),
        Column("level", "VARCHAR", "The job, employer, category or number of the band, or empty."),
        Column("effect", "FLOAT", "Log-odds that the level adds; 0 = as expected."),
        Column("information", "FLOAT", "Sum of p (1 - p) over what the level was shown.", 0),
        Column("prior", "FLOAT", "Precision of the factor's prior, estimated from its levels.", 0),
    ),
    key=("factor", "user_id", "level"),
)
