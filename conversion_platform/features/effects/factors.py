"""The factors of the additive model, in the order in which a day's residuals are given to them."""

from __future__ import annotations

from collections.abc import Sequence

# Limits between bands: what lies below the first is band 0. Each limit belongs to the band above.
_KILOMETRES = (0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 150)
_PAY_RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 3)

SLOTS = 16
"""Slots of a slate that are told apart; later ones count as the last."""

MOST_TEXTS = 7
"""Messages received within 7 days that are told apart; more count as these."""

BANDS = {
    "all": 1,
    "slot": SLOTS + 1,  # the last one is a message
    "texts": MOST_TEXTS + 1,
    "distance": len(_KILOMETRES) + 1,
    "pay": len(_PAY_RATIOS) + 1,
    "skill": 2,
    "shift": 2,
}
"""Factors whose levels are numbers, and how many levels each has."""

SLOPES = ("user_pay", "user_distance")
"""Factors whose effect is that of one unit of a measure of the pair (`pay_measure`, ...)."""

FACTORS = (*BANDS, "category", "employer", "user_category", "user", "job", *SLOPES)
"""Every factor. What explains most responses by itself comes first: with the users before the
distances, a user who lives far out would be taken for one who seldom clicks."""


def _band(value: str, limits: Sequence[float]) -> str:
    """Return SQL of the number of the band that `value` lies in; NULL where it is missing."""
    cases = " ".join(f"WHEN {value} < {limit} THEN {band}" for band, limit in enumerate(limits))
    return f"CASE WHEN {value} IS NULL THEN NULL {cases} ELSE {len(limits)} END"


def distance_band(kilometres: str) -> str:
    """Return SQL of the band of a distance."""
    return _band(kilometres, _KILOMETRES)


def pay_band(ratio: str) -> str:
    """Return SQL of the band of a job's pay over the pay that the user asks for."""
    return _band(ratio, _PAY_RATIOS)


def pay_measure(ratio: str) -> str:
    """Return SQL of how a job's pay compares with what the user asks for: 0 where it is the same.

    One unit is a third more or less, in logarithms, and more than half as much again does not
    count further.
    """
    return f"CASE WHEN {ratio} > 0 THEN greatest(-1.5, least(1.5, 3 * ln({ratio}))) END"


def distance_measure(kilometres: str) -> str:
    """Return SQL of how far a job is: 0 at 19 km; one unit is 2.7 times as far."""
    return f"CASE WHEN {kilometres} >= 0 THEN ln(1 + least({kilometres}, 150)) - 3 END"
