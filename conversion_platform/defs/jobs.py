"""The jobs: what runs together.

What belongs here: selections of assets. What does not: when they run (automation.py).
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.defs.messaging.assets import ONLY_SEND

SOURCE_GROUPS = ("marketplace",)
HISTORY_GROUPS = (*SOURCE_GROUPS, "features")
TRAINING_GROUPS = ("training",)
DAILY_GROUPS = (
    *HISTORY_GROUPS,
    "inference",
    "monitoring",
    "applications",
    "messaging",
    "event_log",
    "metrics",
)

daily = dg.define_asset_job(
    "daily",
    dg.AssetSelection.groups(*DAILY_GROUPS),
    description="The day: fresh tables and features, predictions, the job of the day, texts, "
    "the log, metrics and the watch for drift.",
)
sources = dg.define_asset_job(
    "sources",
    dg.AssetSelection.groups(*SOURCE_GROUPS),
    description="Checked tables alone, for the days before the first that features are built for.",
)
history = dg.define_asset_job(
    "history",
    dg.AssetSelection.groups(*HISTORY_GROUPS),
    description="Checked tables and features for a range of days, for training to learn from.",
)
train = dg.define_asset_job(
    "train",
    dg.AssetSelection.groups(*TRAINING_GROUPS) | dg.AssetSelection.assets("log_model_promotion"),
    description="A candidate from the days that have matured; champion if it is not worse.",
)
send_texts = dg.define_asset_job(
    "send_texts",
    dg.AssetSelection.assets("sent_messages", "message_states", "replies"),
    description="Sends what is planned and due now, and takes in what the carrier reports.",
    tags={ONLY_SEND: "yes"},
)

JOBS = (daily, sources, history, train, send_texts)
