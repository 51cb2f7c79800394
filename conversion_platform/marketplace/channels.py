"""Tells the events that our own messages caused from all others, which are called organic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.lake import listed

if TYPE_CHECKING:
    from conversion_platform.settings import Settings


def by_text(settings: Settings, channel: str = "channel") -> str:
    """Return SQL of whether an event came through one of our messages; never NULL.

    Args:
        settings: Which channels are those of our messages (`events.text_channels`).
        channel: The column of the event's channel. Where it is NULL the event is organic.
    """
    return f"coalesce({channel} IN ({listed(settings.events.text_channels)}), false)"
