"""Users and jobs: one row for each id, the newest, and what becomes of the others."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from conversion_platform_tests.marketplace.reference.checked import (
    Checked,
    CheckedRows,
    checked_rows,
)
from conversion_platform_tests.marketplace.reference.contract import ENDS, KINDS
from conversion_platform_tests.marketplace.reference.files import find
from conversion_platform_tests.marketplace.reference.names import snake
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.times import instant_of
from conversion_platform_tests.marketplace.reference.verdict import RefusedError, Reject, Verdict


def read_entities(
    base: Path, table: str, how: How, zone: str, opening: date, firsts: dict[str, datetime]
) -> Verdict:
    """Return what becomes of the rows of users or jobs.

    Args:
        base: Folder of the settings file.
        table: `users` or `jobs`.
        how: The settings of the source.
        zone: The platform's time zone.
        opening: `platform.start_date`.
        firsts: Time of the first event of each id.

    Raises:
        RefusedError: the source cannot be used.
    """
    kind, files = find(base, how)
    found = checked_rows(table, kind, files, how)
    if not {snake(name) for name in how.attributes} <= found.further:
        raise RefusedError("no such attribute")
    key = next(iter(KINDS[table]))
    verdict = Verdict(rows=len(found.rows) + len(found.broken))
    verdict.rejects = [Reject(row.source, row.number, "broken_line") for row in found.broken]
    verdict.rejects += [one.reject(one.problem) for one in found.rows if one.problem]
    good = [one for one in found.rows if not one.problem]
    start = instant_of(opening, zone)[0]
    newest = max((file.day for file in files if file.day), default=None)
    for _, group in groupby(sorted(good, key=lambda o: o.kept(key)), lambda o: o.kept(key)):
        rows = list(group)
        winner = _of_one_id(rows, table, found, how, zone, verdict)
        if (
            how.folders == "exports"
            and newest
            and all(one.row.folder and one.row.folder < newest for one in rows)
        ):
            verdict.filtered += 1  # the source shows it no more
            continue
        verdict.accepted.append(_row(winner, table, firsts.get(winner.kept(key)), start))
    if not verdict.accepted:
        raise RefusedError("no row")
    return verdict


def _is_gone(rows: list[Checked], newest: date) -> bool:
    """Return whether all rows of an id lie in folders before the newest one."""
    return all(one.row.folder and one.row.folder < newest for one in rows)


def _of_one_id(
    group: list[Checked], table: str, found: CheckedRows, how: How, zone: str, verdict: Verdict
) -> Checked:
    """Return the row of an id that counts; the others become rejects or earlier versions.

    Raises:
        RefusedError: it is not known which counts.
    """
    key = next(iter(KINDS[table]))
    group = sorted(group, key=lambda one: (one.row.source, one.row.number))
    times = [_times(one, found, zone) if how.duplicates == "newest" else _NEVER for one in group]
    whens = [when for when, _ in times]
    _require_decided(group, times, how)
    order = sorted(
        range(len(group)),
        key=lambda place: [(time is None, -(time or _EPOCH).timestamp()) for time in times[place]],
    )
    seen = set()
    for place in order:
        if place == order[0] or (whens[place] is not None and whens[place] not in seen):
            verdict.past += place != order[0]
        else:
            verdict.rejects.append(group[place].reject(("duplicate_id", key)))
        seen.add(whens[place])
    return group[order[0]]


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


Times = tuple[datetime | None, datetime | None]
_NEVER: Times = (None, None)


def _times(one: Checked, found: CheckedRows, zone: str) -> Times:
    """Return from when on a row holds, and what tells it from others that hold from then on."""
    times = [one.kept(name) for name in ("valid_from", "updated_at") if name in found.has]
    times.append(instant_of(one.row.folder, zone)[0] if one.row.folder else None)
    when, written, *_ = [*times, None]
    return when, written


def _require_decided(group: list[Checked], times: list[Times], how: How) -> None:
    contents = [_content(one, how) for one in group]
    if how.duplicates == "first":
        return
    left = list(zip(contents, times, strict=True))
    for level in (0, 1):
        if all(content == left[0][0] for content, _ in left):
            return
        said = [time[level] for _, time in left]
        if None in said:
            raise RefusedError("rows that differ")
        left = [one for one in left if one[1][level] == max(time for time in said if time)]
    if any(content != left[0][0] for content, _ in left):
        raise RefusedError("rows that differ")


def _content(one: Checked, how: How) -> tuple[Any, ...]:
    """Return what somebody reads of a row."""
    listed = {snake(name) for name in how.attributes}
    return (
        *(said.kept for name, said in one.said.items() if name != "valid_from"),
        one.unread,
        *(text for name, text in one.further.items() if name in listed),
    )


def _row(
    one: Checked, table: str, first: datetime | None, opening: datetime | None
) -> dict[str, Any]:
    """Return a row of the checked table."""
    values = {name: said.kept for name, said in one.said.items() if name != "valid_from"}
    start, end = ENDS[table]
    if values[start] is None:
        known = [time for time in (first or opening, values[end]) if time is not None]
        values[start] = min(known)
    return {**values, "unread_columns": "|".join(one.unread) or None, **one.further}
