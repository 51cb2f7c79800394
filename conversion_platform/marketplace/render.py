"""Renders the report of `check-sources` on one screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from conversion_platform.days import counted
from conversion_platform.marketplace.attribute_proposals import told, warnings
from conversion_platform.marketplace.checking import Example
from conversion_platform.marketplace.report import SourceReport
from conversion_platform.terminal import WIDTH, console_to, in_one_line, styled

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_NAMES = 12  # width of the column of names, and what parts it from the next
# What has to stay in one line to be pasted: a key with its value, or the first one of a list.
_SETTING = re.compile(r'\S+ = \[?"[^"]*"|"[^"]*"')
_JOINED = "\x1f"  # a blank at which no line ends; no shown text has it
_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def render(report: SourceReport, width: int = WIDTH, color: bool = False) -> str:
    """Render the report.

    Args:
        report: The report of `check_sources`.
        width: Width of the screen.
        color: Whether to write terminal colours.
    """
    out = StringIO()
    console = console_to(out, width, color)
    for part in (_sources(report), _rejects(report), _unread(report)):
        if part is not None:
            console.print(part)
    _facts(console, report, width)
    return out.getvalue()


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        number = column.strip().endswith(("rows", "read", "accepted", "back", "rejected", "share"))
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _sources(report: SourceReport) -> RenderableType:
    past = any(source.past_rows for source in report.sources)
    held = any(source.held_rows for source in report.sources)
    others = [*(["earlier rows"] if past else []), *(["held back"] if held else [])]
    table = _table("Source", "read", "accepted", *others, "rejected", "share", "")
    for source in report.sources:
        share = source.rejected_rows / source.read_rows if source.read_rows else 0.0
        table.add_row(
            source.name,
            f"{source.read_rows:,}",
            f"{source.accepted_rows:,}",
            *([f"{source.past_rows:,}"] if past else []),
            *([f"{source.held_rows:,}"] if held else []),
            f"{source.rejected_rows:,}",
            f"{share:.2%}",
            styled((source.verdict, _COLORS[source.verdict])),
        )
    return table


def _rejects(report: SourceReport) -> RenderableType | None:
    table = _table("Source", "Row rejected because", "rows", "Example")
    for source in report.sources:
        for reason, count in source.rejects.items():
            example = source.examples.get(reason)
            table.add_row(source.name, reason, f"{count:,}", _example(example))
    return table if table.row_count else None


def _unread(report: SourceReport) -> RenderableType | None:
    table = _table("Source", "Cell missing because", "rows", "Example")
    for source in report.sources:
        for cell in source.unread:
            table.add_row(source.name, cell.reason, f"{cell.rows:,}", _example(cell.example))
    return table if table.row_count else None


def _example(example: Example | None) -> str:
    return in_one_line(example.told()) if example else ""


def _facts(console: Console, report: SourceReport, width: int) -> None:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, texts in _told_facts(report).items():
        for place, text in enumerate(texts):
            told = in_one_line(text)
            shown = _to_paste(told, width - _NAMES) if name == "Settings" else told
            grid.add_row("" if place else name, shown)
    console.print()
    console.print(grid)


def _to_paste(text: str, width: int) -> str:
    """Return a proposal in lines, none of which ends between a key and its value, or in a value."""
    joined = _SETTING.sub(lambda found: found[0].replace(" ", _JOINED), text)
    lines = textwrap.wrap(joined, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_JOINED, " ")


def _told_facts(report: SourceReport) -> dict[str, Sequence[str]]:
    texting = (
        f"{report.phone_share:.1%} of users have a valid phone number, "
        f"{report.consent_share:.1%} a valid one and consent"
    )
    return {
        "Days": [_days(report)],
        "Events": [_listed(report.event_types)],
        "Conversion": [_conversion(report)],
        "Texting": [texting],
        "Attributes": told(report.attributes) or ("none",),
        "Warning": warnings(report.attributes),
        "Missing": report.missing,
        "Settings": report.proposals,
    }


def _days(report: SourceReport) -> str:
    if report.first_day is None or report.last_day is None:
        return "no accepted event"
    covered = (report.last_day - report.first_day).days + 1
    gaps = f", {report.empty_days:,} of them without an event" if report.empty_days else ""
    return f"{report.first_day} to {report.last_day}: {counted(covered)}{gaps}"


def _listed(types: object, most: int = 8) -> str:
    assert isinstance(types, dict)
    shown = [f"{name} {count:,}" for name, count in list(types.items())[:most]]
    more = f", {len(types) - most} more types" if len(types) > most else ""
    return (", ".join(shown) + more) or "none"


def _conversion(report: SourceReport) -> str:
    if report.conversion_rate is None:
        return f"{report.conversions:,} conversions, no impressions"
    return (
        f"{report.conversion_rate:.2%}: {report.converted:,} of {report.impressions:,} impressions "
        "(user, job and day) are followed by a conversion"
    )
