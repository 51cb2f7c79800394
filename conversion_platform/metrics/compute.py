"""Computes daily metrics from outcomes, and the totals of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.experiments import HOLDOUT, TREATMENT, Interval, uplift_interval
from conversion_platform.lake import Session, quoted, sql_file
from conversion_platform.messaging import OUTCOMES, outcome_days
from conversion_platform.metrics.tables import ALL_COHORTS, DAILY_METRICS

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Written

Row = dict[str, Any]
COUNTS = tuple(column.name for column in DAILY_METRICS.columns if column.type == "BIGINT")


@dataclass(frozen=True)
class Summary:
    """The totals of a period's matured days.

    Attributes:
        days: The matured days counted.
        totals: Sums of the daily counts (planned, sent, clicked, ...).
        treated_users: Users of the treatment arm, each counted once.
        holdout_users: Users of the holdout, each counted once.
        uplift: Difference in the share of users who converted, with its 95 % interval; None
            if an arm is empty.
        map_sent: MAP of the messages sent in the period; None if no user converted.
    """

    days: tuple[date, ...]
    totals: dict[str, int]
    treated_users: int
    holdout_users: int
    uplift: Interval | None
    map_sent: float | None


def metric_sql(name: str) -> str:
    """Return the text of one of the metric queries (`daily`, `period`)."""
    return sql_file(__package__, name)


def compute_metrics(session: Session, days: DayRange) -> list[Written]:
    """Write DAILY_METRICS for `days`, and again for the earlier days that have not matured.

    Raises:
        NotReadyError: the outcomes of one of the days are missing.
    """
    session.lake.require(OUTCOMES, days)
    refreshed = outcome_days(session.settings, days)
    present = [day for day in session.lake.days(OUTCOMES) if day in refreshed]
    session.lake.view(session.con, OUTCOMES, refreshed, "outcomes")
    rows = _with_uplift(_rows(session.con, metric_sql("daily")))
    counted = {(row["dt"], row["cohort"]) for row in rows}
    rows += [_empty_row(day) for day in present if (day, ALL_COHORTS) not in counted]
    _store_rows(session.con, rows)
    return [
        session.lake.write(
            session.con,
            DAILY_METRICS,
            f"SELECT * EXCLUDE (dt) FROM _metrics WHERE dt = DATE '{day.isoformat()}'",
            day,
        )
        for day in present
    ]


def daily_rows(session: Session, days: DayRange, cohort: str = ALL_COHORTS) -> list[Row]:
    """Return the daily metrics of one cohort, in the order of days; empty if there are none."""
    return _rows(
        session.con,
        f"SELECT * FROM {session.lake.select(DAILY_METRICS, days)} "
        f"WHERE cohort = {quoted(cohort)} ORDER BY dt",
    )


def summary(session: Session, days: DayRange, cohort: str = ALL_COHORTS) -> Summary:
    """Return the totals of the matured days of a period.

    The same users occur on several days, so daily rates cannot be added: the uplift compares
    users, each counted once, by whether they converted in the period.

    Args:
        session: Settings, lake and DuckDB connection.
        days: The period; days without metrics, and days that have not matured, are left out.
        cohort: One cohort, or all of them.
    """
    rows = [row for row in daily_rows(session, days, cohort) if row["matured"]]
    totals = {name: sum(row[name] for row in rows) for name in COUNTS}
    users = _users_by_arm(session, [row["dt"] for row in rows], cohort)
    treated, holdout = users.get(TREATMENT, (0, 0)), users.get(HOLDOUT, (0, 0))
    relevant = totals["sent_converted_any"]
    return Summary(
        tuple(row["dt"] for row in rows),
        totals,
        treated[0],
        holdout[0],
        uplift_interval(treated[1], treated[0], holdout[1], holdout[0]),
        totals["converted"] / relevant if relevant else None,
    )


def _users_by_arm(session: Session, matured: list[date], cohort: str) -> dict[str, tuple[int, int]]:
    """Return (users, converted users) of each arm over the matured days."""
    if not matured:
        return {}
    listed = ", ".join(f"DATE '{day.isoformat()}'" for day in matured)
    one = "" if cohort == ALL_COHORTS else f" AND cohort = {quoted(cohort)}"
    session.con.execute(
        f"CREATE OR REPLACE TEMP VIEW outcomes AS SELECT * "
        f"FROM {session.lake.select(OUTCOMES, DayRange.spanning(matured))} "
        f"WHERE dt IN ({listed}){one}"
    )
    rows = _rows(session.con, metric_sql("period"))
    return {row["arm"]: (int(row["users"]), int(row["converted"])) for row in rows}


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def _with_uplift(rows: list[Row]) -> list[Row]:
    return [row | _uplift(row) for row in rows]


def _uplift(row: Row) -> Row:
    """Add uplift and interval to the row of a day; None until the day has matured."""
    interval = None
    if row["matured"]:
        interval = uplift_interval(
            row["converted_any"], row["planned"], row["holdout_converted_any"], row["holdout"]
        )
    if interval is None:
        return dict.fromkeys(("uplift", "uplift_low", "uplift_high"))
    return {
        "uplift": interval.estimate,
        "uplift_low": interval.low,
        "uplift_high": interval.high,
    }


def _empty_row(day: date) -> Row:
    """Return the row of a day without assignments: zeros, and matured."""
    empty = dict.fromkeys(column.name for column in DAILY_METRICS.columns)
    return empty | dict.fromkeys(COUNTS, 0) | {"dt": day, "cohort": ALL_COHORTS, "matured": True}


def _store_rows(con: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    """Write the rows to a temporary table with the columns of DAILY_METRICS and dt."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE _metrics AS {DAILY_METRICS.empty_select()}")
    names = [column.name for column in DAILY_METRICS.columns] + ["dt"]
    marks = ", ".join("?" for _ in names)
    con.executemany(
        f"INSERT INTO _metrics VALUES ({marks})", [[row[name] for name in names] for row in rows]
    )
