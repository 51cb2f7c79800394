"""Sessions for tests that hold no connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from conversion_platform.lake import open_session
from conversion_platform.settings import Settings

Result = TypeVar("Result")


def in_session(
    settings: Settings, function: Callable[..., Result], *args: Any, **named: Any
) -> Result:
    """Call a function with a session on the settings' lake, which is closed afterwards."""
    with open_session(settings, reading=True) as session:
        return function(session, *args, **named)
