"""Which settings the definitions are loaded for: those of the caller, else those in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from conversion_platform.settings import Settings, load_settings

_BOUND: ContextVar[Settings | None] = ContextVar("settings", default=None)


@contextmanager
def bound_to(settings: Settings) -> Iterator[None]:
    """Load definitions for given settings within the block."""
    token = _BOUND.set(settings)
    try:
        yield
    finally:
        _BOUND.reset(token)


def settings_in_force() -> Settings:
    """Return the settings that definitions are loaded for."""
    return _BOUND.get() or load_settings()
