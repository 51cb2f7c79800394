"""Decides which of several rows of one user, or job, counts: by times, or by the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from conversion_platform.days import ONE_DAY
from conversion_platform.errors import SourceError
from conversion_platform.lake import identifier, instant, quoted, rendered
from conversion_platform.marketplace.relation import FOLDER as FOLDER_DAY
from conversion_platform.marketplace.source_steps import Source
from conversion_platform.marketplace.steps import FOLDER


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
    """

    names: tuple[str, ...]
    moment: str
    written: str
    staged: tuple[str, ...]
    later: str

    @classmethod
    def of(cls, source: Source, today: date | None) -> Times:
        """Return the times of a source.

        Args:
            source: The source.
            today: The day whose rows are wanted; None if rows of any day are.
        """
        columns = {"valid_from": "_cp_valid_from", "updated_at": "updated_at"}
        names = tuple(name for name in columns if name in source.matched.contract)
        zone = quoted(source.session.settings.platform.time_zone)
        folder = f"timezone({zone}, CAST({FOLDER_DAY} AS TIMESTAMP))"
        moment, written, *_ = [*(columns[name] for name in names), folder, "NULL"]
        later = "false"
        if today and "valid_from" in names:
            tomorrow = instant(today + ONE_DAY, source.session.settings.platform.time_zone)
            later = f"coalesce(_cp_valid_from >= {tomorrow}, false)"
        valid_from = ("_cp_valid_from",) if "valid_from" in names else ()
        return cls(names, moment, written, (*valid_from, FOLDER_DAY), later)

    @property
    def newest_first(self) -> list[str]:
        """SQL of the order in which the row that counts is the first."""
        return [self.later, *(f"{time} DESC NULLS LAST" for time in (self.moment, self.written))]


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
    contract, duplicates = source.contract, source.section.duplicates
    if duplicates == "first":
        return
    newest = duplicates == "newest"
    read = [*(column.name for column in contract.columns), *further]
    query = rendered(
        FOLDER,
        "undecided",
        source=contract.name,
        key=contract.key,
        content=f"CAST(row({', '.join(map(identifier, read))}) AS VARCHAR)",
        moment=times.moment if newest else "NULL",
        written=times.written if newest else "NULL",
        later=times.later,
    )
    found = source.pipeline.con.execute(query).fetchall()
    if not found:
        return
    ids = [key for key, _ in found]
    why, remedy = (
        _refused(source)
        if not newest
        else _untold(source, times, any(missing for _, missing in found))
    )
    shown = ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
    raise SourceError(
        f"{contract.setting}: {len(ids):,} ids have several rows that differ, and {why}: {shown}.",
        f'{remedy} Or set {contract.setting}.duplicates = "first", if the first row counts.',
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
            f"the `{first}` of some of them is missing or cannot be read, so that none is known to "
            "be the newest",
            f"Fill in `{first}` in each of these rows (check-sources shows what cannot be read).",
        )
    if "updated_at" not in times.names:
        return f"the newest have one `{first}`", named
    return (
        "the newest have one `updated_at`"
        if times.names == ("updated_at",)
        else "those of the newest `valid_from` have one `updated_at`, or one of them has none",
        "Leave the right one of these rows in the source, or give it a later `updated_at`.",
    )
