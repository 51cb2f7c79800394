"""Decides whether a candidate becomes the champion.

If its day has no champion, it does. Otherwise its MAP must not be lower on the same test examples:
the newest ones, on which neither model was fitted. A training for an older day never replaces a
newer champion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.errors import RegistryError, TrainingError
from conversion_platform.lake import Session
from conversion_platform.training.judging import judge
from conversion_platform.training.registry import (
    current_promotion,
    load_card,
    replace_champion,
)

if TYPE_CHECKING:
    from datetime import date

    from conversion_platform.training.evaluation import Evaluation


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and the reason in one sentence."""

    promote: bool
    reason: str
    candidate: str
    champion: str | None


def settle(session: Session, version: str, day: date) -> Decision:
    """Decide about a candidate and promote it from `day` on if it is to be promoted.

    Where another promotion came in between, the candidate is compared with the new champion.

    Raises:
        NotReadyError: the candidate's examples are missing.
        RegistryError: the candidate, or a pointer to the champion, is missing or damaged.
    """
    while True:
        decision = decide(session, version)
        if not decision.promote:
            return decision
        if replace_champion(session.lake, version, day, decision.reason, decision.champion):
            return decision


def decide(session: Session, version: str) -> Decision:
    """Compare a candidate with the champion on the candidate's test examples.

    Raises:
        NotReadyError: the candidate's examples are missing.
        RegistryError: the candidate, or the pointer to the champion, is missing or damaged.
    """
    day = load_card(session.lake, version).day
    newest, of_day = current_promotion(session.lake), current_promotion(session.lake, day)
    if newest is None:
        return Decision(True, "There is no champion yet.", version, None)
    if of_day is None:
        reason = f"{day} had no champion; {newest.version} stays the one from {newest.day} on."
        return Decision(True, reason, version, None)
    holder = of_day.version
    if holder == version:
        return Decision(False, "The candidate is the champion already.", version, holder)
    if newest.day > day:
        reason = (
            f"{newest.version} is the champion from {newest.day} on: a training for an older day "
            "does not replace it."
        )
        return Decision(False, reason, version, holder)
    candidate = judge(session, version, day).evaluation
    try:
        current = judge(session, holder, day).evaluation
    except (RegistryError, TrainingError) as error:
        reason = f"The champion cannot score today's examples: {error.problem}"
        return Decision(True, reason, version, holder)
    return _compared(candidate, current)


def _compared(candidate: Evaluation, current: Evaluation) -> Decision:
    ours, theirs = candidate.map_model.value, current.map_model.value
    if ours is None or theirs is None:
        reason = "MAP is not measurable: the test examples hold no conversion."
        return Decision(False, reason, candidate.version, current.version)
    figures = f"MAP@{candidate.k} {ours:.4f} against {theirs:.4f}, {candidate.slates} slates"
    if ours >= theirs:
        reason = f"Not worse than the champion on the same examples ({figures})."
        return Decision(True, reason, candidate.version, current.version)
    reason = f"Worse than the champion on the same examples ({figures})."
    return Decision(False, reason, candidate.version, current.version)
