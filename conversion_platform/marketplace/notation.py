"""How a source writes its values: decimal mark, formats of times, texts that mean missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.lake import listed, quoted

if TYPE_CHECKING:
    from conversion_platform.settings import SourceSection

_SPACES = r"\s\x{a0}\x{202f}''\x{2019}"  # 1 200 and 1'200 are grouped in every notation
_NEVER = "no format is set"  # a list of formats must not be empty


@dataclass(frozen=True)
class Notation:
    """What the settings of a source say of its values, as SQL.

    Attributes:
        missing: List of the texts that mean a missing value, and the length of the longest in
            bytes.
        decimal: The decimal mark.
        grouping: Characters (of a regular expression) that group digits by three.
        formats: List of `strptime` formats of times.
        zone: Zone of times written without one; NULL if no setting says it.
    """

    missing: str
    decimal: str
    grouping: str
    formats: str
    zone: str

    @classmethod
    def of(cls, section: SourceSection, zone: str | None = None) -> Notation:
        """Return the notation of a source.

        Args:
            section: Its settings.
            zone: Zone of times without one, where the section has no `time_zone`.
        """
        marks = section.thousands or ("." if section.decimal == "," else ",")
        named = section.time_zone or zone
        return cls(
            missing=_texts(("", *section.null_values)),
            decimal=quoted(section.decimal),
            grouping=f"'{_escaped(marks)}{_SPACES}'",
            formats=f"[{listed(_year_first(section.date_formats) or (_NEVER,))}]",
            zone=quoted(named) if named else "CAST(NULL AS VARCHAR)",
        )


def _year_first(formats: tuple[str, ...]) -> list[str]:
    """Return formats with those first that begin with the year, as the macro `reading` asks."""
    return sorted(formats, key=lambda one: not one.startswith("%Y"))


def _texts(texts: tuple[str, ...]) -> str:
    """Return SQL of a list of texts, and of the length of the longest."""
    return f"[{listed(texts)}], {max(len(text.encode()) for text in texts)}"


def _escaped(marks: str) -> str:
    return "".join(f"\\{mark}" if mark in r"\]^-[" else mark.replace("'", "''") for mark in marks)
