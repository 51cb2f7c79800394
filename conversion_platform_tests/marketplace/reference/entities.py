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
    found = checked_rows(table, *find(base, how), how)
    if not {snake(name) for name in how.attributes} <= found.further:
        raise RefusedError("no such attribute")
    key = next(iter(KINDS[table]))
    verdict = Verdict(rows=len(found.rows) + len(found.broken))
    verdict.rejects = [Reject(row.source, row.number, "broken_line") for row in found.broken]
    verdict.rejects += [one.reject(one.problem) for one in found.rows if one.problem]
    good = [one for one in found.rows if not one.problem]
    start = instant_of(opening, zone)[0]
    for _, group in groupby(sorted(good, key=lambda o: o.kept(key)), lambda o: o.kept(key)):
        winner = _of_one_id(list(group), table, found, how, zone, verdict)
        verdict.accepted.append(_row(winner, table, firsts.get(winner.kept(key)), start))
    if not verdict.accepted:
        raise RefusedError("no row")
    return verdict


def _of_one_id(
    group: list[Checked], table: str, found: CheckedRows, how: How, zone: str, verdict: Verdict
) -> Checked:
    """Return the row of an id that counts; the others become rejects or earlier versions.

    Raises:
        RefusedError: it is not known which counts.
    """
    key = next(iter(KINDS[table]))
    group = sorted(group, key=lambda one: (one.row.source, one.row.number))
    whens = [_when(one, found, zone) if how.duplicates == "newest" else None for one in group]
    _require_decided(group, whens, how)
    order = sorted(
        range(len(group)),
        key=lambda place: (whens[place] is None, -(whens[place] or _EPOCH).timestamp()),
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


def _when(one: Checked, found: CheckedRows, zone: str) -> datetime | None:
    """Return from when on a row holds."""
    for name in ("valid_from", "updated_at"):
        if name in found.has:
            kept: datetime | None = one.kept(name)
            return kept
    return instant_of(one.row.folder, zone)[0] if one.row.folder else None


def _require_decided(group: list[Checked], whens: list[datetime | None], how: How) -> None:
    contents = [_content(one, how) for one in group]
    if how.duplicates == "first" or all(one == contents[0] for one in contents):
        return
    newest = [
        content
        for content, when in zip(contents, whens, strict=True)
        if when is None or when == max((w for w in whens if w), default=None)
    ]
    if None in whens or any(one != newest[0] for one in newest):
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
