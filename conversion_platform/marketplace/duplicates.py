"""Decides which of several rows of one user, or job, counts: by times, or by the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from conversion_platform.days import ONE_DAY, counted
from conversion_platform.errors import SourceError
from conversion_platform.lake import identifier, instant, quoted, rendered
from conversion_platform.marketplace.gone import newest_export
from conversion_platform.marketplace.relation import FOLDER as FOLDER_DAY
from conversion_platform.marketplace.source_steps import Source
from conversion_platform.marketplace.steps import FOLDER
from conversion_platform.marketplace.values import LAST_TIME

# What tells the rows of one id apart that the settings do not tell apart by times: a number that
# rows of files have, and nothing.
_ORDERS = {
    "newest": None,
    "first": ("CASE WHEN _cp_row IS NOT NULL THEN _cp_ordinal END", "NULL"),
    "refuse": ("NULL", "NULL"),
}


@dataclass(frozen=True)
class Times:
    """The times that tell rows of one id apart.

    Attributes:
        names: The contract columns of the source among `valid_from` and `updated_at`.
        moment: SQL of the moment from which on a row holds: `valid_from`, else `updated_at`, else
            the start of the day of its `dt=` folder.
        written: SQL of what tells rows of one moment apart: the next of these.
        staged: SQL of the staged columns that these need, and the checked table does not have.
        later: SQL condition of the rows that hold only from a later day than the run's: each is a
            version, and counts when its day has come.
        older: SQL condition of the rows that the newest export lacks: they are versions alone.
        order: SQL of the order in which the row that counts is the first.
        apart: SQL of a moment: rows of one id with several are versions of it. NULL if none tells.
    """

    names: tuple[str, ...]
    moment: str
    written: str
    staged: tuple[str, ...]
    later: str
    older: str
    order: tuple[str, ...]
    apart: str

    @classmethod
    def of(cls, source: Source, today: date | None) -> Times:
        """Return the times of a source.

        Args:
            source: The source.
            today: The day whose rows are wanted; None if rows of any day are.
        """
        columns = {"valid_from": "_cp_valid_from", "updated_at": _written()}
        names = tuple(name for name in columns if name in source.matched.contract)
        zone = quoted(source.session.settings.platform.time_zone)
        folder = f"timezone({zone}, CAST({FOLDER_DAY} AS TIMESTAMP))"
        moment, written, *_ = [*(columns[name] for name in names), folder, "NULL"]
        later = "false"
        if today and "valid_from" in names:
            tomorrow = instant(today + ONE_DAY, source.session.settings.platform.time_zone)
            later = f"coalesce(_cp_valid_from >= {tomorrow}, false)"
        valid_from = (_valid_from(source),) if "valid_from" in names else ()
        newest = newest_export(source)
        older = f"coalesce({FOLDER_DAY} < DATE '{newest}', false)" if newest else "false"
        order: list[str] = [older, later]
        apart = folder if newest else "NULL"
        if source.of_entities.duplicates == "newest":
            order += [f"{time} DESC NULLS LAST" for time in (moment, written)]
            apart = moment
        if newest:
            order.append(f"CASE WHEN {older} THEN {FOLDER_DAY} END DESC NULLS LAST")
        staged = (*valid_from, FOLDER_DAY)
        return cls(names, moment, written, staged, later, older, tuple(order), apart)

    @property
    def held_back(self) -> str:
        """SQL condition of the rows that cannot count now."""
        return f"({self.later} OR {self.older})"


def _written() -> str:
    """Return SQL of when a row was written; NULL if that lies in the future.

    A wrong year, as in 2062, would make its row the newest for ever.
    """
    most = (datetime.now(UTC) + ONE_DAY).isoformat(timespec="seconds")
    return f"CASE WHEN updated_at < TIMESTAMPTZ '{most}' THEN updated_at END"


def _valid_from(source: Source) -> str:
    """Return SQL of `valid_from`, as a column; far in the future it is the last time there is."""
    cell = source.cell("valid_from")
    is_given = f"{cell.reason} IS NULL AND {cell.value} IS NOT NULL"  # least() passes NULL over
    return f"CASE WHEN {is_given} THEN least({cell.value}, {LAST_TIME}) END AS _cp_valid_from"


def require_decided(source: Source, times: Times, further: Sequence[str]) -> None:
    """Make sure that of several rows of one id the settings or a time say which counts.

    An older consent must never win over a newer one. What nobody reads may differ: in a wide table
    of activities each row of a user has another job.

    Args:
        source: The source, whose step `flagged` exists.
        times: Its times.
        further: The further columns that somebody reads.

    Raises:
        SourceError: they do not say it.
    """
    contract, duplicates = source.contract, source.of_entities.duplicates
    moment, written = _ORDERS[duplicates] or (times.moment, times.written)
    found = _undecided(source, further, f"NOT {times.held_back}", moment, written)
    if not found:
        return
    if duplicates == "first":
        why, remedy = _unordered(source)
    elif duplicates == "refuse":
        why, remedy = _refused(source)
    else:
        why, remedy = _untold(source, times, any(missing for _, missing in found))
    if duplicates != "first":
        remedy += f' Or set {contract.setting}.duplicates = "first", if the first row counts.'
    raise SourceError(f"{contract.setting}: {_several(found)}, and {why}.", remedy)


def undecided_later(source: Source, times: Times, further: Sequence[str]) -> str | None:
    """Return a sentence about ids that a later day will refuse, as `require_decided` does."""
    if source.of_entities.duplicates != "newest":
        return None
    wanted = f"{times.later} AND NOT {times.older}"
    found = _undecided(source, further, wanted, times.moment, times.written, times.moment)
    if not found:
        return None
    return (
        f"{_several(found)}, and hold from one later day (`valid_from`): a run of that day will "
        "refuse them. Leave the right one in the source, or give it a later `updated_at`."
    )


def _undecided(
    source: Source,
    further: Sequence[str],
    wanted: str,
    moment: str,
    written: str,
    together: str = "NULL",
) -> list[tuple[str, bool]]:
    """Return ids with rows that differ and that nothing tells apart, and whether some lack a time.

    Args:
        source: The source, whose step `flagged` exists.
        further: The further columns that somebody reads.
        wanted: SQL condition of the rows.
        moment: SQL of what tells rows apart, the largest is the one that counts.
        written: SQL of what tells rows of one moment apart.
        together: SQL of what rows of one id must share to be told apart at all.
    """
    read = [*(column.name for column in source.contract.columns), *further]
    query = rendered(
        FOLDER,
        "undecided",
        source=source.contract.name,
        key=source.contract.key,
        content=f"CAST(row({', '.join(map(identifier, read))}) AS VARCHAR)",
        moment=moment,
        written=written,
        wanted=wanted,
        together=together,
    )
    return source.pipeline.con.execute(query).fetchall()


def _several(found: Sequence[tuple[str, bool]]) -> str:
    ids = list(dict.fromkeys(key for key, _ in found))
    shown = ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
    return f"several rows of {counted(len(ids), 'id')} ({shown}) differ"


def _unordered(source: Source) -> tuple[str, str]:
    """Return why no row is the first, and what to do."""
    setting = source.contract.setting
    return (
        f"rows of {source.relation.place} have no order: none of them is the first",
        f"Take {setting}.duplicates out and name the time at which a row was written: "
        f'[{setting}.columns] updated_at = "...". Or leave one row of each id in the source.',
    )


def _refused(source: Source) -> tuple[str, str]:
    """Return why rows are refused that the settings refuse, and what to do."""
    setting = source.contract.setting
    return (
        f'{setting}.duplicates = "refuse" refuses them',
        f"Leave one row of each id in the source. Or take {setting}.duplicates out, if a time says "
        "which row is the newest.",
    )


def _untold(source: Source, times: Times, is_missing: bool) -> tuple[str, str]:
    """Return why no time tells which of some rows is the newest, and what to do.

    Args:
        source: The source.
        times: Its times.
        is_missing: Whether the rows have no moment, instead of the same.
    """
    named = (
        "Name the time at which a row was written: "
        f'[{source.contract.setting}.columns] updated_at = "...".'
    )
    if not times.names:
        return "neither an `updated_at` nor a `dt=` folder says which is the newest", named
    first = times.names[0]
    if is_missing:
        return (
            f"the `{first}` of some of them is missing, cannot be read or lies in the future, so "
            "that none is known to be the newest",
            f"Correct `{first}` in each of these rows (check-sources shows what cannot be read).",
        )
    if "updated_at" not in times.names:
        return f"the newest have one `{first}`", named
    return (
        "the newest have one `updated_at`"
        if times.names == ("updated_at",)
        else "those of the newest `valid_from` have one `updated_at`, or one of them has none",
        "Leave the right one of these rows in the source, or give it a later `updated_at`.",
    )
