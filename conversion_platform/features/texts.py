"""Counts the messages that each user received, from what messaging left in the lake.

Messaging stands to the right of features and depends on them: Dagster would refuse the dependency
as a cycle, so it is not declared. It is none between days: features of day D read the messages of
days before D.

Messages of the replay clock do not count unless the settings say so. A range of days is one run
that builds all features before it plans a message: they would differ from those of day by day.
With the wall clock no message of an earlier day of a range is sent any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features.builtin import TEXT_DAYS
from conversion_platform.features.templates import rendered
from conversion_platform.lake import Column, Table, local_day

if TYPE_CHECKING:
    from conversion_platform.lake import Session

DELIVERY_DAYS = 3
"""Days after its campaign day within which a message's delivery is looked for."""

SENT = Table(
    "sent_messages",
    "What features read of the messages.",
    (
        Column("message_id", "VARCHAR", "The message."),
        Column("user_id", "VARCHAR", "Its recipient."),
        Column("job_id", "VARCHAR", "The job that it is about."),
        Column("delivered_at", "TIMESTAMPTZ", "When the provider reported it as delivered."),
    ),
    key=("message_id",),
)


def message_days(days: DayRange) -> DayRange:
    """Return the campaign days whose messages features of `days` may count."""
    earliest = DayRange.before(days.first, TEXT_DAYS + DELIVERY_DAYS)
    return DayRange(earliest.first, days.last - ONE_DAY)


def attach_texts(session: Session, days: DayRange) -> None:
    """Create `feature_texts`: what each user received before each day of `feature_days`.

    A lake without `sent_messages`, or without some of its days, counts none there.
    """
    delivered = delivered_messages(session, message_days(days))
    session.con.execute(rendered("texts", {"delivered": delivered, "days": TEXT_DAYS}))


def delivered_messages(session: Session, days: DayRange) -> str:
    """Return SQL (a parenthesised query) of the messages of `days` that were delivered.

    Columns: user_id, job_id, day (DATE), the local day of the delivery.

    Args:
        session: Settings and lake.
        days: Campaign days.
    """
    settings = session.settings
    counted = settings.platform.clock == "wall" or settings.features.replayed_texts
    sent = session.lake.select(SENT, days) if counted else f"({SENT.empty_select()})"
    day = local_day("delivered_at", settings.platform.time_zone, days)
    return f"(SELECT user_id, job_id, {day} AS day FROM {sent} WHERE delivered_at IS NOT NULL)"
