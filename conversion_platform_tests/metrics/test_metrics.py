"""The daily numbers, counted by hand."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.experiments import uplift_interval
from conversion_platform.lake import Session
from conversion_platform.lake.lake import Lake
from conversion_platform.messaging.tables import OUTCOMES
from conversion_platform.metrics import (
    DAILY_METRICS,
    compute_metrics,
    daily_rows,
    metrics_plot,
    summary,
)
from conversion_platform.metrics.compute import metric_sql
from conversion_platform_tests.inference.marketplace import rows_query

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

DAY = date(2026, 3, 10)
ONE = DayRange.of(DAY)
AT = "2026-03-10 15:00:00+00"
Rows = list[dict[str, Any]]


def texted(**more: Any) -> dict[str, Any]:
    return {"arm": "treatment", "state": "delivered", "sent_at": AT, "delivered_at": AT, **more}


def held(**more: Any) -> dict[str, Any]:
    return {"arm": "holdout", **more}


def write_outcomes(session: Session, day: date, rows: Rows, matured: bool = True) -> None:
    full = [
        {
            "assignment_id": f"{day}|{number}",
            "user_id": f"u{number}",
            "job_id": "j",
            "cohort": "everyone",
            "matured": matured,
            **row,
        }
        for number, row in enumerate(rows)
    ]
    query = rows_query(OUTCOMES, full)
    session.lake.write(session.con, OUTCOMES, f"SELECT * EXCLUDE (dt) FROM ({query})", day)


MIXED = [
    texted(clicked_at=AT, converted_at=AT, converted_any_at=AT),
    texted(clicked_at=AT, converted_any_at=AT, opted_out_at=AT),
    texted(cohort="vip", converted_any_at=AT),
    texted(),
    {"arm": "treatment", "state": "failed", "sent_at": AT},
    {"arm": "treatment", "state": "suppressed", "converted_any_at": AT},
    {"arm": "treatment", "state": "expired"},
    {"arm": "treatment", "state": "suppressed", "cohort": "vip"},
    held(converted_any_at=AT, converted_at=AT, clicked_at=AT),
    held(),
    held(cohort="vip"),
]


def test_every_count_of_a_day_is_that_of_its_outcomes(session: Session) -> None:
    write_outcomes(session, DAY, MIXED)
    compute_metrics(session, ONE)
    (row,) = daily_rows(session, ONE)
    interval = uplift_interval(4, 8, 1, 3)
    assert interval is not None
    assert row == {
        "dt": DAY,
        "cohort": "all",
        "planned": 8,
        "holdout": 3,
        "suppressed": 2,
        "expired": 1,
        "sent": 5,
        "delivered": 4,
        "failed": 1,
        "clicked": 2,
        "converted": 1,
        "opted_out": 1,
        "converted_any": 4,
        "holdout_converted_any": 1,
        "sent_converted_any": 3,
        "conversion_rate": 0.5,
        "holdout_conversion_rate": pytest.approx(1 / 3),
        "uplift": pytest.approx(interval.estimate),
        "uplift_low": pytest.approx(interval.low),
        "uplift_high": pytest.approx(interval.high),
        "map_sent": pytest.approx(1 / 3),
        "precision_sent": pytest.approx(1 / 5),
        "matured": True,
    }


def test_cohorts_are_counted_apart(session: Session) -> None:
    write_outcomes(session, DAY, MIXED)
    compute_metrics(session, ONE)
    vip, everyone = (daily_rows(session, ONE, cohort)[0] for cohort in ("vip", "everyone"))
    assert (vip["planned"], vip["holdout"], vip["converted_any"], vip["map_sent"]) == (2, 1, 1, 0)
    assert (everyone["planned"], everyone["holdout"], everyone["map_sent"]) == (6, 2, 0.5)


def test_a_day_that_may_still_change_has_no_uplift_yet(session: Session) -> None:
    write_outcomes(session, DAY, [*MIXED, held(matured=False)])
    compute_metrics(session, ONE)
    (row,) = daily_rows(session, ONE)
    assert row["matured"] is False
    assert (row["uplift"], row["uplift_low"], row["uplift_high"]) == (None, None, None)
    assert row["conversion_rate"] == 0.5


def test_a_day_without_assignments_has_a_row_of_zeros(session: Session) -> None:
    write_outcomes(session, DAY, [])
    compute_metrics(session, ONE)
    (row,) = daily_rows(session, ONE)
    assert (row["planned"], row["holdout"], row["sent"], row["matured"]) == (0, 0, 0, True)
    assert (row["conversion_rate"], row["map_sent"], row["uplift"]) == (None, None, None)


def test_nobody_converted_gives_rates_of_zero_and_no_map(session: Session) -> None:
    write_outcomes(session, DAY, [texted(), held()])
    compute_metrics(session, ONE)
    (row,) = daily_rows(session, ONE)
    assert (row["conversion_rate"], row["uplift"], row["map_sent"]) == (0, 0, None)
    assert row["uplift_low"] < 0 < row["uplift_high"]


def test_a_run_refreshes_the_earlier_days_that_were_still_maturing(
    session: Session, settings: Settings
) -> None:
    back = settings.events.attribution_window_days + settings.events.late_days + 1
    first, too_old = DAY - timedelta(days=back), DAY - timedelta(days=back + 1)
    for day in (too_old, first, DAY):
        write_outcomes(session, day, [texted(), held()], matured=False)
        compute_metrics(session, DayRange.of(day))
    for day in (too_old, first):
        write_outcomes(session, day, [texted(converted_any_at=AT), held()])
    written = compute_metrics(session, ONE)
    assert [item.day for item in written] == [first, DAY]
    rows = daily_rows(session, DayRange(too_old, DAY))
    assert [row["matured"] for row in rows] == [False, True, False]
    assert [row["converted_any"] for row in rows] == [0, 1, 0]


def test_without_outcomes_the_metrics_are_not_ready(session: Session) -> None:
    with pytest.raises(NotReadyError, match="outcomes"):
        compute_metrics(session, ONE)


def test_the_same_outcomes_give_the_same_bytes(session: Session, lake: Lake) -> None:
    write_outcomes(session, DAY, MIXED)
    compute_metrics(session, ONE)
    key = lake.key(DAILY_METRICS, DAY)
    before = lake.storage.read(key)
    compute_metrics(session, ONE)
    assert lake.storage.read(key) == before


def test_a_period_counts_each_user_once_and_matured_days_only(session: Session) -> None:
    days = DayRange(DAY, DAY + timedelta(days=2))
    write_outcomes(session, DAY, [texted(converted_any_at=AT, converted_at=AT), held()])
    write_outcomes(session, DAY + timedelta(days=1), [texted(converted_any_at=AT), held()])
    late = [texted(), held(converted_any_at=AT)]
    write_outcomes(session, DAY + timedelta(days=2), late, matured=False)
    compute_metrics(session, days)
    total = summary(session, days)
    assert total.days == (DAY, DAY + timedelta(days=1))
    assert (total.totals["sent"], total.totals["converted_any"]) == (2, 2)
    assert (total.treated_users, total.holdout_users) == (1, 1)
    assert total.uplift == uplift_interval(1, 1, 0, 1)
    assert total.map_sent == 0.5


def test_a_user_whose_arm_changed_is_left_out_of_a_period(session: Session) -> None:
    days = DayRange(DAY, DAY + timedelta(days=1))
    write_outcomes(session, DAY, [texted(), held(), texted()])
    write_outcomes(session, DAY + timedelta(days=1), [held(), held(), texted()])
    compute_metrics(session, days)
    total = summary(session, days)
    assert (total.treated_users, total.holdout_users) == (1, 1)


def test_a_period_of_one_cohort_counts_only_its_users(session: Session) -> None:
    write_outcomes(session, DAY, MIXED)
    compute_metrics(session, ONE)
    vip = summary(session, ONE, "vip")
    assert (vip.treated_users, vip.holdout_users, vip.totals["planned"]) == (2, 1, 2)


def test_a_period_without_metrics_is_empty(session: Session) -> None:
    total = summary(session, ONE)
    assert (total.days, total.treated_users, total.uplift, total.map_sent) == ((), 0, None, None)
    assert total.totals["sent"] == 0


def test_the_plot_is_a_small_png_that_is_the_same_each_time(session: Session) -> None:
    days = DayRange(DAY, DAY + timedelta(days=20))
    for day in days:
        write_outcomes(session, day, MIXED * 3, matured=day < DAY + timedelta(days=17))
    compute_metrics(session, days)
    picture = metrics_plot(session, days)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 100_000
    assert metrics_plot(session, days) == picture


def test_a_plot_without_metrics_is_still_a_picture(session: Session) -> None:
    assert metrics_plot(session, ONE).startswith(b"\x89PNG")


BANNED = (
    r"\bGROUP BY ALL\b",
    r"\bEXCLUDE\b",
    r"\bREPLACE\b",
    r"\bMEDIAN\b",
    r"\bQUANTILE",
    r"\bASOF\b",
    r"\bQUALIFY\b",
    r"\bGENERATE_SERIES\b",
    r"\bFILTER\b",
    r"\bCOUNT_IF\b",
    r"::",
    r"\bARG_M(IN|AX)\b",
    r"\bFIRST\(",
    r"\bANY_VALUE\b",
    r"\bSELECT \*",
)


@pytest.mark.parametrize("name", ["daily", "period"])
def test_metric_sql_keeps_to_what_duckdb_and_athena_share(name: str) -> None:
    code = re.sub(r"--.*", "", metric_sql(name))
    found = [pattern for pattern in BANNED if re.search(pattern, code, re.IGNORECASE)]
    assert found == []


def test_every_column_of_the_daily_metrics_is_defined_in_the_docs() -> None:
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    text = page.read_text(encoding="utf-8")
    missing = [column.name for column in DAILY_METRICS.columns if f"`{column.name}`" not in text]
    assert missing == []
