"""Decides whether a candidate becomes the champion.

If its day has no champion, it does. Otherwise its MAP must not be lower on the same test examples:
the newest ones, on which neither model was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.errors import RegistryError, TrainingError
from conversion_platform.lake import Session
from conversion_platform.training.fitting import evaluate
from conversion_platform.training.registry import champion, load_card

if TYPE_CHECKING:
    from conversion_platform.training.evaluation import Evaluation


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and the reason in one sentence."""

    promote: bool
    reason: str
    candidate: str
    champion: str | None


def decide(session: Session, version: str) -> Decision:
    """Compare a candidate with the champion on the candidate's test examples.

    Raises:
        NotReadyError: the candidate's examples are missing.
        RegistryError: the candidate, or the pointer to the champion, is missing or damaged.
    """
    day = load_card(session.lake, version).day
    holder = champion(session.lake, day)
    if holder is None:
        return Decision(True, "There is no champion yet.", version, None)
    if holder == version:
        return Decision(False, "The candidate is the champion already.", version, holder)
    candidate = evaluate(session, version)
    try:
        current = evaluate(session, holder, day)
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
