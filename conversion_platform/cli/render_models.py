"""What the command line shows of models and predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from conversion_platform.terminal import WIDTH, styled

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from conversion_platform.inference import Explained
    from conversion_platform.training import (
        Comparison,
        EvaluationRecord,
        Figure,
        ModelCard,
        Pointer,
        Provenance,
        VersionSummary,
    )

NOT_JUDGED = "not judged yet"
REASONS = 5


def versions_table(found: Sequence[VersionSummary]) -> Table:
    """Return the versions as one screen, newest first."""
    table = _table("version", "roles", "trained for", "MAP", "on examples of", whole=5)
    for one in reversed(found):
        value = one.judged.evaluation.map_model.value if one.judged else None
        table.add_row(
            one.card.version,
            ", ".join(one.roles),
            str(one.card.day),
            _number(value) if one.judged else NOT_JUDGED,
            str(one.judged.examples_day) if one.judged else "",
        )
    return table


def version_screen(
    card: ModelCard,
    roles: Sequence[str],
    pointers: Sequence[Pointer],
    judged: EvaluationRecord | None,
    came_from: Provenance | None,
    top: Sequence[tuple[str, float]],
) -> RenderableType:
    """Return one version as one screen: card, roles with their history, figures, inputs."""
    from rich.console import Group

    table = _lines(card.version)
    for label, value in (
        *_card_lines(card, roles),
        *_pointer_lines(pointers),
        *_provenance_lines(came_from),
        *_judged_lines(judged),
    ):
        table.add_row(label, value)
    return Group(table, _inputs(top))


def _card_lines(card: ModelCard, roles: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "roles", ", ".join(roles) or "none"
    yield "trained for", str(card.day)
    yield "trees, inputs", f"{card.rounds}, {len(card.columns)}"
    for name, split in card.splits.items():
        yield name, f"{split.days}: {split.rows:,} rows, {split.positives:,} conversions"
    yield "label", ", ".join(f"{name} {value}" for name, value in card.label.items())
    for note in card.notes:
        yield "note", note
    yield "libraries", ", ".join(f"{name} {value}" for name, value in card.libraries.items())


def _pointer_lines(pointers: Sequence[Pointer]) -> Iterator[tuple[str, str]]:
    for one in pointers:
        after = f", after {one.previous}" if one.previous else ""
        yield f"champion from {one.day}", f"by {one.by}{after}: {one.reason}"


def _provenance_lines(found: Provenance | None) -> Iterator[tuple[str, str]]:
    if found is None:
        return
    yield "code", f"{found.release}, commit {found.commit or 'unknown'}"
    for name, source in found.sources.items():
        size = f"{source.partitions:,} files, {source.bytes / 1e6:,.1f} MB"
        yield f"read {name}", f"{size}, {source.sha256[:12]}"


def _judged_lines(judged: EvaluationRecord | None) -> Iterator[tuple[str, str]]:
    from conversion_platform.training import figures

    if judged is None:
        yield "figures", NOT_JUDGED
        return
    yield "judged on", f"{judged.judged_on}, with the test examples of {judged.examples_day}"
    for one in figures(judged.evaluation):
        yield one.name, _figure(one)


def comparison_screen(found: Comparison) -> RenderableType:
    """Return two versions side by side as one screen."""
    from rich.console import Group

    names = [card.version for card in found.cards]
    figures = _table("figure", *names)
    for name, ours, theirs in found.figures:
        figures.add_row(name, _figure(ours), _figure(theirs))
    settings = _table("setting", *names)
    for name, before, after in found.settings:
        settings.add_row(name, _plain(before), _plain(after))
    inputs = _table("largest inputs", *names)
    for place in range(max(map(len, found.importance))):
        inputs.add_row(str(place + 1), *(_input(part, place) for part in found.importance))
    parts: list[RenderableType] = [styled(_rows_words(found)), figures]
    parts += [settings] if found.settings else [styled("The settings of both are the same.")]
    parts += [styled(f"features added: {', '.join(found.added) or 'none'}")]
    parts += [styled(f"features removed: {', '.join(found.removed) or 'none'}")]
    return Group(*parts, inputs) if any(found.importance) else Group(*parts)


def _rows_words(found: Comparison) -> str:
    first, second = found.judged
    if first is None or second is None:
        missing = [
            card.version
            for card, judged in zip(found.cards, found.judged, strict=True)
            if judged is None
        ]
        return f"{' and '.join(missing)}: {NOT_JUDGED}."
    if found.same_rows:
        return f"Both were judged on the same rows: the test examples of {first.examples_day}."
    return (
        "They were judged on different rows, so their figures cannot be compared: the test "
        f"examples of {first.examples_day}, and of {second.examples_day}."
    )


def explained_screen(found: Explained) -> RenderableType:
    """Return a prediction with its inputs and reasons as one screen."""
    from rich.console import Group

    stored = found.prediction
    table = _lines(f"{stored.user_id}/{stored.job_id}/{stored.day}")
    table.add_row("model version", stored.model_version)
    table.add_row("rank", str(stored.rank))
    table.add_row("score", repr(stored.score))
    table.add_row("probability", "none" if stored.probability is None else repr(stored.probability))
    equal = "Computed again from the lake: equal to the bit."
    table.add_row("check", " ".join(found.differences) or equal)
    reasons = _table("reason", "value", "effect in log-odds")
    for one in found.inputs[:REASONS]:
        reasons.add_row(one.name, _plain(one.value), f"{one.effect:+.3f}")
    inputs = _table("input", "value")
    for one in sorted(found.inputs, key=lambda one: one.name):
        inputs.add_row(one.name, _plain(one.value))
    return Group(table, reasons, inputs)


def _lines(title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, show_header=False, width=WIDTH)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _table(*names: str, whole: int = 1) -> Table:
    """Return an empty table; the first `whole` columns are never cut into lines."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, overflow="fold", no_wrap=place < whole)
    return table


def _inputs(top: Sequence[tuple[str, float]]) -> RenderableType:
    table = _table("largest inputs", "mean |SHAP|, log-odds")
    for name, value in top:
        table.add_row(name, f"{value:.4f}")
    return table if top else styled("No explanation yet: materialise `model_explanations`.")


def _input(part: Sequence[tuple[str, float]], place: int) -> str:
    return f"{part[place][0]} {part[place][1]:.4f}" if place < len(part) else ""


def _figure(found: Figure | None) -> str:
    if found is None:
        return NOT_JUDGED
    if found.value is None:
        return "not measurable"
    interval = "" if found.low is None else f" [{found.low:.4f}, {found.high:.4f}]"
    return f"{_number(found.value)}{interval}"


def _number(value: float | None) -> str:
    if value is None:
        return "not measurable"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
