"""Evaluates the champion by campaign, against the order by earlier redemptions.

The mailed households of a campaign are ranked; a good ranking has those who redeemed on top. Only
campaigns that were not used to fit or tune the model count, and only those that were over when the
run read the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.errors import TrainingError
from conversion_platform.examples.ranking import (
    Compared,
    Lists,
    area_under_curve,
    by_list,
    compared,
)
from conversion_platform.lake import Session, quoted, rendered

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class Campaign:
    """One campaign.

    Attributes:
        title: Type and number.
        day: The day of its mailing.
        mailed: Households mailed.
        redeemed: Households that redeemed.
        auc: AUC of model and baseline; None if no household, or every one, redeemed.
        precision: Average precision of model and baseline; None as for `auc`.
    """

    title: str
    day: date
    mailed: int
    redeemed: int
    auc: tuple[float, float] | None
    precision: tuple[float, float] | None


@dataclass(frozen=True)
class MailingEvaluation:
    """The evaluation of the champion on campaigns that it was not trained on.

    Attributes:
        version: The champion.
        learned_until: Last day of the mailings used to fit or tune it.
        campaigns: Each campaign, oldest first.
        map: Mean over campaigns of the average precision.
        auc: Mean over campaigns of the AUC.
        auc_pooled: AUC over all mailings at once, model and baseline.
    """

    version: str
    learned_until: date
    campaigns: tuple[Campaign, ...]
    map: Compared
    auc: Compared
    auc_pooled: tuple[float, float]


def evaluate_mailings(session: Session) -> MailingEvaluation:
    """Score the mailings of later campaigns with the champion, as of the day of each.

    Raises:
        RegistryError: no champion exists.
        TrainingError: no campaign that the model was not trained on has ended.
    """
    from conversion_platform.training import load_card, require_champion

    version = require_champion(session.lake)
    learned_until = load_card(session.lake, version).splits["validation"].days.last
    scored = scored_mailings(session, version, learned_until)
    lists = _lists(scored)
    return MailingEvaluation(
        version,
        learned_until,
        _campaigns(scored, lists),
        compared(lists, "ap", session.settings.training.seed),
        compared(lists, "auc", session.settings.training.seed),
        (
            area_under_curve(lists.labels, lists.model),
            area_under_curve(lists.labels, lists.baseline),
        ),
    )


def scored_mailings(session: Session, version: str, after: date) -> pa.Table:
    """Return the mailings after a day, with `redeemed`, `redeemed_before` and the model's `score`.

    Raises:
        TrainingError: no such mailing exists.
    """
    import pyarrow as pa

    from conversion_platform.inference import score_pairs
    from conversion_platform.training import load_model

    model = load_model(session.lake, version, session.settings.platform.threads)
    con = session.con
    con.execute(f"CREATE OR REPLACE TEMP TABLE mailings AS {mailings_query(session, after)}")
    days = _days(con, after)
    batches = list(score_pairs(session, model, "mailings", days))
    con.register("scored", pa.Table.from_batches(batches))
    return con.sql("SELECT * FROM scored ORDER BY dt, job_id, user_id").to_arrow_table()


def mailings_query(session: Session, after: date) -> str:
    """Return SQL for the mailings after a day, of campaigns that have ended in the lake's events.

    Columns: user_id, job_id, dt, title, redeemed, redeemed_before (number of coupons).
    """
    from conversion_platform.marketplace import EVENTS, JOBS

    zone = session.settings.platform.time_zone
    seen_until = day_start(session.lake.days(EVENTS)[-1] + ONE_DAY, zone).isoformat()
    return rendered(
        __package__,
        "mailings",
        events=session.lake.select(EVENTS),
        jobs=session.lake.select(JOBS),
        zone=quoted(zone),
        after=f"DATE {quoted(after.isoformat())}",
        seen_until=f"TIMESTAMPTZ {quoted(seen_until)}",
    )


def _days(con: duckdb.DuckDBPyConnection, after: date) -> DayRange:
    row = con.execute("SELECT min(dt), max(dt) FROM mailings WHERE redeemed").fetchone()
    if row is None or row[0] is None:
        raise TrainingError(
            f"No campaign mailed after {after} has ended and was redeemed.",
            "Train on fewer days (training.test_days), or run later days.",
        )
    first, last = con.execute("SELECT min(dt), max(dt) FROM mailings").fetchall()[0]
    return DayRange(first, last)


def _lists(scored: pa.Table) -> Lists:
    names = ("job_id", "user_id", "redeemed", "score", "redeemed_before")
    return Lists(*(scored[name].to_numpy(zero_copy_only=False) for name in names))


def _campaigns(scored: pa.Table, lists: Lists) -> tuple[Campaign, ...]:
    """Return the campaigns in the order of their mailings."""
    auc, precision = by_list(lists, "auc"), by_list(lists, "ap")
    rows = scored.group_by(["job_id", "title", "dt"], use_threads=False).aggregate(
        [("redeemed", "count"), ("redeemed", "sum")]
    )
    return tuple(
        Campaign(
            row["title"],
            row["dt"],
            row["redeemed_count"],
            row["redeemed_sum"],
            auc.get(row["job_id"]),
            precision.get(row["job_id"]),
        )
        for row in rows.to_pylist()
    )
