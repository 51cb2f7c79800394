"""What a person should know of suppressed messages."""

from __future__ import annotations

from conversion_platform.days import DayRange
from conversion_platform.messaging.ledger import Ledger


def told_suppressions(ledger: Ledger, days: DayRange) -> str | None:
    """Return how many messages of campaign days were suppressed, by reason; None if none were.

    Args:
        ledger: The ledger.
        days: Campaign days.
    """
    reasons = ledger.suppressed(days.first, days.last)
    if not reasons:
        return None
    total = sum(ledger.counts(days.first, days.last).values())
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    return f"Of {total:,} messages of {days}, {sum(reasons.values()):,} are suppressed: {listed}."


def suppression_warning(ledger: Ledger, days: DayRange) -> str | None:
    """Return a warning where every message of campaign days was suppressed, else None.

    Args:
        ledger: The ledger.
        days: Campaign days.
    """
    reasons = ledger.suppressed(days.first, days.last)
    total = sum(ledger.counts(days.first, days.last).values())
    if not reasons or sum(reasons.values()) != total:
        return None
    reason, count = next(iter(reasons.items()))
    share = "all" if count == total else f"{count:,}"
    return (
        f"Every message of {days} is suppressed ({total:,}), {share} for one reason: {reason}. "
        "Correct the settings or the source; `run --replan` decides again about a day that is not "
        "over."
    )
