"""A text on a screen means itself: no markup, no emoji, no control of the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table

import conversion_platform
from conversion_platform.cli.render import show_error, show_warning
from conversion_platform.errors import SettingsError
from conversion_platform.runs.bars import JobBars
from conversion_platform.terminal import console, console_to, in_one_line, styled

PARTS = st.sampled_from(
    [
        *"[]/\\:#@a b",
        "[red]",
        "[/]",
        "[/x]",
        "[bold",
        ":smile:",
        "\\[",
        "\x1b[31m",
        "\x07",
        "\u202e",
    ]
)
TEXTS = st.one_of(st.lists(PARTS, max_size=9).map("".join), st.text(max_size=20))
ODD = (
    "Applied [/x]",
    "Applied [web]",
    ":smile:",
    "a\\",
    "a\\\\",
    "\x1b]0;title\x07",
    "[",
    "a\x00b",
)


def _in_table(text: str) -> RenderableType:
    table = Table("x", title=text)
    table.add_row(text)
    return table


SCREENS: dict[str, Callable[[str], RenderableType]] = {
    "text": lambda text: text,
    "table": _in_table,
    "styled": lambda text: styled((text, "bold"), text),
    "panel": lambda text: Panel(Group(text), title=styled(text)),
}


def _printed(shown: RenderableType) -> str:
    out = StringIO()
    console_to(out, 400, color=False).print(shown)
    return out.getvalue()


def _letters(text: str) -> str:
    """A text without what a screen adds or takes: blanks and lines."""
    return re.sub(r"[\s\u2500-\u257f]+", "", text)


@pytest.mark.parametrize("screen", SCREENS)
@given(text=TEXTS)
@example(text=ODD[0])
@example(text=ODD[1])
@example(text=ODD[2])
@example(text=ODD[4])
@example(text=ODD[5])
def test_every_text_is_shown_as_it_is(screen: str, text: str) -> None:
    shown = in_one_line(text)
    printed = _printed(SCREENS[screen](shown))
    assert _letters(shown) in _letters(printed)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", printed)


@given(text=TEXTS)
def test_a_text_that_is_printed_without_being_prepared_controls_no_terminal(text: str) -> None:
    for screen in SCREENS.values():
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", _printed(screen(text)))


@pytest.mark.parametrize("text", ODD)
def test_errors_and_warnings_show_every_text(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    show_error(SettingsError(text, f"{text} again"))
    show_warning(SettingsError(text, text))
    JobBars().warn([text])
    console().print(text)
    out, err = capfd.readouterr()
    assert err.count(in_one_line(text)) == 2
    assert out.count(in_one_line(text)) == 4


def test_every_screen_is_printed_by_our_console() -> None:
    root = Path(conversion_platform.__file__).parent
    made = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if re.search(r"\bConsole\(|\[bold|\[/\]|rich\.markup|from_markup", file.read_text("utf-8"))
    }
    assert made == set()
    assert isinstance(console(), Console)
