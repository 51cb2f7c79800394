"""The event types as the Markdown of docs/event_log.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conversion_platform.event_log.types import COMMON, EVENT_TYPES, EventType
from conversion_platform.lake import Column


def types_reference() -> str:
    """Return every event type with its columns, as it stands in docs/event_log.md.

    A column that several types declare alike is described once.
    """
    uses = Counter(column for kind in EVENT_TYPES for column in kind.own_columns)
    shared = [column for column, count in uses.items() if count > 1]
    return "\n".join(
        [
            f"### Columns of every type\n\n{_table(COMMON)}",
            f"### Columns of several types\n\n{_table(shared)}",
            *(_type(kind, shared) for kind in EVENT_TYPES),
        ]
    )


def _type(kind: EventType, shared: list[Column]) -> str:
    own = [column for column in kind.own_columns if column not in shared]
    also = [column.name for column in kind.own_columns if column in shared]
    return (
        f"### `{kind.name}`\n\n{kind.description} `dt` is {kind.day}. "
        f"The same event if equal in {_code(kind.identity)}. Shared columns: {_code(also)}."
        f"\n\n{_table(own)}"
    )


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(columns: Iterable[Column]) -> str:
    rows = "\n".join(f"| `{one.name}` | {one.type} | {one.description} |" for one in columns)
    return f"| Column | Type | Meaning |\n|---|---|---|\n{rows}\n"
