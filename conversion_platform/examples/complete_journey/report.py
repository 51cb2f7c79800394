"""The report of the example: campaign by campaign, model against who redeemed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.days import counted
from conversion_platform.terminal import WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType
    from rich.table import Table

    from conversion_platform.days import DayRange
    from conversion_platform.examples.complete_journey.judging import Campaign, Judgement
    from conversion_platform.examples.ranking import Compared
    from conversion_platform.lake import Lake
    from conversion_platform.training import Estimate

NUMBERS = ("mailed", "redeemed", "AP\nmodel", "AP\nbefore", "AUC\nmodel", "AUC\nbefore")


def report(
    lake: Lake, judged: Judgement, folder: Path, days: DayRange, seconds: float
) -> RenderableType:
    """The report as one rich renderable."""
    from rich.console import Group
    from rich.panel import Panel

    title = (
        f"Complete Journey: history, training and {counted(len(days))} ({days}) in {seconds:.0f} s"
    )
    parts = (_learned(lake, judged), _table(judged), _gains(judged), _texts(lake, days))
    return Panel(Group(*parts, _look(folder)), title=title, width=WIDTH)


def _learned(lake: Lake, judged: Judgement) -> str:
    from conversion_platform.training import load_card

    splits = load_card(lake, judged.version).splits
    learned = ", ".join(
        f"{splits[name].rows:,} mailings ({splits[name].positives:,} redeemed) {what}"
        for name, what in (("train", "fit it"), ("validation", "stop and calibrate it"))
    )
    return (
        f"[bold]Champion[/] {judged.version}: {learned}.\n"
        f"[bold]Judged[/] on the campaigns after {judged.learned_until} that are over: does the "
        "order of the\nmailed households put those on top who then redeem? `before` is the order "
        "by how many\ncoupons a household had redeemed before the mailing."
    )


def _table(judged: Judgement) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("campaign")
    table.add_column("mailed on")
    for name in NUMBERS:
        table.add_column(name, justify="right")
    for campaign in judged.campaigns:
        table.add_row(*_row(campaign))
    table.add_section()
    table.add_row("mean (MAP, AUC)", "", *_totals(judged.campaigns), *_means(judged))
    pooled = [f"{value:.3f}" for value in judged.auc_pooled]
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


def _means(judged: Judgement) -> list[str]:
    found = (judged.map.model, judged.map.baseline, judged.auc.model, judged.auc.baseline)
    return [f"{estimate.value:.3f}" for estimate in found]


def _gains(judged: Judgement) -> str:
    return (
        f"  gain in MAP {_gain(judged.map)}, in mean AUC {_gain(judged.auc)}\n"
        "  (95 % intervals, households drawn anew). Who was mailed was not drawn by lot: nothing\n"
        "  here says what a mailing causes.\n"
    )


def _gain(found: Compared) -> str:
    gain: Estimate = found.gain
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _texts(lake: Lake, days: DayRange) -> str:
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
    return (
        f"[bold]The days[/] {days}: {predictions[0]:,} predictions over {predictions[1]} open "
        f"campaigns kept.\n  Texts: {texts or 'none'}. No household of this data has a phone.\n"
    )


def _look(folder: Path) -> str:
    command = f"conversion-platform --config {folder}/conversion_platform.toml"
    return (
        "[bold]Where to look[/]\n"
        f"  {command} status\n"
        f"  {command} check-sources\n"
        "  docs/complete-journey.md   what is mapped to what, and what this cannot tell"
    )
