"""What a person wants to know of versions: their roles, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.training.explanations import importance
from conversion_platform.training.registry import (
    EvaluationRecord,
    Figure,
    current_promotion,
    evaluations,
    figures,
    load_card,
    newest_candidate,
    newest_evaluation,
    shadow,
    versions,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.training.card import ModelCard

TOP_INPUTS = 10


@dataclass(frozen=True)
class VersionSummary:
    """One version in a list of them.

    Attributes:
        card: Its card.
        roles: The roles that it has now: champion, previous, candidate, shadow.
        judged: Its newest evaluation; None if it was not judged yet.
    """

    card: ModelCard
    roles: tuple[str, ...]
    judged: EvaluationRecord | None


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side.

    Attributes:
        cards: Their cards.
        judged: The evaluations that `figures` are from; None if a version was not judged yet.
        same_rows: Whether both evaluations are on the same rows with the same labels.
        figures: Name, and the figure of each.
        settings: Settings that differ: dotted name, and the value of each.
        added: Features that only the second version reads.
        removed: Features that only the first version reads.
        importance: The largest inputs of each: name, mean absolute SHAP value.
    """

    cards: tuple[ModelCard, ModelCard]
    judged: tuple[EvaluationRecord | None, EvaluationRecord | None]
    same_rows: bool
    figures: tuple[tuple[str, Figure | None, Figure | None], ...]
    settings: tuple[tuple[str, Any, Any], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    importance: tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]


def roles_of(lake: Lake) -> dict[str, list[str]]:
    """Return the roles that versions have now, by version.

    Raises:
        RegistryError: a pointer is damaged.
    """
    current = current_promotion(lake)
    held = (
        ("champion", current.version if current else None),
        ("previous", current.previous if current else None),
        ("candidate", newest_candidate(lake)),
        ("shadow", shadow(lake)),
    )
    found: dict[str, list[str]] = {}
    for role, version in held:
        if version is not None:
            found.setdefault(version, []).append(role)
    return found


def summaries(lake: Lake) -> list[VersionSummary]:
    """Return all versions, oldest day first.

    Raises:
        RegistryError: a card, pointer or evaluation is damaged.
    """
    roles = roles_of(lake)
    return [
        VersionSummary(
            load_card(lake, version),
            tuple(roles.get(version, ())),
            newest_evaluation(lake, version),
        )
        for version in versions(lake)
    ]


def compare(lake: Lake, first: str, second: str) -> Comparison:
    """Compare two versions, by figures on the same rows if both were judged on such.

    Raises:
        RegistryError: a version is missing or damaged.
    """
    cards = load_card(lake, first), load_card(lake, second)
    judged = _judged_alike(lake, first, second)
    ours, theirs = (set(card.spec.names()) for card in cards)
    return Comparison(
        cards,
        judged,
        bool(judged[0] and judged[1] and judged[0].examples == judged[1].examples != ""),
        tuple(_side_by_side(*judged)),
        tuple(_different(flat(cards[0].settings), flat(cards[1].settings))),
        tuple(sorted(theirs - ours)),
        tuple(sorted(ours - theirs)),
        (importance(lake, first)[:TOP_INPUTS], importance(lake, second)[:TOP_INPUTS]),
    )


def _judged_alike(
    lake: Lake, first: str, second: str
) -> tuple[EvaluationRecord | None, EvaluationRecord | None]:
    """Return the newest evaluations on the same rows; else the newest one of each."""
    ours = {one.examples: one for one in evaluations(lake, first) if one.examples}
    theirs = {one.examples: one for one in evaluations(lake, second)}
    shared = [ours[examples] for examples in ours if examples in theirs]
    if not shared:
        return newest_evaluation(lake, first), newest_evaluation(lake, second)
    newest = max(shared, key=lambda one: (one.judged_on, one.number))
    return newest, theirs[newest.examples]


def _side_by_side(
    first: EvaluationRecord | None, second: EvaluationRecord | None
) -> Iterator[tuple[str, Figure | None, Figure | None]]:
    ours, theirs = (
        {one.name: one for one in figures(record.evaluation)} if record else {}
        for record in (first, second)
    )
    for name in dict.fromkeys([*ours, *theirs]):
        yield name, ours.get(name), theirs.get(name)


def flat(settings: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names; `above` stands before each."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found


def _different(first: dict[str, Any], second: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield name, first.get(name), second.get(name)
