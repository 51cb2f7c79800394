"""What a lake table promises: its name, columns and key."""

from __future__ import annotations

from dataclasses import dataclass, field

PERSONAL_FOLDER = "personal"
"""Folder below the lake's root that holds the files of personal tables, and nothing else."""


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type and what it holds (with its unit).

    Attributes:
        name: As in the files.
        type: DuckDB's.
        description: What it holds, with its unit.
        low: The least value that is allowed, if any.
        high: The greatest value that is allowed, if any.
        personal: Whether it tells who a person is, or where: of a source's contract columns,
            those lie in a personal table, and messages mask their values.
    """

    name: str
    type: str
    description: str
    low: float | None = None
    high: float | None = None
    personal: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Table:
    """One table of the lake.

    Attributes:
        name: The view's name in SQL, and the last part of `folder`.
        description: One sentence for the graph, the catalog and the docs.
        columns: The columns every file has. A daily table's partition column `dt` is not
            listed: it is in the folder's name.
        key: Columns that tell rows apart; files are sorted by them, so that the same rows
            give the same bytes.
        together: Columns by which files are sorted before the key: what is read together lies
            together.
        daily: Whether there is one file for each day (`dt=`), or one file in all.
        open_ended: Whether files may have further columns (attributes).
        personal: Whether it tells who people are, or where: its files lie below `personal/`, for
            their owner alone, and `sql` opens them only with `--personal`.
        delta: Whether times, whole numbers and texts are stored as differences (version 2 of
            Parquet), which for millions of rows a day is smaller and faster to write. Not for
            fractions: Spark and Athena may not know how they are stored then.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    daily: bool = True
    open_ended: bool = False
    together: tuple[str, ...] = ()
    personal: bool = False
    delta: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that files are sorted by."""
        return (*self.together, *self.key)

    @property
    def folder(self) -> str:
        """The folder of its files below the lake's root."""
        return f"{PERSONAL_FOLDER}/{self.name}" if self.personal else self.name

    def empty_select(self) -> str:
        """Return SQL that yields the table's columns and no row."""
        columns = [f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in self.columns]
        if self.daily:
            columns.append("CAST(NULL AS DATE) AS dt")
        return f"SELECT {', '.join(columns)} WHERE false"
