"""Checks events: those of a range of days, by the day that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, identifier, instant, local_day, quoted
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.history.reading import (
    ever_known,
    known_spans,
    require_history,
)
from conversion_platform.marketplace.history.tables import history_of
from conversion_platform.marketplace.mapping import map_columns
from conversion_platform.marketplace.masking import masked
from conversion_platform.marketplace.relation import folder_day
from conversion_platform.marketplace.source_steps import (
    Source,
    begin,
    contract_columns,
    count_rows,
    problems,
    resolve,
    stage,
)
from conversion_platform.marketplace.sources import open_source, reader, workspace
from conversion_platform.marketplace.tables import JOBS, USERS
from conversion_platform.marketplace.values import FIRST_TIME, LAST_TIME

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

EVENTS = contracts.EVENTS
NO_DAY = date.min  # the partition of rows without a day
_USUAL = 3650  # days after the first one, whose times are placed fastest


@dataclass(frozen=True)
class CheckedEvents:
    """Checked events, as steps on a connection.

    Attributes:
        source: The source with all of its steps.
        read_rows: Rows and broken lines that were read, of any day.
        first_day: First local day of what was read; known only if nothing was staged, or with
            the replay clock.
        last_day: Its last day, or that of its newest folder.
    """

    source: Source
    read_rows: int
    first_day: date | None = None
    last_day: date | None = None

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection on which the steps are."""
        return self.source.pipeline.con

    def accepted(self, day: date | None = None) -> str:
        """Return SQL of the rows of `events` on a day, in order (if None, all days, with `dt`).

        Numbers are sorted faster than texts: users by their place among all, and events of one
        user at one time by the hash of their ids.
        """
        names = ", ".join(column.name for column in EVENTS.table.columns)
        accepted = self.source.pipeline.named("accepted")
        if day is None:
            return f"(SELECT {names}, dt FROM {accepted})"
        order = "_cp_place, occurred_at, hash(event_id)"
        return f"(SELECT {names} FROM {accepted}{_on(day)} ORDER BY {order})"

    def rejected(self, day: date | None = None) -> str:
        """Return SQL of the rows of `rejected_events` on a day (if None, all days, with `dt`)."""
        columns = "* EXCLUDE (dt)" if day else "*"
        return f"(SELECT {columns} FROM {self.source.pipeline.named('rejected')}{_on(day)})"


def _on(day: date | None) -> str:
    return f" WHERE dt = DATE '{day.isoformat()}'" if day else ""


def rewritten_days(settings: Settings, days: DayRange) -> DayRange:
    """Return the days whose events a run for `days` writes again.

    A run takes place in the morning: the next run reads the events that are recorded later on its
    last day. An event recorded on the last of its `events.late_days` is thus read one day later.
    """
    return days.widened(before=settings.events.late_days + 1)


def _folders(settings: Settings, days: DayRange | None) -> DayRange | None:
    """Return the days of the `dt=` folders that can hold events of a run's days.

    A source may name its folders by the day of the event or by the day on which it was recorded.
    """
    if days is None:
        return None
    return rewritten_days(settings, days).widened(before=1, after=settings.events.late_days)


@contextmanager
def checked_events(session: Session, days: DayRange | None) -> Iterator[CheckedEvents]:
    """Check the events of a range of days (of all days if None).

    `days` are those of the run: all days that it rewrites (`rewritten_days`) are checked.

    Raises:
        NotReadyError: users or jobs have not been loaded.
        SourceError: the source cannot be read, or has no row.
    """
    require_history(session.lake)
    with workspace(session.lake) as folder, reader(session) as reading:
        section = session.settings.sources.events
        relation = open_source(reading, EVENTS, folder, _folders(session.settings, days))
        matched = map_columns(EVENTS, section, relation)
        source = begin(reading, EVENTS, section, relation, matched, named_types(session.settings))
        _know(source)
        _check(source, session.settings, days)
        with source_errors(EVENTS.setting, relation.place):
            read = count_rows(source)
            ends = _ends(source)
        yield CheckedEvents(source, read, *ends)


def named_types(settings: Settings) -> tuple[str, ...]:
    """Return the event types that the settings name: these may be bare numbers."""
    types = settings.events
    return (*types.impression_types, *types.click_types, *types.conversion_types)


def shown_types(settings: Settings, con: duckdb.DuckDBPyConnection, events: str) -> dict[str, int]:
    """Return how many events are of each type, the most frequent first, as may be shown.

    A type that the settings do not name may be a cell that moved by a column.

    Args:
        settings: They name types.
        con: The connection.
        events: A relation with the column `event_type`.
    """
    named = named_types(settings)
    counts: Counter[str] = Counter()
    rows = con.execute(f"SELECT event_type, count(*) FROM {events} GROUP BY 1 ORDER BY 1")
    for name, count in rows.fetchall():
        counts[name if name in named else str(masked(EVENTS, "event_type", name))] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _check(source: Source, settings: Settings, days: DayRange | None) -> None:
    """Add the steps from `checked` on."""
    rules = [*_unknown(), *_known_late(source, settings, days)]
    source.pipeline.file(
        "checked",
        "The reason that rejects an event, its user's place among all, and the day it belongs to: "
        "that of its time, else its folder's, else the day it was recorded.",
        template="event_checked",
        no_day=NO_DAY,
        late_days=settings.events.late_days,
        problems=", ".join(problems(source, rules)),
        day=_local_day("_cp_v_occurred_at", settings, days),
        recorded=_local_day("_cp_v_recorded_at", settings, days),
        # A day has 23 hours at the least.
        surely_in_time=(settings.events.late_days * 24 - 1) * 3_600_000_000,
    )
    recorded = "coalesce(_cp_recorded_at, _cp_occurred_at)"
    stage(
        source,
        [*contract_columns(EVENTS, {"recorded_at": recorded}), "_cp_dt AS dt", "_cp_place"],
        _of_run("_cp_dt", settings, days),
        _within(source, settings, days),
    )
    broken_day = f"coalesce({folder_day('_cp_source')}, DATE '{NO_DAY}')"
    order = ["recorded_at", "occurred_at"]
    resolve(source, order, "dt", broken_day, _of_run("dt", settings, days))


def _know(source: Source) -> None:
    """Add the steps with the ids of all users and jobs that were ever captured."""
    place = "CAST(row_number() OVER (ORDER BY user_id) AS UINTEGER) AS _cp_place"
    for table, columns in ((USERS, f"user_id AS _cp_user, {place}"), (JOBS, "job_id AS _cp_job")):
        known = ever_known(source.session.lake, history_of(table).table)
        source.pipeline.table(
            table.name,
            f"All {table.name} that were ever captured.",
            f"SELECT {columns}, known_from, known_at_times FROM {known}",
            printed=f"SELECT {columns} FROM steps.{table.name}_accepted",
        )


def _unknown() -> list[str]:
    jobs = "(SELECT _cp_job FROM steps.events_jobs)"
    return [
        "CASE WHEN _cp_place IS NULL THEN 'unknown_user|user_id' END",
        f"CASE WHEN _cp_v_job_id NOT IN {jobs} THEN 'unknown_job|job_id' END",
    ]


def _known_late(source: Source, settings: Settings, days: DayRange | None) -> Iterator[str]:
    """Add steps with the users and jobs that a run on time did not know, and yield their rules.

    A day is last written on time by the run that is `rewritten_days` later. Had it more events when
    it runs again, it would not be the day that models were trained on.
    """
    if days is None:
        return
    in_time = days.first - rewritten_days(settings, days).first
    for table, known in ((USERS, "_cp_user"), (JOBS, "_cp_job")):
        step, key = f"late_{table.name}", table.key[0]
        late = f"known_at_times OR known_from > DATE '{days.first}'"
        ids = f"(SELECT {known} FROM {source.pipeline.named(table.name)} WHERE {late})"
        spans = known_spans(source.session.lake, history_of(table).table, ids)
        span = f"{{'from_day': _cp_known_from - {in_time.days}, 'to_day': _cp_known_until}}"
        source.pipeline.table(
            step,
            f"The {table.name} that are not known to all events, and the days that know them.",
            f"SELECT {key} AS {known}, list({span}) AS _cp_spans FROM {spans} GROUP BY ALL",
        )
        named = source.pipeline.named(step)
        if source.pipeline.con.execute(f"SELECT 1 FROM {named} LIMIT 1").fetchone():
            known_on = f"(SELECT _cp_spans FROM {named} WHERE {known} = _cp_v_{key})"
            within = "lambda span: _cp_day >= span.from_day AND _cp_day < span.to_day"
            yield (
                f"CASE WHEN NOT list_bool_or(list_transform({known_on}, {within})) "
                f"THEN 'unknown_{key[:-3]}|{key}' END"
            )


def _local_day(time: str, settings: Settings, days: DayRange | None) -> str:
    """Return SQL for the calendar day of a time; NULL outside of the allowed times."""
    start = settings.platform.start_date
    usual = rewritten_days(settings, days) if days else DayRange(start, start + _USUAL * ONE_DAY)
    usable = f"{time} >= {FIRST_TIME} AND {time} < {LAST_TIME}"
    return f"CASE WHEN {usable} THEN {local_day(time, settings.platform.time_zone, usual)} END"


def _of_run(day: str, settings: Settings, days: DayRange | None) -> str:
    """Return a SQL condition: a run for `days` writes the rows of this day."""
    if days is None:
        return "true"
    window = rewritten_days(settings, days)
    return (
        f"({day} BETWEEN DATE '{window.first}' AND DATE '{window.last}' OR {day} = DATE '{NO_DAY}')"
    )


def _within(source: Source, settings: Settings, days: DayRange | None) -> str:
    """Return a SQL condition that holds for every accepted event of the days that a run writes.

    It may hold for others too. A text that begins with year, month and day is compared as it is:
    that is cheaper than to read it, and no zone is two days off. A run from the first day on needs
    nearly all events: to pass the others over takes longer than it saves.
    """
    if days is None or days.first <= settings.platform.start_date:
        return "true"
    window, zone = rewritten_days(settings, days), settings.platform.time_zone
    cell = source.cell("occurred_at")
    if cell.is_text and all(map(_is_no_other_date, source.section.date_formats)):
        first, end = window.first - 2 * ONE_DAY, window.last + 3 * ONE_DAY
        text = identifier(cell.column or "")
        return f"({text} BETWEEN '{first}' AND '{end}' OR NOT {text} LIKE '____-__-__%')"
    first_time, end_time = instant(window.first, zone), instant(window.last + ONE_DAY, zone)
    return f"{cell.value} >= {first_time} AND {cell.value} < {end_time}"


def _is_no_other_date(form: str) -> bool:
    """Return whether no text of a format looks like year-month-day and is another day."""
    return form.startswith("%Y-%m-%d") or "-" not in form


def _ends(source: Source) -> tuple[date | None, date | None]:
    """Return the first and last day of what was read, if no event of the range was staged.

    With the replay clock they are always wanted: its partitions end with them (`replay.py`).

    Raises:
        SourceError: the source has no row.
    """
    con, relation, settings = source.pipeline.con, source.relation, source.session.settings
    staged = con.execute(
        f"SELECT 1 FROM {source.pipeline.named('staged')} WHERE dt <> DATE '{NO_DAY}' LIMIT 1"
    ).fetchone()
    if staged and settings.platform.clock != "replay":
        return None, None
    zone = quoted(settings.platform.time_zone)
    day = f"CAST(timezone({zone}, _cp_v_occurred_at) AS DATE)"
    row = con.execute(
        f"SELECT count(*), min({day}), max({day}) FROM {source.pipeline.named('values')}"
    ).fetchone()
    assert row is not None
    if row[0] == 0 and not relation.broken:
        raise SourceError(
            f"{EVENTS.setting}: {relation.place} has no row: no events exist.",
            f"Export the table again, or correct {EVENTS.setting}.",
        )
    ends = [day for day in (row[2], relation.last_folder) if day]
    return row[1], max(ends, default=None)
