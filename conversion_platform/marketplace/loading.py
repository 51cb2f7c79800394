"""Loads the three sources into the lake: all users and jobs, and events by range of days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.lake import Lake, Part, Session, Table, Written
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.attribute_casts import AttributeKind
from conversion_platform.marketplace.checking import Loaded, summary, unread_cells
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.entities import Entities, check_entities
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.events import (
    NO_DAY,
    CheckedEvents,
    checked_events,
    rewritten_days,
)
from conversion_platform.marketplace.history.tables import history_of
from conversion_platform.marketplace.mixed_units import mixed_units
from conversion_platform.marketplace.placement import parts_of, personal_sources
from conversion_platform.marketplace.proposals import proposals
from conversion_platform.marketplace.replay import extend_replay
from conversion_platform.marketplace.source_steps import count_rows
from conversion_platform.marketplace.sources import reader, workspace
from conversion_platform.marketplace.tables import (
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
)
from conversion_platform.marketplace.wholeness import require_whole


def load_users(
    session: Session,
    known: Mapping[str, AttributeKind] | None = None,
    today: date | None = None,
    captured: Lake | None = None,
) -> Loaded:
    """Check the users source, and replace `users` with its personal tables, and the rejects.

    A user without created_at keeps the one captured first; who is new gets the time of the first
    event in the events source, else platform.start_date.

    Args:
        session: Settings, lake and connection.
        known: Kinds of the attributes that a model knows: each keeps its kind, and a cell that does
            not fit is missing.
        today: A row that holds only from a later day than this one is a version, and does not count
            yet; None if rows of any day count.
        captured: The lake with the snapshots that most users still have to be of; the session's if
            None.

    Raises:
        SourceError: the source cannot be read, or has no usable row; or more users are gone than
            `sources.users.max_gone_share`. Nothing was replaced.
    """
    return _load(session, contracts.USERS, known or {}, today, captured or session.lake)


def load_jobs(
    session: Session,
    known: Mapping[str, AttributeKind] | None = None,
    today: date | None = None,
    captured: Lake | None = None,
) -> Loaded:
    """Check the jobs source, and replace `jobs` with its personal table, and the rejects.

    A job without opened_at gets it like a user.

    Args:
        session: Settings, lake and connection.
        known: As in `load_users`.
        today: As in `load_users`.
        captured: As in `load_users`.

    Raises:
        SourceError: as `load_users`.
    """
    return _load(session, contracts.JOBS, known or {}, today, captured or session.lake)


def _load(
    session: Session,
    contract: Contract,
    known: Mapping[str, AttributeKind],
    today: date | None,
    captured: Lake,
) -> Loaded:
    with workspace(session.lake) as folder, reader(session) as reading:
        checked = check_entities(reading, contract, folder, known, today)
        source = checked.source
        require_whole(checked, captured)
        con, pipeline = reading.con, source.pipeline
        rejected = pipeline.named("rejected")
        parts = [
            *rejected_parts(contract.rejected, contract.values, rejected),
            *parts_of(contract, checked.placement, pipeline.named("final")),
        ]
        with source_errors(contract.setting, source.relation.place):
            reasons, examples = summary(con, contract, rejected)
            read = _all_rows(checked, sum(reasons.values()))
            written = [session.lake.write(con, part.table, part.query) for part in parts]
            _write_versions(session, contract, checked)
            cells = (*unread_cells(con, contract, pipeline.named("flagged")), *checked.misfits)
            not_read = {cell.column for cell in cells if cell.reason == "not_a_number"}
            units = mixed_units(source, not_read)
            proposed = proposals(source)
    return Loaded(
        written=written,
        read_rows=read,
        accepted_rows=written[-1].rows,
        rejects=reasons,
        examples=examples,
        unread=cells,
        steps=tuple(pipeline.steps),
        proposals=proposed,
        past_rows=checked.others.past,
        held_rows=checked.others.later + checked.others.gone,
        varying=checked.varying,
        notes=(*_notes_of(contract, checked), *units),
    )


def _all_rows(checked: Entities, rejected: int) -> int:
    """Return the number of rows of a source, each of which was accepted or rejected.

    Raises:
        SourceError: rows came or went while it was read.
    """
    source = checked.source
    shown = checked.counted.ids - checked.counted.later - checked.counted.gone
    found = shown + checked.others.all + rejected
    read = count_rows(source)
    if read != found:
        raise SourceError(
            f"{source.contract.setting}: {source.relation.place} has {read:,} rows, but "
            f"{found:,} were accepted or rejected: it has changed while it was read.",
            "Run again when its export is complete; nothing was replaced.",
        )
    return read


def _notes_of(contract: Contract, checked: Entities) -> tuple[str, ...]:
    gone = tuple(
        f"{contract.setting}.attributes lists {name}, which the source has no more: it is missing."
        for name in checked.placement.gone
    )
    held = (_later(contract, checked), _away(contract, checked), checked.undecided_later)
    personal = personal_sources(checked.source.session.settings, contract)
    return (*gone, *personal, *filter(None, held))


def _later(contract: Contract, checked: Entities) -> str | None:
    """Return how many rows hold only from a later day, and of how many ids these are all."""
    ids, rows = checked.counted.later, checked.others.later
    if not rows:
        return None
    absent = f" Of {ids:,} {contract.name} these are all: they are not in {contract.name} before."
    return (
        f"Rows of {contract.name} held back, as they hold only from a later day (`valid_from`): "
        f"{rows:,}.{absent if ids else ''}"
    )


def _away(contract: Contract, checked: Entities) -> str | None:
    """Return how many ids the newest export has no more, and how many rows that holds back."""
    found = checked.counted
    if not found.gone:
        return None
    return (
        f"{found.gone:,} {contract.name} of earlier `dt=` folders are not in the newest one "
        f"({found.newest}): the source shows them no more (rows held back: "
        f"{checked.others.gone:,}). If a folder holds the rows that changed alone, set "
        f'{contract.setting}.folders = "changes".'
    )


def _write_versions(session: Session, contract: Contract, checked: Entities) -> None:
    """Replace what the source itself tells of the past; most sources tell nothing."""
    pipeline, table = checked.source.pipeline, history_of(contract.table).versions
    query = f"FROM {pipeline.named('versions')}" if checked.tells_versions else table.empty_select()
    session.lake.write(pipeline.con, table, query)


def rejected_parts(
    rejected: Table, values: Table, rows: str, day: date | None = None
) -> list[Part]:
    """Return what is written of rejected rows: what they are, and apart from it what they say.

    Args:
        rejected: The table that anyone may read.
        values: The personal table of their values.
        rows: A relation with the columns of both.
        day: The partition of both, if they are daily.
    """
    return [
        Part(table, f"SELECT {', '.join(one.name for one in table.columns)} FROM {rows}", day)
        for table in (values, rejected)
    ]


def load_events(session: Session, days: DayRange) -> Loaded:
    """Check the events of a run's days and replace those partitions.

    The days before the range for which events may still arrive (`rewritten_days`) are replaced too,
    and so are the rejected rows without a day.
    A day without events gets an empty partition, and a note.

    Raises:
        NotReadyError: users or jobs have not been loaded.
        SourceError: the source cannot be read, or has no row.
    """
    with checked_events(session, days) as checked:
        window = list(rewritten_days(session.settings, days))
        rejected, values = contracts.EVENTS.rejected, contracts.EVENTS.values
        parts = [
            *(
                Part(contracts.EVENTS.table, checked.accepted(day), day, ordered=True)
                for day in window
            ),
            *(
                part
                for day in window
                for part in rejected_parts(rejected, values, checked.rejected(day), day)
            ),
            *rejected_parts(
                REJECTED_EVENTS_UNDATED, REJECTED_EVENTS_UNDATED_VALUES, checked.rejected(NO_DAY)
            ),
        ]
        written = session.lake.write_parts(checked.con, parts)
        found = loaded_events(checked)
    if session.settings.platform.clock == "replay":
        extend_replay(session.lake, max(days.last, checked.last_day or days.last))
    good = written[: len(window)]
    undated = sum(one.rows for one in written if one.table == REJECTED_EVENTS_UNDATED.name)
    return replace(found, written=written, notes=_notes(days, good, checked), undated_rows=undated)


def loaded_events(checked: CheckedEvents) -> Loaded:
    """Return what checking the events found; nothing of it is written."""
    con, pipeline = checked.con, checked.source.pipeline
    reasons, examples = summary(con, contracts.EVENTS, checked.rejected())
    row = con.execute(f"SELECT count(*) FROM {pipeline.named('accepted')}").fetchone()
    accepted = int(row[0]) if row else 0
    return Loaded(
        written=[],
        read_rows=accepted + sum(reasons.values()),
        accepted_rows=accepted,
        rejects=reasons,
        examples=examples,
        source_rows=checked.read_rows,
        unread=unread_cells(con, contracts.EVENTS, pipeline.named("flagged")),
        steps=tuple(pipeline.steps),
        proposals=proposals(checked.source),
    )


def newest_event(session: Session, until: date | None = None) -> datetime | None:
    """Return when the newest accepted event occurred (UTC), up to a day if given; None if none."""
    days = session.lake.days(contracts.EVENTS.table)
    for day in reversed([day for day in days if until is None or day <= until]):
        rows = session.lake.select(contracts.EVENTS.table, DayRange.of(day))
        found = session.con.sql(f"SELECT max(occurred_at) FROM {rows}").fetchall()[0][0]
        if found is not None:
            return datetime.fromtimestamp(found.timestamp(), UTC)
    return None


def _notes(days: DayRange, good: list[Written], checked: CheckedEvents) -> tuple[str, ...]:
    empty = [item.day for item in good if item.rows == 0 and item.day in days]
    if not empty:
        return ()
    listed = ", ".join(str(day) for day in empty[:5]) + (" ..." if len(empty) > 5 else "")
    known = ""
    if checked.first_day:
        known = f" The source has events of {checked.first_day} to {checked.last_day}."
    return (f"No accepted event on {listed}.{known}",)
