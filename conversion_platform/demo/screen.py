"""The demo's last screen: what happened, its effect, and where to look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conversion_platform.days import counted
from conversion_platform.lake import Session
from conversion_platform.terminal import WIDTH, styled

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from conversion_platform.days import DayRange
    from conversion_platform.status import Status

QUERY = "select state, count(*) from sent_messages group by all"


def last_screen(session: Session, folder: Path, days: DayRange, seconds: float) -> RenderableType:
    """Return the screen as one rich renderable."""
    from rich.console import Group
    from rich.panel import Panel

    from conversion_platform.status import TRUTH_KEY, collect

    status = collect(session, datetime.now(UTC))
    truth = session.lake.read_json(TRUTH_KEY)
    title = f"The platform ran {counted(len(days))} ({days}) in {seconds:.0f} s"
    parts = [_happened(status), _ranking(truth), _texts(session, days), _look(folder)]
    return Panel(Group(*parts), title=styled(title), width=WIDTH)


def _happened(status: Status) -> RenderableType:
    predictions = status.rows["inference"]["daily_predictions"]
    sent = sum(status.messages.get(state, 0) for state in ("sent", "delivered", "failed"))
    held = ", ".join(
        f"{count:,} {state}" for state, count in status.messages.items() if state != "delivered"
    )
    return styled(
        ("What happened", "bold"),
        "\n"
        f"  {status.rows['marketplace']['events']:,} events checked, "
        f"{status.rows['training']['training_examples']:,} examples, "
        f"champion {status.champion}\n"
        f"  {predictions:,} predictions kept, {sent:,} messages sent "
        f"({status.messages.get('delivered', 0):,} delivered; {held})\n"
        f"  {sum(status.log_events.values()):,} events in the append-only log\n",
    )


def _ranking(truth: dict[str, Any]) -> RenderableType:
    """Show the evaluation by the truth, with the versions that scored its days."""
    from rich import box
    from rich.console import Group
    from rich.table import Table

    from conversion_platform.demo.judging import weakest_words
    from conversion_platform.status import Interval

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("ranking by")
    table.add_column(f"MAP@{truth['k']}", justify="right")
    table.add_column("95 % interval", justify="right")
    rows = {
        "popularity": "map_popularity",
        "recruiter (human baseline)": "map_human",
        "the recruiter's rules, without noise": "map_formula",
        f"our champion {', '.join(truth['versions'])}": "map_model",
        "oracle (true probabilities)": "map_oracle",
    }
    for label, name in rows.items():
        found = Interval(**truth[name])
        table.add_row(label, f"{found.value:.3f}", f"{found.low:.3f} .. {found.high:.3f}")
    return Group(
        styled(
            ("How good the ranking is", "bold"),
            f", all {truth['users']:,} users, all open jobs of their metro, days that no training "
            f"used, outcomes drawn {truth['draws']} times",
        ),
        table,
        styled(
            f"  gain over the recruiters {Interval(**truth['gain_over_human']).shown()}\n"
            "  gap to the oracle closed ",
            (Interval(**truth["gap_closed"]).shown(percent=True), "bold"),
            " from the recruiters, "
            f"{Interval(**truth['gap_closed_from_formula']).shown(percent=True)} from their rules\n"
            f"  {weakest_words(truth['weakest_segment'])}\n",
        ),
    )


def _texts(session: Session, days: DayRange) -> RenderableType:
    from conversion_platform.metrics import summary

    found = summary(session, days)
    if found.uplift is None:
        return styled(("Effect of the messages", "bold"), "\n  no day has matured yet\n")
    return styled(
        ("Effect of the messages", "bold"),
        f", {counted(len(found.days), 'matured day')}\n"
        f"  {found.treated_users:,} users in the treatment arm, {found.holdout_users:,} held out; "
        f"{found.totals['clicked']:,} messages clicked, {found.totals['opted_out']:,} opt-outs\n"
        f"  conversion {_points(found.uplift)} against the holdout\n",
    )


def _points(uplift: Any) -> str:
    return (
        f"{100 * uplift.estimate:+.2f} percentage points "
        f"[{100 * uplift.low:+.2f}, {100 * uplift.high:+.2f}]"
    )


def _look(folder: Path) -> RenderableType:
    command = ".venv/bin/conversion-platform"
    return styled(
        ("Where to look", "bold"),
        "\n"
        "  make dev     the graph and these runs: http://localhost:3000\n"
        f"  export CONVERSION_PLATFORM_CONFIG={folder}/conversion_platform.toml\n"
        f"  {command} status\n"
        f"  {command} outbox\n"
        f'  {command} sql "{QUERY}"\n'
        f"  {folder}/lake/reports/drift/   one page a day",
    )
