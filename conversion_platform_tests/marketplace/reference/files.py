"""Which files of a path are read, in which order, and what their folders say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError

PARQUET = (".parquet", ".pq", ".parq")
CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


@dataclass(frozen=True)
class Found:
    """A file that is read.

    Attributes:
        path: Where it is.
        shown: The same, relative to the settings file.
        hive: Columns of its `key=value` folders.
    """

    path: Path
    shown: str
    hive: dict[str, str | None]

    @property
    def day(self) -> date | None:
        """The day of its `dt=` folder."""
        try:
            return date.fromisoformat(self.hive.get("dt") or "")
        except ValueError:
            return None


def find(base: Path, how: How) -> tuple[str, list[Found]]:
    """Return the format of a source, and its files in order.

    Raises:
        RefusedError: there is no file, or their names do not say one format.
    """
    paths = [how.path] if isinstance(how.path, str) else how.path
    found = [file for path in paths for file in _of_path(base, path)]
    if how.format != "auto":
        return how.format, found
    formats = {_format(file.shown) for file in found}
    if len(formats) != 1:
        raise RefusedError("Parquet and CSV")
    return formats.pop(), found


def _format(shown: str) -> str:
    name = shown.lower()
    if name.endswith(PARQUET):
        return "parquet"
    if name.endswith(CSV):
        return "csv"
    raise RefusedError(f"extension of {shown}")


def _of_path(base: Path, path: str) -> list[Found]:
    place = base / path
    if place.is_file():
        shown = [path]
    elif place.is_dir():
        shown = [f"{path}/{below}" for below in _below(place, []) if not _is_hidden(below)]
    else:
        shown = _matching(base, path)
    if not shown:
        raise RefusedError("no file")
    above = _literal_parts(base, path)
    return [Found(base / name, name, _hive(name, above)) for name in sorted(shown)]


def _below(folder: Path, entered: list[Path]) -> list[str]:
    """Return the files below a folder; links are followed, but never back to a folder above."""
    entered = [*entered, *(one for one in (folder.resolve(), *folder.resolve().parents))]
    found = []
    for place in folder.iterdir():
        name = place.name
        if place.is_file():
            found.append(name)
        elif place.is_dir() and place.resolve() not in entered:
            found += [f"{name}/{below}" for below in _below(place, entered)]
    return found


def _is_hidden(path: str) -> bool:
    """Return whether a part of a path is hidden or temporary; a Hive folder never is."""
    return any(part[0] in "._" and "=" not in part for part in path.split("/"))


def _matching(base: Path, pattern: str) -> list[str]:
    """Return the files that a glob matches."""
    found = [name for name in _below(base, []) if _matches(name.split("/"), pattern.split("/"))]
    return sorted(found)


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        here = bool(parts) and not _is_hidden(parts[0]) and _matches(parts[1:], pattern)
        if pattern[1:] == []:
            return here or (len(parts) == 1 and not _is_hidden(parts[0]))
        return here or _matches(parts, pattern[1:])
    return (
        bool(parts)
        and (not _is_hidden(parts[0]) or pattern[0][0] == parts[0][0])
        and re.fullmatch(_regex(pattern[0]), parts[0]) is not None
        and _matches(parts[1:], pattern[1:])
    )


def _regex(part: str) -> str:
    """Return a regular expression for one part of a glob: `*`, `?`, `[ab]`."""
    known = re.split(r"(\*|\?|\[[^\]]+\])", part)
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        one.replace("[!", "[^")
        if re.fullmatch(r"\[[^\]]+\]", one)
        else wild.get(one, re.escape(one))
        for one in known
    )


def _literal_parts(base: Path, path: str) -> int:
    """Return how many parts of a path stand above the folders that can be columns.

    Those are the `key=value` folders next to each other that the path ends with, or that stand
    before its first wildcard, and all below.
    """
    parts = path.split("/")
    if (base / path).exists():
        fixed = parts if (base / path).is_dir() else parts[:-1]
    else:
        first = next(place for place, part in enumerate(parts) if re.search(r"[*?\[]", part))
        fixed = parts[:first]
    while fixed and "=" in fixed[-1]:
        fixed = fixed[:-1]
    return len(fixed)


def _hive(shown: str, above: int) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in shown.split("/")[above:-1]:
        name, mark, value = part.partition("=")
        if mark and name and value:
            found[unquote(name)] = None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return found
