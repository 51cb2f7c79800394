"""What the command line shows a person: the status screen and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conversion_platform.terminal import WIDTH, console, styled

if TYPE_CHECKING:
    from rich.table import Table

    from conversion_platform.errors import PlatformError
    from conversion_platform.status import Status

_WARNING = "warning"


def show_error(error: PlatformError) -> None:
    """One clear message on standard error: what and where, then what to do."""
    out = console(stderr=True)
    out.print(styled(("Error:", "bold red"), f" {error.problem}"), soft_wrap=True)
    out.print(styled(("What to do:", "bold"), f" {error.remedy}"), soft_wrap=True)


def show_warning(warning: PlatformError) -> None:
    """Show a warning on standard output, as a part of the screen."""
    out = console()
    out.print(styled(("Warning:", "bold yellow"), f" {warning.problem}"), soft_wrap=True)
    out.print(f"  {warning.remedy}", soft_wrap=True)


def file_error(error: OSError) -> PlatformError | None:
    """Return an error of the operating system about a file in our words; None if it is about none.

    Tables and databases have their own, more precise messages; this is for all other files.
    """
    from conversion_platform.errors import DiskFullError, PlatformError
    from conversion_platform.lake import DISK_FULL

    if error.errno in DISK_FULL:
        where = f" ({error.filename})" if error.filename else ""
        return DiskFullError(
            f"The disk that this command writes to is full{where}.",
            "Free space there, or name a folder on another disk, then run the same command again.",
        )
    if not error.filename:
        return None
    return PlatformError(
        f"{error.filename} cannot be used: {error.strerror}.",
        "Name a place that is there or can be made, and that this user can write to.",
    )


def status_table(status: Status) -> Table:
    """Return the status as one screen."""
    from rich import box
    from rich.table import Table

    table = Table(title=f"{status.platform}", box=box.SIMPLE_HEAD, show_header=False, width=WIDTH)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _status_lines(status):
        shown = styled((label, "yellow")) if label == _WARNING else label
        table.add_row(shown, value)
    return table


def _status_lines(status: Status) -> Iterator[tuple[str, str]]:
    yield "lake", status.lake
    yield "last day run", status.last_day_run or "none yet"
    yield "newest event of the source", status.newest_event or "none yet"
    yield "champion", _champion(status)
    if status.map_source:
        yield f"MAP@{status.map_k}, {status.map_source}", _maps(status)
        yield "gain over human", status.gain_over_human.shown()
    elif status.champion:
        yield f"MAP@{status.map_k}", "this version was not judged yet"
    if status.gap_closed.value is not None:
        yield "gap human to oracle closed", status.gap_closed.shown(percent=True)
    for stage, tables in status.rows.items():
        yield f"rows, {stage}", _listed(tables)
    yield "event log", _listed(status.log_events)
    yield "messages by state", _listed(status.messages) or "none yet"
    if status.suppressed:
        yield "messages suppressed", _listed(status.suppressed)
    yield "drift", _drift_line(status)
    yield "next scheduled run", status.next_run or "schedules are off (schedule.enabled)"
    for warning in status.warnings:
        yield _WARNING, warning


def _champion(status: Status) -> str:
    if status.champion is None:
        return "none yet"
    return f"{status.champion} (since {status.champion_since})"


def _maps(status: Status) -> str:
    parts = {
        "model": status.map_model,
        "human": status.map_human,
        "popularity": status.map_popularity,
        "oracle": status.map_oracle,
    }
    return ", ".join(
        f"{name} {found.value:.3f}" for name, found in parts.items() if found.value is not None
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _drift_line(status: Status) -> str:
    if status.drift_day is None:
        return "not watched yet"
    if status.drift_share is None:
        return f"{status.drift_day}: nothing to compare"
    verdict = "above the limit" if status.drifted else "within the limit"
    return f"{status.drift_day}: {status.drift_share:.0%} of the columns drifted, {verdict}"
