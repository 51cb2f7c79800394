"""Keeps apart what is personal in the tables of a lake of format 2, where `users` held everything.

Each file is replaced whole, personal tables first: stopped anywhere, it is simply done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from conversion_platform.days import DayRange
from conversion_platform.lake import Part, Session, Table
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace import tables
from conversion_platform.marketplace.attribute_kinds import infer_attributes
from conversion_platform.marketplace.columns import by_name
from conversion_platform.marketplace.contract import Contract, section_of
from conversion_platform.marketplace.loading import rejected_parts
from conversion_platform.marketplace.placement import parts_of, placement_in_lake

_ENTITIES = (contracts.USERS, contracts.JOBS)
_REJECTS = (
    (tables.REJECTED_USERS, tables.REJECTED_USERS_VALUES),
    (tables.REJECTED_JOBS, tables.REJECTED_JOBS_VALUES),
    (tables.REJECTED_EVENTS, tables.REJECTED_EVENTS_VALUES),
    (tables.REJECTED_EVENTS_UNDATED, tables.REJECTED_EVENTS_UNDATED_VALUES),
)


def keep_personal_apart(session: Session) -> Iterator[str]:
    """Split `users`, `jobs` and the rejected rows; yield what changes, a paragraph each.

    Raises:
        LakeError: a file is damaged, or the disk is full.
    """
    used = _used_attributes(session)
    for contract in _ENTITIES:
        if session.lake.exists(contract.table):
            _split(session, contract)
    for rejected, values in _REJECTS:
        for day in session.lake.days(rejected) if rejected.daily else [None]:
            if session.lake.exists(rejected, day):
                _split_rejected(session, rejected, values, day)
    if all(session.lake.exists(contract.table) for contract in _ENTITIES):
        infer_attributes(session)
    yield (
        "Phone numbers, places, consents, the values of rejected rows and every further column "
        "that `sources.*.attributes` does not list lie below `personal/` now, in files for their "
        "owner alone (docs/privacy.md); `sql` opens them with --personal."
    )
    yield from _no_longer_used(session, used)


def _split(session: Session, contract: Contract) -> None:
    """Write the parts of users or jobs that are missing, and the open table last."""
    rows, names = _rows(session, contract)
    known = {column.name for column in contract.columns}
    placement = placement_in_lake(
        session.settings, contract, [name for name in names if name not in known]
    )
    *apart, shown = parts_of(contract, placement, rows)
    for part in apart:
        if not session.lake.exists(part.table):
            session.lake.write(session.con, part.table, part.query)
    if set(names) - {*(column.name for column in contract.table.columns), *placement.listed}:
        session.lake.write(session.con, shown.table, shown.query)


def _rows(session: Session, contract: Contract) -> tuple[str, list[str]]:
    """Return SQL of the rows as they are, with every contract column, and their columns."""
    stored = session.lake.select(contract.table)
    names = _columns(session, stored)
    lacking = [table.empty_select() for table in contract.parts]
    return f"({' UNION ALL BY NAME '.join([f'SELECT * FROM {stored}', *lacking])})", names


def _columns(session: Session, rows: str) -> list[str]:
    found = session.con.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    return [name for name, *_ in found]


def _split_rejected(session: Session, rejected: Table, values: Table, day: date | None) -> None:
    days = DayRange.of(day) if day else None
    rows = session.lake.select(rejected, days)
    if "row_json" not in _columns(session, rows):
        return
    apart, shown = rejected_parts(rejected, values, rows, day)
    for part in (apart, shown):
        _write(session, part)


def _write(session: Session, part: Part) -> None:
    session.lake.write(session.con, part.table, part.query, part.day)


def _used_attributes(session: Session) -> dict[str, list[str]]:
    """Return the columns of each table that were features until now."""
    rows = session.con.execute(
        f"SELECT table_name, column_name FROM {session.lake.select(tables.ATTRIBUTES)} "
        "WHERE used ORDER BY ALL"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def _no_longer_used(session: Session, used: dict[str, list[str]]) -> Iterator[str]:
    """Yield which attributes are features no more, and which of them could be listed."""
    for contract in _ENTITIES:
        shown = _columns(session, session.lake.select(contract.table))
        lost = [name for name in used.get(contract.name, []) if name not in shown]
        apart = [name for name in lost if _looks_apart(contract, name)]
        usable = [name for name in lost if name not in apart]
        if usable:
            listed = section_of(session.settings, contract.of_entities).attributes
            yield (
                "Attributes are features only where the settings list them; models that know "
                f"these see them as missing from now on: {', '.join(usable)}. To go on with them: "
                f"[{contract.setting}] attributes = {json.dumps([*listed, *usable])}"
            )
        if apart:
            yield (
                f"These attributes of {contract.name} look personal or protected and were "
                f"features: {', '.join(apart)}. Feature tables of past days and models keep them "
                "until you materialise the job `history` for these days and train anew."
            )


def _looks_apart(contract: Contract, name: str) -> bool:
    return by_name(contract.of_entities, name).kind != "usable"
