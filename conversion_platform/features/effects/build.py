"""Brings the effects forward day by day, and writes those of the days asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features.effects.factors import (
    FACTORS,
    MOST_TEXTS,
    SLOPES,
    SLOTS,
    distance_band,
    distance_measure,
    pay_band,
    pay_measure,
)
from conversion_platform.features.effects.model import Effects, Levels, Responses
from conversion_platform.features.effects.tables import RESPONSE_EFFECTS
from conversion_platform.features.sources import event_days, require_sources
from conversion_platform.features.templates import (
    event_kinds,
    known_day_sql,
    partition_ends,
    rendered,
)
from conversion_platform.features.texts import delivered_messages, message_days
from conversion_platform.lake import Session, registered
from conversion_platform.marketplace import (
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    ever_known,
    versions,
)
from conversion_platform.process import with_progress

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from conversion_platform.lake import Written

STRETCH_DAYS = 28
TEXT_DAYS = 7
"""Days after a message's delivery in which a click through it is a response to it."""

CODES = 2**31
"""More than there are categories: a user and a category make one number."""

_CLICK, _CONVERSION = 2, 4


def build_effects(session: Session, days: DayRange) -> list[Written]:
    """Write `response_effects` of `days`.

    The effects of a day are those of the day before and the responses that became known on it. So
    the newest earlier day that the lake has is brought forward; without one, all events are gone
    through once. Either way gives the same effects, unless events changed meanwhile.

    Args:
        session: Settings, lake and DuckDB connection.
        days: Days to build.

    Returns:
        The partitions written. Where impressions are not logged they are empty: nothing tells
        what was shown without a response.

    Raises:
        NotReadyError: a source table, or a day of events, is missing.
    """
    require_sources(session, days)
    logged = session.settings.events.negatives == "impressions"
    _attach_codes(session)
    effects, known_to = _newest_before(session, days.first) if logged else (Effects({}), None)
    begins = known_to or (_first_day(session, days) if logged else days.first)
    written = []
    for day in with_progress(DayRange(begins, days.last)):
        if logged and begins < day:
            effects.advance(_responses_on(session, DayRange(begins, days.last), day - ONE_DAY))
        if day >= days.first:
            written.append(_write(session, effects, day))
    return written


def slot_effects(session: Session, day: date) -> tuple[float, ...]:
    """Return what each of the `SLOTS` slots adds to the log-odds of a response, as of `day`.

    Raises:
        NotReadyError: the effects of the day have not been built.
    """
    session.lake.require(RESPONSE_EFFECTS, [day])
    rows = session.con.execute(
        f"SELECT effect FROM {session.lake.select(RESPONSE_EFFECTS, DayRange.of(day))} "
        f"WHERE factor = 'slot' AND level::INTEGER < {SLOTS} ORDER BY level::INTEGER"
    ).fetchall()
    return tuple(round(float(effect), 6) for (effect,) in rows) or (0.0,) * SLOTS


def _attach_codes(session: Session) -> None:
    """Create the numbers of the levels for this session."""
    tables = {
        "users": ever_known(session.lake, USERS_HISTORY),
        "jobs": ever_known(session.lake, JOBS_HISTORY),
        "offers": versions(session.lake, JOBS_HISTORY),
    }
    session.con.execute(rendered("effect_codes", tables))


def _newest_before(session: Session, day: date) -> tuple[Effects, date | None]:
    """Return the effects of the newest day before `day`, and that day; None if there is none."""
    earlier = [one for one in session.lake.days(RESPONSE_EFFECTS) if one < day]
    effects = Effects.unknown()
    if not earlier:
        return effects, None
    stored = session.lake.select(RESPONSE_EFFECTS, DayRange.of(earlier[-1]))
    rows = session.con.sql(rendered("effect_state", {"effects": stored, "codes": CODES}))
    found = rows.fetchnumpy()
    for name in FACTORS:
        of_factor = found["factor"] == name
        if of_factor.any():
            effects.factors[name] = _levels(found, of_factor)
    return effects, earlier[-1]


def _levels(found: dict[str, Any], chosen: Any) -> Levels:
    import numpy as np

    return Levels(
        np.asarray(found["number"][chosen], np.int64),
        np.asarray(found["effect"][chosen], np.float32),
        np.asarray(found["information"][chosen], np.float32),
        float(found["prior"][chosen][0]),
    )


def _first_day(session: Session, days: DayRange) -> date:
    """Return the day of the first event, or the first of `days` if there is none before it."""
    present = session.lake.days(EVENTS)
    return min(present[0], days.first) if present else days.first


def _responses_on(session: Session, days: DayRange, day: date) -> Responses:
    """Return what became known on `day`; `STRETCH_DAYS` days are read at once.

    Args:
        session: Settings, lake and DuckDB connection.
        days: All the days that are gone through, to know where a stretch begins.
        day: One of them.
    """
    into = (day - days.first).days % STRETCH_DAYS
    if into == 0:
        last = min(days.last, day + (STRETCH_DAYS - 1) * ONE_DAY)
        _read(session, DayRange(day, last))
    query = f"SELECT * EXCLUDE (day) FROM effect_responses WHERE day = DATE '{day}'"
    found = session.con.sql(query).to_arrow_table()
    columns = {name: found[name].to_numpy() for name in found.column_names}
    measures = {name: columns[f"{name}_measure"] for name in SLOPES}
    return Responses(columns, measures, columns["shown"], columns["responded"])


def _read(session: Session, days: DayRange) -> None:
    """Create `effect_responses` with what became known on `days`."""
    settings = session.settings
    # An event lies under the day on which it occurred, and may have become known later.
    following = DayRange(days.first + ONE_DAY, days.last + ONE_DAY)
    partitions = event_days(settings, following, 1)
    variables = {
        "events": session.lake.select(EVENTS, partitions),
        "partitions": partition_ends(settings, partitions),
        "known_on": known_day_sql(settings),
        "kinds": event_kinds(settings),
        "response": _CLICK if settings.events.click_types else _CONVERSION,
        "first": days.first.isoformat(),
        "last": days.last.isoformat(),
        "wishes": rendered("wishes", {"users": versions(session.lake, USERS_HISTORY)}),
        "offers": rendered("offers", {"jobs": versions(session.lake, JOBS_HISTORY)}),
        "delivered": delivered_messages(session, message_days(following)),
        "text_days": TEXT_DAYS,
        "most_texts": MOST_TEXTS,
        "last_slot": SLOTS - 1,
        "text_slot": SLOTS,
        "distance_band": distance_band("distance"),
        "pay_band": pay_band("pay_ratio"),
        "distance_measure": distance_measure("distance"),
        "pay_measure": pay_measure("pay_ratio"),
        "codes": CODES,
    }
    query = rendered("effect_responses", variables)
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE effect_responses AS {query}")


def _write(session: Session, effects: Effects, day: date) -> Written:
    with registered(session.con, "effect_numbers", _numbers(effects)):
        query = rendered("effect_rows", {"codes": CODES})
        return session.lake.write(session.con, RESPONSE_EFFECTS, query, day)


def _numbers(effects: Effects) -> pa.Table:
    """Return the levels of all factors as one table."""
    import numpy as np
    import pyarrow as pa

    schema = pa.schema(
        [
            ("factor", pa.string()),
            ("key", pa.int64()),
            ("effect", pa.float32()),
            ("information", pa.float32()),
            ("prior", pa.float32()),
        ]
    )
    parts = [
        pa.table(
            [
                pa.repeat(name, len(levels.keys)),
                levels.keys,
                levels.effects,
                levels.information,
                np.full(len(levels.keys), levels.prior, np.float32),
            ],
            schema=schema,
        )
        for name, levels in effects.factors.items()
    ]
    return pa.concat_tables([schema.empty_table(), *parts])
