"""What the terminal's screens share: how wide they are, and that a text is never markup.

Names of columns, event types and files come from elsewhere: `[red]`, `[/x]` or `:smile:` in them
are letters, and a control character is shown by its code. What has a style is a `Text`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 100
# C0 and C1 without the line end, what turns the direction of writing, and line separators.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def console(stderr: bool = False) -> Console:
    """Return a console; where the output is no terminal it is as wide as our screens."""
    made = _plain_console()(stderr=stderr)
    return made if made.is_terminal else _plain_console()(stderr=stderr, width=WIDTH)


def console_to(file: IO[str], width: int, color: bool) -> Console:
    """Return a console that writes to a file.

    Args:
        file: The file.
        width: Its width in characters.
        color: Whether to write terminal colours.
    """
    return _plain_console()(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
    )


@cache
def _plain_console() -> type[Console]:
    """Return the class of consoles on which a text means itself, in tables and titles too."""
    from rich.console import Console

    class PlainConsole(Console):
        def __init__(self, **options: Any) -> None:
            super().__init__(markup=False, emoji=False, highlight=False, **options)

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(visible(text), **options)

    return PlainConsole


def visible(text: str) -> str:
    """Return a text with its control characters, except line ends, as the codes that they have."""
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


def in_one_line(text: str) -> str:
    """Return a text of a source in one line: its line ends, too, are shown by their code."""
    return visible(text).replace("\n", "\\n")


def styled(*parts: str | tuple[str, str]) -> Text:
    """Return one text of several.

    Args:
        parts: Texts, those with a style as (text, style).
    """
    from rich.text import Text

    shown = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((visible(text), style) for text, style in shown))
