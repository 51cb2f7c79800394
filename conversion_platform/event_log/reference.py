"""The event types as the Markdown of docs/event_log.md."""

from __future__ import annotations

from conversion_platform.event_log.types import COMMON, EVENT_TYPES, EventType
from conversion_platform.lake import Column


def types_reference() -> str:
    """Every event type with its columns, as it stands in docs/event_log.md."""
    common = f"### Columns of every type\n\n{_table(COMMON)}"
    return "\n".join([common, *map(_type, EVENT_TYPES)])


def _type(kind: EventType) -> str:
    same = ", ".join(f"`{name}`" for name in kind.identity)
    return (
        f"### `{kind.name}`\n\n{kind.description} View `{kind.view}`; `dt` is {kind.day}. "
        f"The same event if equal in {same}.\n\n{_table(kind.own_columns)}"
    )


def _table(columns: tuple[Column, ...]) -> str:
    rows = "\n".join(f"| `{one.name}` | {one.type} | {one.description} |" for one in columns)
    return f"| Column | Type | Meaning |\n|---|---|---|\n{rows}\n"
