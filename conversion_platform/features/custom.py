"""Custom features: one .sql file each, in the folder that `features.folder` names.

A file starts with `-- level: user` or `-- level: job`, and is one SELECT that returns `dt`, the
id of its level, and numeric columns. It may read these views, and nothing else
(`custom_session`):

    days(dt DATE, as_of TIMESTAMPTZ)   the days being built, and the moment each begins
    users, jobs                        the checked tables as these days saw them, without what is
                                       personal
    events                             the checked events of the last 90 days, with `known_at`

Where a range of days is built the views hold what is known before its last day, so the file must
follow one rule: for day D, use only events with `known_at < as_of`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import SettingsError
from conversion_platform.features.custom_session import sealed_session
from conversion_platform.features.spec import RESERVED_NAMES, Feature, Level
from conversion_platform.lake import Session, first_line
from conversion_platform.marketplace import personal_hint

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

_LEVEL = re.compile(r"^--\s*level:\s*(user|job)\s*$")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_NUMERIC = re.compile(
    r"^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$"
)
_VIEWS = ("days", "events", "users", "jobs")
_RESULT, _BATCH = "custom_result", 65_536


@dataclass(frozen=True)
class CustomFile:
    """One feature file.

    Attributes:
        path: Where it is.
        level: Whether its rows are users or jobs.
        sql: Its SELECT.
    """

    path: Path
    level: Level
    sql: str

    @property
    def table(self) -> str:
        """The temporary table that holds its result."""
        return f"feature_custom_{self.path.stem}"

    @property
    def key(self) -> str:
        """The id column of its level."""
        return f"{self.level}_id"


def custom_files(settings: Settings) -> list[CustomFile]:
    """Return the feature files, by name; none if no folder is set.

    Raises:
        SettingsError: the folder is not there, or a file has no level or a bad name.
    """
    if settings.features.folder is None:
        return []
    folder = Path(settings.resolve(settings.features.folder))
    if not folder.is_dir():
        raise SettingsError(
            f"`features.folder` = '{folder}' is not a folder.",
            "Create it, or correct the setting.",
        )
    return [_read(path) for path in sorted(folder.glob("*.sql"))]


def _read(path: Path) -> CustomFile:
    if not _NAME.match(path.stem):
        raise SettingsError(
            f"The feature file {path} has a name that cannot be used in SQL.",
            "Rename it: small letters, digits and underscores, starting with a letter.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from None
    first, _, _ = text.lstrip("\ufeff").partition("\n")
    level = _LEVEL.match(first.strip())
    if level is None:
        raise SettingsError(
            f"{path} does not say what its rows are: its first line is {first.strip()!r}.",
            "Make the first line `-- level: user` or `-- level: job`.",
        )
    return CustomFile(path, "user" if level[1] == "user" else "job", text.strip().rstrip(";"))


def custom_features(session: Session, files: list[CustomFile], taken: set[str]) -> list[Feature]:
    """Return the features that the files add, found without running them.

    Args:
        session: Settings, lake and DuckDB connection.
        files: The files.
        taken: Names that other features have.

    Raises:
        SettingsError: a file's SQL does not bind, lacks `dt` or its id, returns a column that is
            not numeric, or one whose name is taken.
    """
    days = DayRange.of(session.settings.platform.start_date)
    found: list[Feature] = []
    with sealed_session(session, days, rows=False) as sealed:
        for file in files:
            found += [_feature(file, name, taken) for name in _described(sealed, file)]
    return found


def _feature(file: CustomFile, name: str, taken: set[str]) -> Feature:
    if name in taken or name in RESERVED_NAMES:
        why = "there is a feature of that name" if name in taken else "the platform uses that name"
        raise SettingsError(
            f"{file.path} returns a column `{name}`, and {why}.",
            f"Give the column another name, for instance `{file.path.stem}_{name}`.",
        )
    taken.add(name)
    return Feature(name, "numeric", file.level, f"Custom, from {file.path.name}.")


def run_custom_files(session: Session, files: Sequence[CustomFile], days: DayRange) -> None:
    """Run files for `days`, each into its temporary table on the session's connection.

    Raises:
        SettingsError: the SQL fails, or returns two rows for one day and id, or an infinite value.
    """
    if not files:
        return
    with sealed_session(session, days) as sealed:
        for file in files:
            _run(sealed, file)
            _take(session, sealed, file)


def _take(session: Session, sealed: duckdb.DuckDBPyConnection, file: CustomFile) -> None:
    """Move what a file returned to the session's connection: the next file must not see it."""
    found = sealed.sql(f'FROM "{file.table}"').to_arrow_reader(_BATCH)
    session.con.register(_RESULT, found)
    try:
        session.con.execute(f'CREATE OR REPLACE TEMP TABLE "{file.table}" AS FROM {_RESULT}')
    finally:
        session.con.unregister(_RESULT)
    sealed.execute(f'DROP TABLE "{file.table}"')


def _run(con: duckdb.DuckDBPyConnection, file: CustomFile) -> None:
    import duckdb

    columns = _described(con, file)
    listed = "".join(f', "{name}"::FLOAT AS "{name}"' for name in columns)
    try:
        con.execute(
            f'CREATE TEMP TABLE "{file.table}" AS '
            f'SELECT dt::DATE AS dt, "{file.key}"::VARCHAR AS "{file.key}"{listed} '
            f'FROM (\n{file.sql}\n) WHERE "{file.key}" IS NOT NULL'
        )
    except duckdb.Error as error:
        raise _refused(file, error) from None
    _check_unique(con, file)
    _check_finite(con, file, columns)


def custom_sql(
    con: duckdb.DuckDBPyConnection, files: list[CustomFile], alias: str
) -> tuple[list[str], list[str]]:
    """Select-list entries and joins that add the results of `files` to a feature query.

    Args:
        con: The session in which `run_custom_files` ran.
        files: Files of one level.
        alias: Table alias that has the id; the alias `d` has the day.
    """
    columns, joins = [], []
    for file in files:
        rows = con.execute(f'DESCRIBE "{file.table}"').fetchall()
        names = [row[0] for row in rows if row[0] not in ("dt", file.key)]
        columns += [f'"{file.table}"."{name}"' for name in names]
        joins.append(
            f'LEFT JOIN "{file.table}" ON d.dt = "{file.table}".dt '
            f'AND {alias}."{file.key}" = "{file.table}"."{file.key}"'
        )
    return columns, joins


def _described(con: duckdb.DuckDBPyConnection, file: CustomFile) -> list[str]:
    """Return the feature columns that a file returns."""
    import duckdb

    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM (\n{file.sql}\n)").fetchall()
    except duckdb.Error as error:
        raise _refused(file, error, planning=True) from None
    types = {row[0]: row[1] for row in rows}
    for needed in ("dt", file.key):
        if needed not in types:
            raise SettingsError(
                f"{file.path} returns no column `{needed}` (it returns {', '.join(types)}).",
                f"Return `dt` (from the view `days`) and `{file.key}` with the features.",
            )
    names = [name for name in types if name not in ("dt", file.key)]
    for name in names:
        _check_column(file, name, types[name])
    if not names:
        raise SettingsError(
            f"{file.path} returns no feature.", "Return at least one numeric column."
        )
    return names


def _check_column(file: CustomFile, name: str, type_: str) -> None:
    if not _NAME.match(name):
        raise SettingsError(
            f"{file.path} returns a column {name!r}, which cannot be a feature's name.",
            "Name it in small letters, digits and underscores.",
        )
    if not _NUMERIC.match(type_):
        raise SettingsError(
            f"{file.path}: the column `{name}` is {type_}, not a number.",
            "Cast it to DOUBLE, or leave it out.",
        )


def _check_unique(con: duckdb.DuckDBPyConnection, file: CustomFile) -> None:
    row = con.execute(
        f'SELECT dt, "{file.key}", count(*) FROM "{file.table}" GROUP BY ALL HAVING count(*) > 1 '
        "ORDER BY ALL LIMIT 1"
    ).fetchone()
    if row is not None:
        raise SettingsError(
            f"{file.path} returns {row[2]} rows for dt {row[0]} and {file.key} '{row[1]}'.",
            f"Group by `dt` and `{file.key}`, so that each day and {file.level} has one row.",
        )


def _check_finite(con: duckdb.DuckDBPyConnection, file: CustomFile, columns: list[str]) -> None:
    for name in columns:
        row = con.execute(
            f'SELECT dt, "{file.key}" FROM "{file.table}" '
            f'WHERE isinf("{name}") ORDER BY ALL LIMIT 1'
        ).fetchone()
        if row is not None:
            raise SettingsError(
                f"{file.path}: the column `{name}` is infinite for dt {row[0]} and {file.key} "
                f"'{row[1]}'.",
                "Guard the division, as in `a / nullif(b, 0)`: NULL is a missing value.",
            )


def _refused(file: CustomFile, error: duckdb.Error, planning: bool = False) -> SettingsError:
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return SettingsError(
            f"{file.path} opens a file: {first_line(error, planning=True).rstrip('.')}.",
            f"Read the views {', '.join(_VIEWS)} alone. What else is known of a user or a job "
            "comes with the source, in a column that `attributes` lists.",
        )
    told = _fails(file, first_line(error, planning=planning))
    told.remedy = f"{personal_hint(error)}{told.remedy}"
    return told


def _fails(file: CustomFile, why: str) -> SettingsError:
    return SettingsError(
        f"{file.path} fails: {why.rstrip('.')}.",
        "Correct the SQL; docs/features.md lists the views that it may read.",
    )
