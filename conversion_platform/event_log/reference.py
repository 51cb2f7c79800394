"""Renders the event types as Markdown for docs/event_log.md."""

from __future__ import annotations

from conversion_platform.event_log.types import COMMON, EVENT_TYPES, EventType


def types_reference() -> str:
    """Return a table of every event type with its columns, for docs/event_log.md.

    Columns that identify an event are bold; `conversion-platform sql ".schema log_TYPE"`
    prints what each column means.
    """
    common = ", ".join(f"`{column.name}`" for column in COMMON)
    rows = "\n".join(map(_row, EVENT_TYPES))
    return (
        f"Every type has {common}.\n\n"
        f"| type | written when | `dt` | columns |\n|---|---|---|---|\n{rows}\n"
    )


def _row(kind: EventType) -> str:
    declared = [column.name for column in kind.own_columns]
    names = [*(name for name in kind.identity if name not in declared), *declared]
    shown = (f"**`{name}`**" if name in kind.identity else f"`{name}`" for name in names)
    return f"| `{kind.name}` | {kind.description} | {kind.day} | {', '.join(shown)} |"
