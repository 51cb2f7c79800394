"""Fills in when a user joined, or a job opened, where the source does not say it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Session, instant
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.events import named_types
from conversion_platform.marketplace.history.tables import history_of
from conversion_platform.marketplace.mapping import map_columns
from conversion_platform.marketplace.source_steps import Source, begin
from conversion_platform.marketplace.sources import open_source


def with_starts(source: Source, folder: Path) -> str:
    """Fill in the starts that the source does not say; return the step that has them.

    A start that a day was captured with stays: a source of events that forgets old ones would move
    it otherwise. Only for other ids the source of events is read.

    Args:
        source: The source, whose step `accepted` exists.
        folder: Folder for files that have to be copied.

    Raises:
        SourceError: the source of events cannot be read.
    """
    pipeline, contract = source.pipeline, source.contract
    lacking = f"FROM {pipeline.named('accepted')} WHERE {contract.start} IS NULL"
    if pipeline.con.execute(f"SELECT 1 {lacking} LIMIT 1").fetchone() is None:
        return "accepted"
    history = history_of(contract.table).table
    pipeline.file(
        "captured",
        "The first start with which a day was captured.",
        kept=True,
        key=contract.key,
        start=contract.start,
        history=source.session.lake.select(history),
    )
    known = f"SELECT _cp_id FROM {pipeline.named('captured')}"
    new = f"SELECT 1 {lacking} AND {contract.key} NOT IN ({known})"
    _firsts(source, folder, bool(pipeline.con.execute(f"{new} LIMIT 1").fetchone()))
    settings = source.session.settings
    pipeline.file(
        "started",
        f"A missing `{contract.start}` is the one captured first, else the first event, else the "
        "first day.",
        start=contract.start,
        until=contract.end,
        key=contract.key,
        opening=instant(settings.platform.start_date, settings.platform.time_zone),
    )
    return "started"


def _firsts(source: Source, folder: Path, are_new: bool) -> None:
    """Add the step `firsts`; it has no row if no id is new."""
    pipeline, contract = source.pipeline, source.contract
    why = "When the events source first tells of an id."
    if not are_new:
        nothing = "SELECT NULL::VARCHAR AS _cp_id, NULL::TIMESTAMPTZ AS _cp_first_at WHERE false"
        pipeline.table("firsts", why, nothing)
        return
    days = source.session.lake.days(history_of(contract.table).table)
    events = _events(source.session, folder, days[-1] if days else None)
    pipeline.steps += events.pipeline.steps
    usable = " AND ".join(
        f"{cell.reason} IS NULL" for cell in events.cells if events.is_required(cell.field)
    )
    pipeline.file("firsts", why, kept=True, key=contract.key, usable=usable)


def _events(session: Session, folder: Path, captured: date | None) -> Source:
    """Return the source of events with its first steps.

    Args:
        session: The session in whose schema `steps` they are created.
        folder: Folder for files that have to be copied.
        captured: The newest day that was captured: events long before it count for nobody who is
            new since, and their folders are not read.
    """
    events = contracts.EVENTS
    section = contracts.section_of(session.settings, events.name)
    days = None
    if captured:
        before = captured - (session.settings.events.late_days + 2) * ONE_DAY
        days = DayRange(before, date.max)
    relation = open_source(session, events, folder, days)
    matched = map_columns(events, section, relation)
    return begin(session, events, section, relation, matched, named_types(session.settings))
