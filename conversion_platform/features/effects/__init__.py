"""Residual effects: how much more often than expected a user, a job or a kind of pair responds.

An additive model of the log-odds of a response (a click; a conversion where a source has no
clicks), brought forward day by day. docs/features.md says how it is computed, docs/decisions/ why.
"""

from conversion_platform.features.effects.build import build_effects, slot_effects
from conversion_platform.features.effects.factors import (
    MOST_TEXTS,
    SLOTS,
    distance_band,
    distance_measure,
    pay_band,
    pay_measure,
)
from conversion_platform.features.effects.tables import RESPONSE_EFFECTS

__all__ = [
    "MOST_TEXTS",
    "RESPONSE_EFFECTS",
    "SLOTS",
    "build_effects",
    "distance_band",
    "distance_measure",
    "pay_band",
    "pay_measure",
    "slot_effects",
]
