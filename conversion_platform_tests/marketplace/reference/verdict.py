"""What a reader says of a source tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class RefusedError(Exception):
    """The source as a whole cannot be used: nothing of it is loaded."""


@dataclass(frozen=True, order=True)
class Reject:
    """One rejected row.

    Attributes:
        source: Its file, relative to the settings file.
        row_number: Its number in that file, 1 = the first after the header.
        reason: Reason code.
        column: Contract column that broke the rule; empty if there is none.
    """

    source: str
    row_number: int
    reason: str
    column: str = ""


@dataclass
class Verdict:
    """What becomes of the rows of a source tree.

    Attributes:
        accepted: The checked rows by column; a column that the source lacks is None.
        rejects: The rejected rows.
        past: Number of rows that are earlier versions of an accepted row.
        filtered: Number of rows of other days than those that are asked for, or of ids that the
            source shows no more.
        rows: All rows and broken lines of the files that are read.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    past: int = 0
    filtered: int = 0
    rows: int = 0
