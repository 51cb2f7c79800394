"""The report of the example: each campaign, model against the order by earlier redemptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.days import counted
from conversion_platform.terminal import WIDTH, styled

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType
    from rich.table import Table

    from conversion_platform.days import DayRange
    from conversion_platform.examples.complete_journey.evaluation import Campaign, MailingEvaluation
    from conversion_platform.examples.ranking import Compared
    from conversion_platform.lake import Lake
    from conversion_platform.training import Estimate

NUMBERS = ("mailed", "redeemed", "AP\nmodel", "AP\nbefore", "AUC\nmodel", "AUC\nbefore")


def report(
    lake: Lake, evaluation: MailingEvaluation, folder: Path, days: DayRange, seconds: float
) -> RenderableType:
    """Return the report as one rich renderable."""
    from rich.console import Group
    from rich.panel import Panel

    title = (
        f"Complete Journey: history, training and {counted(len(days))} ({days}) in {seconds:.0f} s"
    )
    parts = (_learned(lake, evaluation), _table(evaluation), _gains(evaluation), _texts(lake, days))
    return Panel(Group(*parts, _look(folder)), title=styled(title), width=WIDTH)


def _learned(lake: Lake, evaluation: MailingEvaluation) -> RenderableType:
    from conversion_platform.training import load_card

    splits = load_card(lake, evaluation.version).splits
    learned = ", ".join(
        f"{splits[name].rows:,} mailings ({splits[name].positives:,} redeemed) {what}"
        for name, what in (("train", "fit it"), ("validation", "stop and calibrate it"))
    )
    return styled(
        ("Champion", "bold"),
        f" {evaluation.version}: {learned}.\n",
        ("Evaluated", "bold"),
        f" on the campaigns after {evaluation.learned_until} that are over: does "
        "the ranking of\nthe mailed households have those on top who then redeem? `before` ranks "
        "by the number\nof coupons that a household had redeemed before the mailing.",
    )


def _table(evaluation: MailingEvaluation) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("campaign")
    table.add_column("mailed on")
    for name in NUMBERS:
        table.add_column(name, justify="right")
    for campaign in evaluation.campaigns:
        table.add_row(*_row(campaign))
    table.add_section()
    table.add_row("mean (MAP, AUC)", "", *_totals(evaluation.campaigns), *_means(evaluation))
    pooled = [f"{value:.3f}" for value in evaluation.auc_pooled]
    table.add_row("all mailings at once", "", "", "", "", "", *pooled)
    return table


def _row(campaign: Campaign) -> list[str]:
    figures = [*_pair(campaign.precision), *_pair(campaign.auc)]
    counts = [f"{campaign.mailed:,}", f"{campaign.redeemed:,}"]
    return [campaign.title, campaign.day.isoformat(), *counts, *figures]


def _pair(values: tuple[float, float] | None) -> list[str]:
    return ["-", "-"] if values is None else [f"{value:.3f}" for value in values]


def _totals(campaigns: tuple[Campaign, ...]) -> list[str]:
    mailed = sum(campaign.mailed for campaign in campaigns)
    return [f"{mailed:,}", f"{sum(campaign.redeemed for campaign in campaigns):,}"]


def _means(evaluation: MailingEvaluation) -> list[str]:
    found = (
        evaluation.map.model,
        evaluation.map.baseline,
        evaluation.auc.model,
        evaluation.auc.baseline,
    )
    return [f"{estimate.value:.3f}" for estimate in found]


def _gains(evaluation: MailingEvaluation) -> str:
    return (
        f"  gain in MAP {_gain(evaluation.map)}, in mean AUC {_gain(evaluation.auc)}\n"
        "  (95 % intervals, bootstrap over households). Households were not mailed at random:\n"
        "  these figures do not measure the effect of a mailing.\n"
    )


def _gain(found: Compared) -> str:
    gain: Estimate = found.gain
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _texts(lake: Lake, days: DayRange) -> RenderableType:
    from conversion_platform.inference import DAILY_PREDICTIONS
    from conversion_platform.messaging import SENT_MESSAGES

    with lake.connect() as con:
        predictions = con.sql(
            f"SELECT count(*), count(DISTINCT job_id) FROM {lake.select(DAILY_PREDICTIONS, days)}"
        ).fetchall()[0]
        states = con.sql(
            f"""SELECT count(*), state, reason FROM {lake.select(SENT_MESSAGES, days)}
            GROUP BY ALL ORDER BY ALL DESC"""
        ).fetchall()
    texts = ", ".join(f"{count:,} {state} ({reason})" for count, state, reason in states)
    return styled(
        ("The days", "bold"),
        f" {days}: {predictions[0]:,} predictions over {predictions[1]} open "
        f"campaigns.\n  Messages: {texts or 'none'}. No household of this data has a phone.\n",
    )


def _look(folder: Path) -> RenderableType:
    command = f"conversion-platform --config {folder}/conversion_platform.toml"
    return styled(
        ("Where to look", "bold"),
        "\n"
        f"  {command} status\n"
        f"  {command} check-sources\n"
        "  docs/complete-journey.md   the mapping, the results and their limits",
    )
