"""Joins every assignment with its message and with what the person did within the window."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.experiments import TREATMENT
from conversion_platform.lake import Session, instant, listed, rendered
from conversion_platform.marketplace import EVENTS, rewritten_days
from conversion_platform.messaging.snapshot import ledger_rows, messages_of
from conversion_platform.messaging.tables import OUTCOMES, SENT_MESSAGES

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Written
    from conversion_platform.messaging.ledger import Ledger
    from conversion_platform.settings import Settings


def outcome_days(settings: Settings, days: DayRange) -> DayRange:
    """Return the days whose outcomes may still change in a run for `days`.

    Their attribution window reaches into the days for which the run may have got new events.
    """
    return rewritten_days(settings, days).widened(before=settings.events.attribution_window_days)


def as_of_day(lake: Lake, days: DayRange) -> date:
    """Return the as-of day of a run for `days`: its last day, or the latest that was run.

    A day that is run again must not forget what later runs have seen of it.
    """
    return max([days.last, *lake.days(OUTCOMES)[-1:]])


def measure_outcomes(
    session: Session, ledger: Ledger, days: DayRange, as_of: date
) -> list[Written]:
    """Write the outcomes of every assigned day in `days`; days without assignments are left out.

    A message that was sent has an outcome even if its day was assigned anew without it.

    The window begins when the message was sent; for the holdout, and for a message that was never
    sent, when it was to be sent, so that the arms can be compared as they were drawn.

    Args:
        session: Settings, lake and DuckDB connection.
        ledger: What became of the messages.
        days: Days of the assignments (`outcome_days` gives those that may still change).
        as_of: The day on which we look (`as_of_day`): only events that happened and were
            recorded before it began count, and a window that was not over by then is not matured.
    """
    assigned = [day for day in session.lake.days(JOB_OF_THE_DAY) if day in days]
    written: list[Written] = []
    for day in assigned:
        written += _measure_day(session, ledger, day, as_of)
    return written


def _measure_day(session: Session, ledger: Ledger, day: date, as_of: date) -> list[Written]:
    one = DayRange.of(day)
    # Two days of slack: a window opens on the recipient's clock, and ends after its last day.
    seen = one.widened(before=1, after=session.settings.events.attribution_window_days + 2)
    session.lake.view(session.con, JOB_OF_THE_DAY, one, "outcome_assignments")
    session.lake.view(session.con, EVENTS, seen, "outcome_events")
    with ledger_rows(session.con, SENT_MESSAGES, messages_of(ledger, one)) as messages:
        session.con.execute(f"CREATE OR REPLACE TEMP VIEW outcome_messages AS {messages}")
        return session.lake.write_days(
            session.con, OUTCOMES, _query(session.settings, day, as_of), one
        )


def _query(settings: Settings, day: date, as_of: date) -> str:
    return rendered(
        __package__,
        "outcomes",
        day=day,
        treatment=TREATMENT,
        window=settings.events.attribution_window_days,
        click_types=listed(settings.events.click_types),
        conversion_types=listed(settings.events.conversion_types),
        as_of=instant(as_of, settings.platform.time_zone),
    )
