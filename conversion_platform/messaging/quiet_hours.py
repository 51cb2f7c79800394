"""Whether a message may arrive at a moment in every candidate place, and if not, from when on.

Local wall clocks jump: an opening time may not exist on a day, or come twice. The rules speak of
what the clock on the wall shows, so that is what is looked at, and the search goes through real
instants.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from conversion_platform.messaging.places import Place
from conversion_platform.messaging.rules import rules

HORIZON_DAYS = 8
MINUTE = timedelta(minutes=1)


def forbidding_rule(places: tuple[Place, ...], moment: datetime) -> str | None:
    """Return the id of the first rule that forbids a message at `moment`, or None."""
    for place in places:
        rule_id = _forbids(place, moment)
        if rule_id is not None:
            return rule_id
    return None


def _forbids(place: Place, moment: datetime) -> str | None:
    local = moment.astimezone(ZoneInfo(place.zone))
    rule = rules().hours_on(place.rules_of, local.date())
    if rule is None:
        return None
    opening, closing = rule.windows[local.weekday()]
    return None if opening <= local.time() < closing else rule.rule_id


@lru_cache(maxsize=50_000)
def next_allowed(places: tuple[Place, ...], moment: datetime) -> datetime | None:
    """Return the first instant after `moment` at which every place allows a message.

    Returns:
        The instant in UTC, or None if there is none within eight days (places whose hours
        never meet).
    """
    openings = sorted({at for place in places for at in _openings(place, moment)})
    for instant in openings:
        if instant > moment and forbidding_rule(places, instant) is None:
            return instant
    return None


def _openings(place: Place, moment: datetime) -> Iterator[datetime]:
    """Instants at which `place` may turn from forbidding to allowing: all places' first allowed
    instant is among them, because until then at least one of them forbids.
    """
    today = moment.astimezone(ZoneInfo(place.zone)).date()
    for day in (today + timedelta(days=n) for n in range(HORIZON_DAYS)):
        rule = rules().hours_on(place.rules_of, day)
        opening = rule.windows[day.weekday()][0] if rule else time.min
        yield from instants_of(day, opening, place.zone)


def instants_of(day: date, clock: time, zone: str) -> tuple[datetime, ...]:
    """Return the UTC instants at which the wall clock shows `clock` on `day`.

    There is one, or two where it is put back over that time; where it is put forward over it, it
    is the instant of the jump.
    """
    local = datetime.combine(day, clock, ZoneInfo(zone))
    both = sorted({local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)})
    real = [at for at in both if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == _wall(local)]
    return tuple(real) or (_jump(both[0], both[-1], ZoneInfo(zone)),)


def _wall(local: datetime) -> datetime:
    return local.replace(tzinfo=None, fold=0)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the minute, between two instants, at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
