"""How wide and how plain the terminal's screens are: one console, and text that is no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100


def console(stderr: bool = False) -> Console:
    """Return a console; where the output is no terminal it is as wide as our screens."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=WIDTH)


def plain(text: str) -> str:
    """Escape what rich would read as markup."""
    from rich.markup import escape

    return escape(text)
