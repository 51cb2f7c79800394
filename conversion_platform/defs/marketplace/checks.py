"""Whether the source still brings events.

What belongs here: the freshness of the source. What does not: the share of rejected rows, which
loading itself knows (assets.py).
"""

import dagster as dg

from conversion_platform.days import ONE_DAY, day_of
from conversion_platform.defs.checks import checked_days
from conversion_platform.defs.failures import failing_readably
from conversion_platform.defs.resources import Platform
from conversion_platform.marketplace import EVENTS, newest_event


@dg.asset_check(
    asset=EVENTS.name,
    description="The source has an event of the day before the run, or a later one.",
)
@failing_readably
def source_is_fresh(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> dg.AssetCheckResult:
    with platform.session(writes_lake=False) as session:
        day = checked_days(context, session.lake, EVENTS).last
        newest = newest_event(session, day)
    zone = session.settings.platform.time_zone
    passed = newest is not None and day_of(newest, zone) >= day - ONE_DAY
    told = f"{newest:%Y-%m-%d %H:%M} UTC" if newest else "none"
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else f"The newest event before the end of {day} is: {told}.",
        metadata={"newest_event": told},
    )
