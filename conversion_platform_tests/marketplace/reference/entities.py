"""Users and jobs: one row for each id, the newest, and what becomes of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.times import instant_of
from conversion_platform_tests.marketplace.reference.verdict import RefusedError, Reject, Verdict


@dataclass(frozen=True)
class Now:
    """What rows are compared with.

    Attributes:
        zone: The platform's time zone.
        today: The day of the run.
        newest: The newest `dt=` folder, if folders are whole exports.
    """

    zone: str
    today: date
    newest: date | None

    def may_count(self, one: Checked) -> bool:
        """Return whether a row can count: the newest export has it, and it holds."""
        return not self.is_older(one) and not self.is_later(one)

    def is_older(self, one: Checked) -> bool:
        """Return whether a row is not in the newest export."""
        return bool(self.newest and one.row.folder and one.row.folder < self.newest)

    def is_later(self, one: Checked) -> bool:
        """Return whether a row holds from a later day on."""
        tomorrow, _ = instant_of(self.today + timedelta(days=1), self.zone)
        begin = _begin(one)
        return begin is not None and tomorrow is not None and begin >= tomorrow


def read_entities(
    base: Path,
    table: str,
    how: How,
    zone: str,
    opening: date,
    today: date,
    firsts: dict[str, datetime],
) -> Verdict:
    """Return what becomes of the rows of users or jobs.

    Args:
        base: Folder of the settings file.
        table: `users` or `jobs`.
        how: The settings of the source.
        zone: The platform's time zone.
        opening: `platform.start_date`.
        today: The day of the run.
        firsts: Time of the first event of each id.

    Raises:
        RefusedError: the source cannot be used.
    """
    kind, files = find(base, how)
    found = checked_rows(table, kind, files, how)
    if not found.listed(how.attributes) <= set(found.further):
        raise RefusedError("no such attribute")
    key = next(iter(KINDS[table]))
    verdict = Verdict(rows=len(found.rows) + len(found.broken))
    verdict.rejects = [Reject(row.source, row.number, "broken_line") for row in found.broken]
    verdict.rejects += [one.reject(one.problem) for one in found.rows if one.problem]
    good = [one for one in found.rows if not one.problem]
    start = instant_of(opening, zone)[0]
    newest = max((file.day for file in files if file.day), default=None)
    now = Now(zone, today, newest if how.folders == "exports" else None)
    for _, group in groupby(sorted(good, key=lambda o: o.kept(key)), lambda o: o.kept(key)):
        winner = _of_one_id(list(group), table, found, how, now, verdict)
        if now.may_count(winner):
            verdict.accepted.append(_row(winner, table, firsts.get(winner.kept(key)), start))
        else:
            verdict.filtered += 1
    if not verdict.accepted:
        raise RefusedError("no row")
    return verdict


def _of_one_id(
    group: list[Checked], table: str, found: CheckedRows, how: How, now: Now, verdict: Verdict
) -> Checked:
    """Return the row of an id that counts; the others become rejects or other versions.

    Raises:
        RefusedError: it is not known which counts.
    """
    key = next(iter(KINDS[table]))
    group = sorted(group, key=lambda one: (one.row.source, one.row.number))
    newest = how.duplicates == "newest"
    times = [_times(one, found, now, newest) for one in group]
    pairs = list(zip(group, times, strict=True))
    if how.duplicates != "first":
        listed = found.listed(how.attributes)
        _require_decided([pair for pair in pairs if now.may_count(pair[0])], listed)
    pairs.sort(
        key=lambda pair: (
            now.is_older(pair[0]),
            now.is_later(pair[0]),
            [(time is None, -(time or _EPOCH).timestamp()) for time in pair[1] if newest],
        )
    )
    seen: set[datetime | None] = {None}
    for place, (one, (when, _)) in enumerate(pairs):
        if place and when in seen and not now.is_older(one):
            verdict.rejects.append(one.reject(("duplicate_id", key)))
        elif place:
            verdict.past += 1
        seen.add(when)
    return pairs[0][0]


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LAST = datetime.fromisoformat("2200-01-01T00:00:00+00:00")


Times = tuple[datetime | None, datetime | None]


def _begin(one: Checked) -> datetime | None:
    """Return from when on a row holds, 2200 where that is later."""
    said = one.said.get("valid_from")
    if said is None or said.reason or said.value is None:
        return None
    return min(said.value, _LAST)


def _written(one: Checked) -> datetime | None:
    """Return when a row was written; nobody wrote one tomorrow."""
    written = one.kept("updated_at")
    return written if written and written < datetime.now(UTC) + timedelta(days=1) else None


def _times(one: Checked, found: CheckedRows, now: Now, newest: bool) -> Times:
    """Return from when on a row holds, and what tells it from others that hold from then on.

    Where the newest does not count, a row of another export is another version all the same.
    """
    folder = instant_of(one.row.folder, now.zone)[0] if one.row.folder else None
    if not newest:
        return (folder if now.newest else None), None
    known = {"valid_from": _begin, "updated_at": _written}
    times = [time(one) for name, time in known.items() if name in found.has]
    when, written, *_ = [*times, folder, None]
    return when, written


def _require_decided(rows: list[tuple[Checked, Times]], listed: set[str]) -> None:
    left = [(_content(one, listed), times) for one, times in rows]
    if not left:
        return
    for level in (0, 1):
        if all(content == left[0][0] for content, _ in left):
            return
        said = [time[level] for _, time in left]
        if None in said:
            raise RefusedError("rows that differ")
        left = [one for one in left if one[1][level] == max(time for time in said if time)]
    if any(content != left[0][0] for content, _ in left):
        raise RefusedError("rows that differ")


def _content(one: Checked, listed: set[str]) -> tuple[Any, ...]:
    """Return what somebody reads of a row; `listed` are the further columns that are attributes."""
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
