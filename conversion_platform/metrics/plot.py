"""A plot of a period: messages by state, and the uplift."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from conversion_platform.lake import Session
from conversion_platform.metrics.compute import daily_rows

if TYPE_CHECKING:
    from datetime import date

    from matplotlib.axes import Axes

    from conversion_platform.days import DayRange

_FUNNEL = (
    ("sent", "#b8c4d6"),
    ("delivered", "#7d93b8"),
    ("clicked", "#3f63a3"),
    ("converted", "#c8553d"),
)
_BLUE, _MUTED = "#3f63a3", "#6b7280"


def metrics_plot(session: Session, days: DayRange) -> bytes:
    """Draw the daily metrics over all cohorts as a PNG.

    The upper part has the messages sent, delivered, clicked and converted, the lower part the
    uplift of every matured day with its 95 % interval. The same metrics give the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = daily_rows(session, days)
    figure = Figure(figsize=(8.4, 5.2), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_funnel(above, rows)
    _draw_uplift(below, [row for row in rows if row["matured"] and row["uplift"] is not None])
    for axes in (above, below):
        _tidy(axes)
    _mark_days(below, [row["dt"] for row in rows])
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _draw_funnel(axes: Axes, rows: list[dict[str, Any]]) -> None:
    days = [row["dt"] for row in rows]
    for name, colour in _FUNNEL:
        axes.bar(days, [row[name] for row in rows], color=colour, width=0.8, label=name)
    axes.set_title("Messages a day", loc="left", fontsize=11, fontweight="bold")
    axes.set_ylim(bottom=0)
    if rows:
        axes.legend(frameon=False, fontsize=8, ncols=len(_FUNNEL), loc="upper left")


def _draw_uplift(axes: Axes, rows: list[dict[str, Any]]) -> None:
    title = "Uplift over the holdout, points of the share of users who convert on any job"
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    if not rows:
        axes.text(
            0.5, 0.5, "no matured day yet", ha="center", color=_MUTED, transform=axes.transAxes
        )
        return
    days = [row["dt"] for row in rows]
    estimate, low, high = (
        [100 * row[name] for row in rows] for name in ("uplift", "uplift_low", "uplift_high")
    )
    axes.axhline(0, color=_MUTED, linewidth=1)
    axes.fill_between(
        days, low, high, color=_BLUE, alpha=0.15, linewidth=0, label="95 % interval of the day"
    )
    axes.plot(days, estimate, color=_BLUE, marker="o", markersize=3.5, label="uplift")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")


def _tidy(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8, colors=_MUTED)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    low, high = axes.get_ylim()
    axes.set_ylim(low, low + (high - low) * 1.2)  # space for the legend


def _mark_days(axes: Axes, days: list[date]) -> None:
    """Label at most ten dates, so that they do not overlap."""
    import numpy as np

    step = max(1, -(-len(days) // 10))
    shown = days[::step]
    labels = [day.strftime("%d %b") for day in shown]
    axes.set_xticks(np.array(shown, dtype="datetime64[D]"), labels)
